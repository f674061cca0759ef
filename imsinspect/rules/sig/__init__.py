"""Rules about signalling and session descriptions (IMS-SIG): one module each, named by number and name."""
