"""Code points of MIKEY.

Sources: the IANA registry "MIKEY Payload Name Spaces", RFC 3830, RFC 4442, RFC 4563, RFC 4650, RFC 4738, RFC 5410,
RFC 6043, RFC 6267, RFC 6509 and TS 33.180.
"""

from __future__ import annotations

DATA_TYPES: dict[int, str] = {
    0: "Pre-shared",
    1: "PSK ver msg",
    2: "Public key",
    3: "PK ver msg",
    4: "D-H init",
    5: "D-H resp",
    6: "Error",
    7: "DHHMAC init",
    8: "DHHMAC resp",
    9: "RSA-R I_MSG",
    10: "RSA-R R_MSG",
    11: "REQUEST_INIT_PSK",
    12: "REQUEST_INIT_PK",
    13: "REQUEST_RESP",
    14: "TRANSFER_INIT",
    15: "TRANSFER_RESP",
    16: "RESOLVE_INIT_PSK",
    17: "RESOLVE_INIT_PK",
    18: "RESOLVE_RESP",
    19: "REQUEST_KEY_PSK",
    20: "REQUEST_KEY_PKE",
    21: "REQUEST_KEY_RESP",
    22: "I_MESSAGE_1",
    23: "R_MESSAGE_1",
    24: "I_MESSAGE_2",
    25: "R_MESSAGE_2",
    26: "SAKKE msg",
}
"""HDR data type (RFC 3830 §6.1, RFC 4650, RFC 4738, RFC 6043, RFC 6267, RFC 6509)."""

LAST_PAYLOAD = 0
KEMAC, PKE, DH, SIGN, T, ID, CERT, CHASH, V, SP, RAND, ERR, TR, IDR, RANDR, TP, TICKET = range(1, 18)
KEY_DATA, GENERAL_EXTENSION, IBAKE, ESK, SK, ECCPT, SAKKE = range(20, 27)

NEXT_PAYLOADS: dict[int, str] = {
    LAST_PAYLOAD: "Last payload",
    KEMAC: "KEMAC",
    PKE: "PKE",
    DH: "DH",
    SIGN: "SIGN",
    T: "T",
    ID: "ID",
    CERT: "CERT",
    CHASH: "CHASH",
    V: "V",
    SP: "SP",
    RAND: "RAND",
    ERR: "ERR",
    TR: "TR",
    IDR: "IDR",
    RANDR: "RANDR",
    TP: "TP",
    TICKET: "TICKET",
    KEY_DATA: "Key data",
    GENERAL_EXTENSION: "General Ext.",
    IBAKE: "IBAKE",
    ESK: "ESK",
    SK: "SK",
    ECCPT: "ECCPT",
    SAKKE: "SAKKE",
}
"""Next payload (RFC 3830 §6.1)."""

VERSIONS: dict[int, str] = {1: "version 1"}
"""HDR version (RFC 3830 §6.1)."""

PRF_FUNCTIONS: dict[int, str] = {0: "MIKEY-1", 1: "PRF-HMAC-SHA-256"}
"""PRF func (RFC 3830 §6.1, RFC 6043 §6.1)."""

SRTP_ID, EMPTY_MAP, GENERIC_ID = range(3)
CS_ID_MAP_TYPES: dict[int, str] = {SRTP_ID: "SRTP-ID", EMPTY_MAP: "Empty map", GENERIC_ID: "GENERIC-ID"}
"""CS ID map type (RFC 3830 §6.1, RFC 4563 §5, RFC 6043 §6.1.1)."""

ENCRYPTION_ALGORITHMS: dict[int, str] = {0: "NULL", 1: "AES-CM-128", 2: "AES-KW-128", 3: "AES-CM-256"}
"""Encr alg of KEMAC (RFC 3830 §6.2, RFC 6043 §6.2)."""

DHHMAC_ENCRYPTION_ALGORITHMS: dict[int, str] = ENCRYPTION_ALGORITHMS | {2: "AES-KW-128, or NULL by RFC 4650 §4.2"}
"""The same in DHHMAC messages, for which RFC 4650 §4.2 has numbers of its own."""

MAC_ALGORITHMS: dict[int, str] = {0: "NULL", 1: "HMAC-SHA-1-160", 2: "HMAC-SHA-256-256"}
"""MAC alg of KEMAC and Auth alg of V (RFC 3830 §6.2, RFC 6043 §6.2)."""

DHHMAC_MAC_ALGORITHMS: dict[int, str] = MAC_ALGORITHMS | {
    0: "NULL, or HMAC-SHA-1-160 by RFC 4650 §4.2",
    1: "HMAC-SHA-1-160, or NULL by RFC 4650 §4.2",
}
"""The same in DHHMAC messages; the octets that are left tell which numbering the sender used."""

