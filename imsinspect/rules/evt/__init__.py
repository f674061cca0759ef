"""Rules about conference event packages (IMS-EVT): one module each, named by number and name."""
