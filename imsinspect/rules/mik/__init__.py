"""Rules about MIKEY-TICKET and key-mgmt (IMS-MIK): one module each, named by number and name."""
