"""Rules about SRTP and SRTCP (IMS-SRTP): one module each, named by number and name."""
