"""RTP data packets."""
