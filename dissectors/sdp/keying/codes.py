"""Tokens of attributes that bring keys or say how they are agreed upon. Names are in lower case where case is free."""

from __future__ import annotations

CRYPTO_SESSION_PARAMETERS: dict[bytes, str] = {
    b"KDR": "key derivation rate: a power of 2, in packets",
    b"UNENCRYPTED_SRTP": "payloads are not encrypted",
    b"UNENCRYPTED_SRTCP": "RTCP is not encrypted",
    b"UNAUTHENTICATED_SRTP": "RTP carries no authentication tag",
    b"FEC_ORDER": "which of forward error correction and SRTP comes first at the sender",
    b"FEC_KEY": "keys of a forward error correction stream",
    b"WSH": "least size of the replay window",
}
"""Session parameters of a=crypto (RFC 4568 §6.3, IANA sdp-security-descriptions)."""

FEC_ORDERS: dict[bytes, str] = {
    b"fec_srtp": "forward error correction before SRTP at the sender",
    b"srtp_fec": "SRTP before forward error correction at the sender",
}
"""Values of FEC_ORDER (RFC 4568 §6.3.4)."""

KEY_METHODS: dict[bytes, str] = {b"inline": "the key itself"}
"""Key methods of a=crypto (RFC 4568 §6.1, IANA sdp-security-descriptions)."""

KEY_MANAGEMENT_PROTOCOLS: dict[bytes, str] = {b"mikey": "MIKEY (RFC 3830)"}
"""Protocol identifiers of a=key-mgmt, compared with case (RFC 4567 §9.3)."""

HASH_FUNCTIONS: dict[bytes, str] = {
    b"sha-1": "20 octets, weak",
    b"sha-224": "28 octets",
    b"sha-256": "32 octets",
    b"sha-384": "48 octets",
    b"sha-512": "64 octets",
    b"shake128": "32 octets",
    b"shake256": "64 octets",
    b"md5": "16 octets, must not be used",
    b"md2": "16 octets, must not be used",
}
"""Hash functions of a=fingerprint (RFC 8122 §5, RFC 8692)."""

SETUP_ROLES: dict[bytes, str] = {
    b"active": "will connect",
    b"passive": "will be connected to",
    b"actpass": "leaves the choice to the answerer",
    b"holdconn": "no connection for now",
}
"""Values of a=setup (RFC 4145 §4)."""

CONNECTION_VALUES: dict[bytes, str] = {b"new": "a connection of its own", b"existing": "the one there is"}
"""Values of a=connection (RFC 4145 §5)."""

E2AE_INDICATIONS: dict[bytes, str] = {
    b"requested": "the UE asks the access edge to end media security",
    b"applied": "the access edge ends media security",
}
"""Values of a=3ge2ae (TS 24.229 §7.5.2); others are ignored."""

KEY_LINE_METHODS: dict[bytes, str] = {
    b"prompt": "the user is asked",
    b"clear": "the key itself",
    b"base64": "the key in base64",
    b"uri": "where the key can be had",
}
"""Methods of a k= line (RFC 8866 §5.12, RFC 4566 §5.12)."""
