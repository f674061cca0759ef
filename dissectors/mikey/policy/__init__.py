"""The security policy payload of MIKEY (RFC 3830 §6.10) and the parameters of its protocols."""
