"""Code points and keywords of MSRP (RFC 4975, RFC 4976, RFC 7701)."""

from __future__ import annotations

METHODS: dict[bytes, str] = {
    b"SEND": "a message, or a chunk of one",  # RFC 4975 §7.1.1
    b"REPORT": "what became of a message",  # RFC 4975 §7.1.2
    b"AUTH": "asks a relay for a URI",  # RFC 4976 §5.1
    b"NICKNAME": "asks a chat room for a nickname",  # RFC 7701 §7.1
}
"""Methods of requests."""

STATUS_CODES: dict[int, str] = {
    200: "success",  # RFC 4975 §10.1
    400: "request not understood",  # RFC 4975 §10.2
    401: "credentials needed",  # RFC 4976 §10.3
    403: "action not allowed",  # RFC 4975 §10.3
    404: "recipient of a private message unknown",  # RFC 7701 §10.3
    408: "downstream transaction timed out",  # RFC 4975 §10.4
    413: "stop sending this message",  # RFC 4975 §10.5
    415: "media type not understood",  # RFC 4975 §10.6
    423: "parameter out of bounds",  # RFC 4975 §10.7
    424: "nickname malformed",  # RFC 7701 §7.1
    425: "nickname reserved or in use",  # RFC 7701 §7.1
    428: "private messages not supported",  # RFC 7701 §10.3
    481: "session unknown",  # RFC 4975 §10.8
    501: "method not understood",  # RFC 4975 §10.9
    506: "session bound to another connection",  # RFC 4975 §10.10
}
"""Status codes of responses, and of Status headers with namespace 000."""

NAMESPACES: dict[int, str] = {0: "MSRP status codes"}
"""Namespaces of Status headers (RFC 4975 §7.1.2)."""

CONTINUATION_FLAGS: dict[bytes, str] = {
    b"$": "last chunk of the message",
    b"+": "more chunks follow",
    b"#": "message aborted",
}
"""Flags of end-lines (RFC 4975 §7.1)."""

SUCCESS_REPORTS: dict[bytes, str] = {b"yes": "success reports wanted", b"no": "no success reports"}
"""Values of Success-Report (RFC 4975 §7.1.1)."""

FAILURE_REPORTS: dict[bytes, str] = {
    b"yes": "responses and failure reports wanted",
    b"no": "neither responses nor reports",
    b"partial": "only failures are answered",
}
"""Values of Failure-Report (RFC 4975 §7.1.1)."""

SCHEMES: dict[bytes, str] = {b"msrp": "TCP", b"msrps": "TLS over TCP"}
"""URI schemes (RFC 4975 §6)."""

ANY: dict[bytes, str] = {b"*": "not known or not fixed"}
"""What stands for a number in a Byte-Range (RFC 4975 §7.1.1)."""

HEADERS: dict[bytes, str] = {
    b"To-Path": "RFC 4975 §7.1",
    b"From-Path": "RFC 4975 §7.1",
    b"Message-ID": "RFC 4975 §7.1.1",
    b"Success-Report": "RFC 4975 §7.1.1",
    b"Failure-Report": "RFC 4975 §7.1.1",
    b"Byte-Range": "RFC 4975 §7.1.1",
    b"Status": "RFC 4975 §7.1.2",
    b"Content-Type": "RFC 4975 §7.1",
    b"Content-ID": "RFC 4975 §9",
    b"Content-Description": "RFC 4975 §9",
    b"Content-Disposition": "RFC 4975 §9",
    b"Use-Path": "RFC 4976 §5.1",
    b"Expires": "RFC 4976 §7",
    b"Min-Expires": "RFC 4976 §7",
    b"Max-Expires": "RFC 4976 §7",
    b"WWW-Authenticate": "RFC 4976 §7",
    b"Authorization": "RFC 4976 §7",
    b"Authentication-Info": "RFC 4976 §7",
    b"Use-Nickname": "RFC 7701 §7.1",
}
"""Header fields, each with the clause that defines it."""

WITHOUT_REPORT_HEADERS = frozenset((b"REPORT", b"NICKNAME"))
"""Methods that have neither Success-Report nor Failure-Report (RFC 4975 §7.1.2, RFC 7701 §7.1)."""

MAX_OTHER_BODY = 10_240
"""Octets of the body of a request that is no SEND (RFC 4975 §7.1)."""
