"""The general extension payload of MIKEY (RFC 3830 §6.15) and the layouts of its types."""
