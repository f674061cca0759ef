"""Rules about conferences: membership and policy (IMS-CONF): one module each, named by number and name."""