MAC_OCTETS: dict[int, int] = {0: 0, 1: 20, 2: 32}
"""Octets of a MAC by its algorithm."""

CACHE: dict[int, str] = {0: "must not be cached", 1: "must be cached", 2: "must be cached, for this CSB only"}
"""C of PKE (RFC 3830 §6.3)."""

DH_GROUPS: dict[int, str] = {0: "OAKLEY 5", 1: "OAKLEY 1", 2: "OAKLEY 2"}
"""DH group (RFC 3830 §6.4)."""

DH_OCTETS: dict[int, int] = {0: 192, 1: 96, 2: 128}
"""Octets of a DH value by its group."""

SIGNATURE_TYPES: dict[int, str] = {0: "RSA/PKCS#1/1.5", 1: "RSA/PSS", 2: "ECCSI"}
"""S type (RFC 3830 §6.5, RFC 6509 §4.3)."""

NTP_UTC, NTP, COUNTER, NTP_UTC_32 = range(4)
TS_TYPES: dict[int, str] = {NTP_UTC: "NTP-UTC", NTP: "NTP", COUNTER: "COUNTER", NTP_UTC_32: "NTP-UTC-32"}
"""TS type (RFC 3830 §6.6, RFC 6043 §6.3)."""

TS_OCTETS: dict[int, int] = {NTP_UTC: 8, NTP: 8, COUNTER: 4, NTP_UTC_32: 4}
"""Octets of a TS value by its type."""

ID_TYPES: dict[int, str] = {0: "NAI", 1: "URI", 2: "byte string"}
"""ID type (RFC 3830 §6.7, RFC 6043 §6.6)."""

CERTIFICATE_TYPES: dict[int, str] = {
    0: "X.509v3",
    1: "X.509v3 URL",
    2: "X.509v3 Sign",
    3: "X.509v3 Encr",
}
"""Cert type (RFC 3830 §6.7)."""

HASH_FUNCTIONS: dict[int, str] = {0: "SHA-1", 1: "MD5", 2: "SHA-256"}
"""Hash func of CHASH (RFC 3830 §6.8, RFC 6043 §6.7)."""

HASH_OCTETS: dict[int, int] = {0: 20, 1: 16, 2: 32}
"""Octets of a hash by its function."""

SRTP, TESLA = range(2)
PROT_TYPES: dict[int, str] = {SRTP: "SRTP", TESLA: "TESLA"}
"""Prot type (RFC 3830 §6.10, RFC 4442 §4.2).

TS 33.328 Annex H gives TLS, PSK S/MIME and application specific protocols values of their own, which IANA has not
registered: whoever knows the numbers in use adds them here, and views show the names.
"""

ERRORS: dict[int, str] = {
    0: "Auth failure",
    1: "Invalid TS",
    2: "Invalid PRF",
    3: "Invalid MAC",
    4: "Invalid EA",
    5: "Invalid HA",
    6: "Invalid DH",
    7: "Invalid ID",
    8: "Invalid Cert",
    9: "Invalid SP",
    10: "Invalid SPpar",
    11: "Invalid DT",
    12: "Unspecified error",
    13: "Unsupported message type",
    14: "Invalid TICKET",
    15: "Invalid TPpar",
}
"""Error no (RFC 3830 §6.12, RFC 4738 §3.9.2, RFC 6043 §6.9)."""

KEY_DATA_TYPES: dict[int, str] = {
    0: "TGK",
    1: "TGK+SALT",
    2: "TEK",
    3: "TEK+SALT",
    4: "GTGK",
    5: "GTGK+SALT",
    6: "MPK",
    7: "K_PR",
}
"""Key data type (RFC 3830 §6.13, RFC 6043 §6.11, RFC 6267 §6.1)."""

SALTED_KEY_DATA_TYPES = frozenset({1, 3, 5})
"""Key data types that carry a salt."""

KV_NULL, KV_SPI, KV_INTERVAL = range(3)
KV_TYPES: dict[int, str] = {KV_NULL: "Null", KV_SPI: "SPI", KV_INTERVAL: "Interval"}
"""KV, key validity (RFC 3830 §6.14)."""

EXTENSION_TYPES: dict[int, str] = {
    0: "Vendor ID",
    1: "SDP IDs",
    2: "TESLA I-Key",
    3: "Key ID",
    4: "CSB_ID",
    5: "OMA BCAST",
    6: "SAKKE-to-self",
    7: "3GPP key parameters",
}
"""General extension type (RFC 3830 §6.15, RFC 4442, RFC 4563, RFC 4738, RFC 5410, TS 33.180)."""

