"""Rules about session based messaging (IMS-MSRP): one module each, named by number and name."""
