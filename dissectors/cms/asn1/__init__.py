"""Data values of ASN.1 types in the Basic Encoding Rules."""
