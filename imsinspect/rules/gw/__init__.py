"""Rules about gateways and their control (IMS-GW): one module each, named by number and name."""
