"""Rules about consistency of profiles (IMS-PROF): one module each, named by number and name."""
