"""Rules about registrations and security agreements (IMS-REG): one module each, named by number and name."""
