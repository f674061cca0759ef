"""MIKEY (RFC 3830, 4563, 4650, 4738, 6043, 6267, 6509): code points, policies, compositions, and Scapy layers."""
