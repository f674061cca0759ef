"""Code points of BFCP, each table with its source, and what its messages and grouped attributes are made of."""

from __future__ import annotations

RELIABLE, UNRELIABLE = 1, 2

VERSIONS: dict[int, str] = {
    RELIABLE: "reliable transport",
    UNRELIABLE: "unreliable transport",
}
"""Ver of the COMMON-HEADER (RFC 8855 §5.1)."""

PRIMITIVES: dict[int, str] = {
    1: "FloorRequest",
    2: "FloorRelease",
    3: "FloorRequestQuery",
    4: "FloorRequestStatus",
    5: "UserQuery",
    6: "UserStatus",
    7: "FloorQuery",
    8: "FloorStatus",
    9: "ChairAction",
    10: "ChairActionAck",
    11: "Hello",
    12: "HelloAck",
    13: "Error",
    14: "FloorRequestStatusAck",
    15: "FloorStatusAck",
    16: "Goodbye",
    17: "GoodbyeAck",
}
"""BFCP Primitives registry (RFC 8855 §5.1)."""

UNRELIABLE_ONLY = frozenset((14, 15, 16, 17))
"""Primitives of unreliable transports only (RFC 8855 §5.1)."""

DRAFT_PRIMITIVES: dict[int, str] = {
    15: "ErrorAck",
    16: "FloorStatusAck",
    17: "Goodbye",
    18: "GoodbyeAck",
}
"""Names that these numbers had in drafts of RFC 8855, whose senders wrote version 1 into datagrams, too."""

ATTRIBUTES: dict[int, str] = {
    1: "BENEFICIARY-ID",
    2: "FLOOR-ID",
    3: "FLOOR-REQUEST-ID",
    4: "PRIORITY",
    5: "REQUEST-STATUS",
    6: "ERROR-CODE",
    7: "ERROR-INFO",
    8: "PARTICIPANT-PROVIDED-INFO",
    9: "STATUS-INFO",
    10: "SUPPORTED-ATTRIBUTES",
    11: "SUPPORTED-PRIMITIVES",
    12: "USER-DISPLAY-NAME",
    13: "USER-URI",
    14: "BENEFICIARY-INFORMATION",
    15: "FLOOR-REQUEST-INFORMATION",
    16: "REQUESTED-BY-INFORMATION",
    17: "FLOOR-REQUEST-STATUS",
    18: "OVERALL-REQUEST-STATUS",
}
"""BFCP Attributes registry (RFC 8855 §5.2, Table 2)."""

PRIORITIES: dict[int, str] = {
    0: "Lowest",
    1: "Low",
    2: "Normal",
    3: "High",
    4: "Highest",
}
"""RFC 8855 §5.2.4; 5 to 7 are reserved and read as Highest."""

REQUEST_STATUSES: dict[int, str] = {
    1: "Pending",
    2: "Accepted",
    3: "Granted",
    4: "Denied",
    5: "Cancelled",
    6: "Released",
    7: "Revoked",
}
"""BFCP Request Status registry (RFC 8855 §5.2.5)."""

UNKNOWN_MANDATORY_ATTRIBUTE = 4

ERROR_CODES: dict[int, str] = {
    1: "Conference Does Not Exist",
    2: "User Does Not Exist",
    3: "Unknown Primitive",
    UNKNOWN_MANDATORY_ATTRIBUTE: "Unknown Mandatory Attribute",
    5: "Unauthorized Operation",
    6: "Invalid Floor ID",
    7: "Floor Request ID Does Not Exist",
    8: "You have Already Reached the Maximum Number of Ongoing Floor Requests for This Floor",
    9: "Use TLS",
    10: "Unable to Parse Message",
    11: "Use DTLS",
    12: "Unsupported Version",
    13: "Incorrect Message Length",
    14: "Generic Error",
}
"""BFCP Error Codes registry (RFC 8855 §5.2.6); 10 to 14 are new in RFC 8855."""

Contents = dict[int, tuple[int, int | None]]  # attribute type: how many at least, and at most where there is a limit

ONE, ONE_AT_MOST, ANY, ONE_AT_LEAST = (1, 1), (0, 1), (0, None), (1, None)

MESSAGE_CONTENTS: dict[int, Contents] = {
    1: {2: ONE_AT_LEAST, 1: ONE_AT_MOST, 8: ONE_AT_MOST, 4: ONE_AT_MOST},
    2: {3: ONE},
    3: {3: ONE},
    4: {15: ONE},
    5: {1: ONE_AT_MOST},
    6: {14: ONE_AT_MOST, 15: ANY},
    7: {2: ANY},
    8: {2: ANY, 15: ANY},
    9: {15: ONE},
    10: {},
    11: {},
    12: {11: ONE, 10: ONE},
    13: {6: ONE, 7: ONE_AT_MOST},
    14: {},
    15: {},
    16: {},
    17: {},
}
"""Attributes of the messages, by primitive (RFC 8855 §5.3.1 to §5.3.17)."""

GROUP_CONTENTS: dict[int, Contents] = {
    14: {12: ONE_AT_MOST, 13: ONE_AT_MOST},
    15: {
        18: ONE_AT_MOST,
        17: ONE_AT_LEAST,
        14: ONE_AT_MOST,
        16: ONE_AT_MOST,
        4: ONE_AT_MOST,
        8: ONE_AT_MOST,
    },
    16: {12: ONE_AT_MOST, 13: ONE_AT_MOST},
    17: {5: ONE_AT_MOST, 9: ONE_AT_MOST},
    18: {5: ONE_AT_MOST, 9: ONE_AT_MOST},
}
"""Attributes of the grouped attributes, by type (RFC 8855 §5.2.14 to §5.2.18)."""


def priority_name(code: int) -> str:
    """The priority that a value stands for (RFC 8855 §5.2.4)."""
    return PRIORITIES.get(code) or f"unknown ({code}), read as {PRIORITIES[4]}"


def listed_name(octet: int) -> str:
    """The attribute type in the upper seven bits of an octet; the lowest bit is reserved (RFC 8855 §5.2.10)."""
    code = octet >> 1
    return (ATTRIBUTES.get(code) or f"unknown ({code})") + (", reserved bit set" if octet & 1 else "")


def listed(*types: int) -> list[int]:
    """Attribute types as the octets of SUPPORTED-ATTRIBUTES and of the details of error 4 (RFC 8855 §5.2.10)."""
    return [code << 1 for code in types]
