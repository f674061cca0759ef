"""Attributes of SDP that describe the streams in a media section: RTP sources, header extensions, SCTP."""
