"""Tokens of the attributes that describe streams."""

from __future__ import annotations

ENCRYPT = b"urn:ietf:params:rtp-hdrext:encrypt"
"""In front of the URI of a header extension: its elements are encrypted (RFC 6904 §4)."""

HEADER_EXTENSIONS: dict[bytes, str] = {
    b"urn:ietf:params:rtp-hdrext:toffset": "offset of the transmission time (RFC 5450)",
    b"urn:ietf:params:rtp-hdrext:smpte-tc": "SMPTE time code (RFC 5484)",
    b"urn:ietf:params:rtp-hdrext:ntp-64": "time of day, 64 bits (RFC 6051)",
    b"urn:ietf:params:rtp-hdrext:ntp-56": "time of day, 56 bits (RFC 6051)",
    b"urn:ietf:params:rtp-hdrext:ssrc-audio-level": "audio level from client to mixer (RFC 6464)",
    b"urn:ietf:params:rtp-hdrext:csrc-audio-level": "audio levels from mixer to client (RFC 6465)",
    b"urn:ietf:params:rtp-hdrext:sdes:cname": "canonical name of the source (RFC 7941)",
    b"urn:ietf:params:rtp-hdrext:sdes:mid": "name of the section (RFC 9143)",
    b"urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id": "name of the stream (RFC 8852)",
    b"urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id": "name of the stream that is repaired (RFC 8852)",
    b"urn:ietf:params:rtp-hdrext:splicing-interval": "where content is spliced (RFC 8286)",
    b"urn:ietf:params:rtp-hdrext:framemarking": "kind of video frame (RFC 9626)",
    b"urn:3gpp:video-orientation": "orientation of the video (TS 26.114)",
    b"urn:3gpp:video-orientation:6": "orientation of the video, finer (TS 26.114)",
    b"http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time": "time of sending",
    b"http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01": "transport-wide sequence number",
}
"""Header extensions (IANA rtp-parameters, RTP SDP Compact Header Extensions); the last two are not registered."""

SSRC_GROUP_SEMANTICS: dict[bytes, str] = {
    b"fid": "flow identification: the same media again, such as retransmissions",
    b"fec": "forward error correction, superseded",
    b"fec-fr": "forward error correction",
    b"dup": "duplicated streams",
    b"sim": "encodings of one source at once; not registered",
}
"""Semantics of a=ssrc-group (RFC 5576 §4.2, RFC 5956 §4.3, RFC 7104 §3.2); the last one is met in the field."""

SOURCE_ATTRIBUTES: dict[bytes, str] = {
    b"cname": "canonical name (RFC 5576 §6.1)",
    b"previous-ssrc": "SSRCs that the source had before (RFC 5576 §6.2)",
    b"fmtp": "parameters of a format for this source (RFC 5576 §6.3)",
    b"msid": "media stream and track; only in drafts",
    b"mslabel": "media stream; only in drafts",
    b"label": "track; only in drafts",
}
"""Attributes of a source in a=ssrc (RFC 5576 §6); the last three are met in the field."""
