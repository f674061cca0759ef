"""Rules about end-to-access-edge protection (IMS-E2AE): one module each, named by number and name."""
