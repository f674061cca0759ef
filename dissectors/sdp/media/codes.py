"""Tokens of attributes that describe media, their transport and their applications."""

from __future__ import annotations

DIRECTIONS: dict[bytes, str] = {
    b"sendrecv": "sends and receives",
    b"sendonly": "only sends",
    b"recvonly": "only receives",
    b"inactive": "neither sends nor receives",
}
"""Direction attributes (RFC 8866 §6.7)."""

GROUP_SEMANTICS: dict[bytes, str] = {
    b"ls": "lip synchronisation",
    b"fid": "flow identification",
    b"bundle": "one transport for all",
    b"fec-fr": "forward error correction",
    b"dup": "duplicated streams",
    b"anat": "alternative network address types",
}
"""Semantics of a=group (RFC 5888 §5, RFC 9143, RFC 5956, RFC 7104, RFC 4091)."""

FLOOR_CONTROL_ROLES: dict[bytes, str] = {
    b"c-only": "floor control client",
    b"s-only": "floor control server",
    b"c-s": "both; no longer to be sent",
}
"""Values of a=floorctrl (RFC 8856 §5.1)."""

MSRP_TRANSPORTS: dict[bytes, str] = {b"tcp": "TCP, or TLS over it", b"ws": "WebSocket"}
"""Transports of MSRP URIs (RFC 4975 §9, RFC 7977 §5.1)."""

MSRP_SCHEMES: dict[bytes, str] = {b"msrp": "without TLS", b"msrps": "with TLS"}
"""Schemes of MSRP URIs (RFC 4975 §6)."""

CHATROOM_FEATURES: dict[bytes, str] = {
    b"nickname": "nicknames can be asked for",
    b"private-messages": "messages to one participant are passed on",
}
"""Tokens of a=chatroom (RFC 7701 §8)."""

RTCP_FEEDBACK: dict[bytes, str] = {
    b"ack": "positive acknowledgements",
    b"nack": "negative acknowledgements",
    b"trr-int": "least time between regular reports",
    b"ccm": "codec control messages",
    b"goog-remb": "receiver estimated maximum bitrate",
    b"transport-cc": "transport-wide congestion control",
}
"""Feedback types of a=rtcp-fb (RFC 4585 §4.2, RFC 5104 §7.1); the last two are not registered."""
