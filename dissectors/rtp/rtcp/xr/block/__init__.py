"""The form of report blocks of RTCP extended reports."""
