"""Rules about SSRCs and the keystreams that hang on them (IMS-SSRC): one module each, named by number and name."""
