"""RTP, RTCP, SRTP and SRTCP (RFC 3550, RFC 3711): layers for single packets, and what a packet shows without keys."""