KEY_ID_TYPES: dict[int, str] = {
    0: "MBMS Key Domain ID",
    1: "MBMS Service Key ID",
    2: "MBMS Traffic Key ID",
}
"""Key ID type (RFC 4563 §4). The registry spells the last one "Transport"."""

OMA_BCAST_SUBTYPES: dict[int, str] = {
    0: "reserved",
    1: "LTKM",
    2: "STKM",
    3: "LTKM Reporting",
    4: "Parental Control",
}
"""OMA BCAST subtype (RFC 5410 §3)."""

TS_ROLES: dict[int, str] = {
    0: "reserved",
    1: "TRi, time of issue",
    2: "TRs, start of validity",
    3: "TRe, end of validity",
    4: "TRr, rekeying interval",
    255: "reserved",
}
"""TS Role (RFC 6043 §6.4)."""

ID_ROLES: dict[int, str] = {
    0: "reserved",
    1: "IDRi",
    2: "IDRr",
    3: "IDRkms",
    4: "IDRpsk",
    5: "IDRapp",
    6: "IDRkmsi",
    7: "IDRkmsr",
    8: "IDRuidi",
    9: "IDRuidr",
    255: "reserved",
}
"""ID Role (RFC 6043 §6.6, RFC 6509 §4.4, TS 33.180)."""

RAND_ROLES: dict[int, str] = {0: "reserved", 1: "RANDRi", 2: "RANDRr", 3: "RANDRkms", 255: "reserved"}
"""RAND Role (RFC 6043 §6.8)."""

TICKET_TYPES: dict[int, str] = {0: "reserved", 1: "MIKEY base ticket", 2: "3GPP base ticket", 65535: "reserved"}
"""Ticket Type (RFC 6043 §6.10)."""

TICKET_FLAGS: dict[str, tuple[str, str]] = {
    "D": ("generated by the Initiator", "generated by the KMS"),
    "E": ("the Responder may resolve it alone", "Ticket Resolve is mandatory"),
    "F": ("TRANSFER_RESP shall not be sent", "TRANSFER_RESP shall be sent"),
    "G": ("the Responder shall not generate RANDRr", "the Responder shall generate RANDRr"),
    "H": ("RANDRi is not used in deriving from TGK or GTGK", "RANDRi is used in deriving from TGK or GTGK"),
    "I": ("no key forking", "key forking"),
    "J": ("may not be reused", "may be reused"),
    "K": ("the KMS changed nothing", "the KMS changed the requested policy or KEMAC"),
    "L": ("the Initiator shall not supply session keys", "the Initiator may supply session keys"),
    "M": ("the Responder shall not supply session keys", "the Responder may supply session keys"),
    "N": ("an Initiator needs extra processing", "any Initiator of RFC 6043 can use it"),
    "O": ("a Responder needs extra processing", "any Responder of RFC 6043 can process it"),
}
"""Flags of the ticket policy (RFC 6043 §6.10): what 0 and 1 mean."""

FLAG_IMPLICATIONS: tuple[tuple[str, int, str, int], ...] = (
    ("D", 0, "L", 1),
    ("G", 1, "F", 1),
    ("G", 0, "H", 1),
    ("I", 1, "E", 1),
    ("K", 1, "D", 1),
    ("M", 1, "F", 1),
)
"""A flag with a value demands another one with a value (RFC 6043 §6.10)."""

ECC_CURVES: dict[int, str] = {
    0: "reserved",
    1: "P-192",
    2: "B-163",
    3: "K-163",
    4: "sect163r1",
    5: "P-224",
    6: "B-233",
    7: "K-233",
    8: "P-256",
    9: "B-283",
    10: "K-283",
    11: "P-384",
    12: "B-409",
    13: "K-409",
    14: "P-521",
    15: "B-571",
    16: "K-571",
    255: "reserved",
}
"""ECC curve of ECCPT (RFC 6267 §6.1)."""

COORDINATE_OCTETS: dict[int, int] = {
    1: 24, 2: 21, 3: 21, 4: 21, 5: 28, 6: 30, 7: 30, 8: 32, 9: 36, 10: 36, 11: 48, 12: 52, 13: 52, 14: 66,
    15: 72, 16: 72,
}  # fmt: skip
"""Octets of one coordinate of a point, by its curve."""

SK_TYPES: dict[int, str] = {0: "reserved", 1: "Secret Key"}
"""Type of SK (RFC 6267 §6.1)."""

SAKKE_PARAMETERS: dict[int, str] = {0: "reserved", 1: "Parameter Set 1", 255: "reserved"}
"""SAKKE params (RFC 6509 §4.2)."""

