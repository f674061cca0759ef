"""Rules about immediate messages (IMS-IM): one module each, named by number and name."""
