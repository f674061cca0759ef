"""Rules about floor control (IMS-BFCP): one module each, named by number and name."""