ID_SCHEMES: dict[int, str] = {
    0: "reserved",
    1: "tel URI with monthly keys",
    2: "3GPP MCX hashed UID",
    255: "reserved",
}
"""ID scheme of SAKKE (RFC 6509 §4.2, TS 33.180)."""

SRTP_PARAMETERS: dict[int, str] = {
    0: "Encryption algorithm",
    1: "Session Encr. key length",
    2: "Authentication algorithm",
    3: "Session Auth. key length",
    4: "Session Salt key length",
    5: "SRTP Pseudo Random Function",
    6: "Key derivation rate",
    7: "SRTP encryption off/on",
    8: "SRTCP encryption off/on",
    9: "Sender's FEC order",
    10: "SRTP authentication off/on",
    11: "Authentication tag length",
    12: "SRTP prefix length",
    13: "ROC transmission rate",
    14: "SRTP Auth. algorithm",
    15: "SRTCP Auth. algorithm",
    16: "SRTP Session Auth. key length",
    17: "SRTCP Session Auth. key length",
    18: "SRTP Authentication tag length",
    19: "SRTCP Authentication tag length",
    20: "AEAD authentication tag length",
}
"""Types of SRTP policy parameters (RFC 3830 §6.10.1, RFC 4771 §4, RFC 7714 §14.3)."""

SRTP_ENCRYPTION_ALGORITHMS: dict[int, str] = {
    0: "NULL",
    1: "AES-CM",
    2: "AES-F8",
    3: "SEED-CTR",
    4: "SEED-CCM",
    5: "SEED-GCM",
    6: "AES-GCM",
    7: "ARIA-CTR",
    8: "ARIA-GCM",
}
"""SRTP encryption algorithm (RFC 3830 §6.10.1, RFC 5748, RFC 7714 §14.3, RFC 8269)."""

SRTP_AUTHENTICATION_ALGORITHMS: dict[int, str] = {0: "NULL", 1: "HMAC-SHA-1", 2: "RCCm1", 3: "RCCm2", 4: "RCCm3"}
"""SRTP authentication algorithm (RFC 3830 §6.10.1, RFC 4771 §4)."""

SRTP_PRFS: dict[int, str] = {0: "AES-CM", 1: "SEED-CTR", 2: "ARIA-CTR"}
"""SRTP PRF (RFC 3830 §6.10.1, RFC 5748, RFC 8269)."""

OFF_ON: dict[int, str] = {0: "off", 1: "on"}
"""SRTP and SRTCP encryption, SRTP authentication (RFC 3830 §6.10.1)."""

FEC_ORDERS: dict[int, str] = {0: "FEC first, then SRTP"}
"""Sender's FEC order (RFC 3830 §6.10.1)."""

SRTP_PARAMETER_VALUES: dict[int, dict[int, str]] = {
    0: SRTP_ENCRYPTION_ALGORITHMS,
    2: SRTP_AUTHENTICATION_ALGORITHMS,
    5: SRTP_PRFS,
    7: OFF_ON,
    8: OFF_ON,
    9: FEC_ORDERS,
    10: OFF_ON,
    14: SRTP_AUTHENTICATION_ALGORITHMS,
    15: SRTP_AUTHENTICATION_ALGORITHMS,
}
"""Names of values, by the type of the SRTP policy parameter."""

TESLA_PARAMETERS: dict[int, str] = {
    1: "PRF identifier",
    2: "Length of PRF output",
    3: "Identifier of MAC",
    4: "Length of MAC output",
    5: "Start of session",
    6: "Interval duration",
    7: "Key disclosure delay",
    8: "Key chain length",
    9: "Local timestamp media receiver",
}
"""Types of TESLA policy parameters (RFC 4442 §4.2)."""

TESLA_FUNCTIONS: dict[int, str] = {0: "HMAC-SHA1"}
"""TESLA PRF and MAC (RFC 4442 §4.2)."""

TESLA_PARAMETER_VALUES: dict[int, dict[int, str]] = {1: TESLA_FUNCTIONS, 3: TESLA_FUNCTIONS}
"""Names of values, by the type of the TESLA policy parameter."""

KEY_PARAMETER_ALGORITHMS: dict[int, str] = {1: "AES-128-GCM", 2: "AES-256-GCM"}
"""Algorithm of the protected 3GPP key parameters (TS 33.180 Annex E)."""

KEY_PARAMETER_KEY_TYPES: dict[int, str] = {
    0: "GMK",
    1: "PCK",
    2: "CSK",
    3: "SPK",
    4: "MKFC",
    5: "MSCCK",
    6: "MuSiK",
}
"""Key type of the 3GPP key parameters (TS 33.180 Annex E)."""
