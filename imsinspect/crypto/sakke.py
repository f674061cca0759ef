"""SAKKE: a shared secret, encapsulated for an identity, with Parameter Set 1 (RFC 6508, RFC 6509 Appendix A)."""

from __future__ import annotations

import hashlib

from imsinspect.crypto.curves import Curve, Point

_P = int(
    "997abb1f0a563fda65c61198dad0657a416c0ce19cb48261be9ae358b3e01a2ef40aab27e2fc0f1b228730d531a59cb0e791b39f"
    "f7c88a19356d27f4a666a6d0e26c6487326b4cd4512ac5cd65681ce1b6aff4a831852a82a7cf3c521c3c09aa9f94d6af56971f1f"
    "fce3e82389857db080c5df10ac7ace87666d807afea85feb",
    16,
)
_Q = int(
    "265eaec7c2958ff69971846636b4195e905b0338672d20986fa6b8d62cf8068bbd02aac9f8bf03c6c8a1cc354c69672c39e46ce7"
    "fdf222864d5b49fd2999a9b4389b1921cc9ad335144ab173595a07386dabfd2a0c614aa0a9f3cf14870f026aa7e535abd5a5c7c7"
    "ff38fa08e2615f6c203177c42b1eb3a1d99b601ebfaa17fb",
    16,
)
_GENERATOR = (
    int(
        "53fc09ee332c29ad0a7990053ed9b52a2b1a2fd60aec69c698b2f204b6ff7cbfb5edb6c0f6ce2308ab10db9030b09e1043d5f22c"
        "db9dfa55718bd9e7406ce8909760af765dd5bccb337c86548b72f2e1a702c3397a60de74a7c1514dba66910dd5cfb4cc80728d87"
        "ee9163a5b63f73ec80ec46c4967e0979880dc8abeae63895",
        16,
    ),
    int(
        "0a8249063f6009f1f9f1f0533634a135d3e82016029906963d778d821e141178f5ea69f4654ec2b9e7f7f5e5f0de55f66b598ccf"
        "9a140b2e416cff0ca9e032b970dae117ad547c6ccad696b5b7652fe0ac6f1e80164aa989492d979fc5a4d5f213515ad7e9cb99a9"
        "80bdad5ad5bb4636adb9b5706a67dcde75573fd71bef16d7",
        16,
    ),
)
_G = int(
    "66fc2a432b6ea392148f15867d623068c6a87bd1fb94c41e27fabe658e015a87371e94744c96feda449ae9563f8bc446cbfda85d"
    "5d00ef577072da8f541721beee0faed1828eab90b99dfb0138c7843355df0460b4a9fd74b4f1a32bcafa1ffad682c033a7942bcc"
    "e3720f20b9b7b0403c8cae87b7a0042acde0fab36461ea46",
    16,
)

_CURVE = Curve(_P, -3, 0)
_SECRET_BITS = 128  # n
_SECRET_OCTETS = _SECRET_BITS // 8
_POINT_OCTETS = 1 + 2 * _CURVE.octets

ENCAPSULATED_OCTETS = _POINT_OCTETS + _SECRET_OCTETS
"""The point R and the secret under its mask (RFC 6508 §4, whose formula takes bits for octets)."""

Complex = tuple[int, int]
"""a + ib of F_p², where i² = -1 (RFC 6508 §3.1)."""


def hash_to_range(data: bytes, limit: int) -> int:
    """A number below a limit, from octets (RFC 6508 §5.1)."""
    digest = hashlib.sha256(data).digest()
    link, found = bytes(32), b""
    for _ in range(-(-(limit - 1).bit_length() // 256)):
        link = hashlib.sha256(link).digest()
        found += hashlib.sha256(link + digest).digest()
    return int.from_bytes(found, "big") % limit


def pairing(one: tuple[int, int], other: tuple[int, int]) -> int | None:
    """The Tate-Lichtenbaum pairing of two points of order q, as b/a of a + ib; None where it is not defined.

    RFC 6508 §3.2.
    """
    # A line may be multiplied by anything of F_p, which the ratio at the end does not see: so none is divided.
    p, (x1, y1), (u, v) = _P, one, other
    found: Complex = (1, 0)
    at = _CURVE.projective(one)
    for bit in f"{_Q - 1:b}"[1:]:
        x, y, z = at
        if y == 0 or z == 0:
            return None
        square = z * z % p
        slope = 3 * (x * x - square * square) % p
        line = (slope * (u * square + x) - 2 * y * y) % p, 2 * y * z * square % p * v % p
        found = _times(_times(found, found), line)
        at = _CURVE.double(at)
        if bit == "1":
            x, y, z = at
            square = z * z % p
            slope, run = (y - y1 * square * z) % p, z * (x - x1 * square) % p
            if run == 0:
                return None
            found = _times(found, ((slope * (u + x1) - y1 * run) % p, run * v % p))
            at = _CURVE.plus(at, one)
    return _ratio(_power(found, (_P + 1) // _Q))


def power_of_g(exponent: int) -> int:
    """g to an exponent, as b/a of a + ib (RFC 6508 §2.2, §6.2.1)."""
    return _ratio(_power((1, _G), exponent)) or 0


def decapsulate(identifier: bytes, rsk: bytes, public_key: bytes, encapsulated: bytes) -> bytes | None:
    """The Shared Secret Value for an identifier. None where it does not verify, as with another's key. RFC 6508 §6.2.2.

    `rsk` is the Receiver Secret Key, `public_key` the KMS Public Key Z; ValueError where one is no point of the curve.
    """
    secret, z = _point_of(rsk, "Receiver Secret Key"), _point_of(public_key, "KMS Public Key")
    r_octets, masked = encapsulated[:_POINT_OCTETS], encapsulated[_POINT_OCTETS:]
    r_point = _CURVE.read(r_octets)
    if r_point is None or len(masked) != _SECRET_OCTETS:
        return None
    w = pairing(r_point, secret)
    if w is None:
        return None
    ssv = _masked(masked, w)
    return ssv if _encapsulating_point(identifier, z, ssv) == r_point else None


def encapsulate(identifier: bytes, public_key: bytes, ssv: bytes) -> bytes:
    """A Shared Secret Value of 16 octets for an identifier (RFC 6508 §6.2.1).

    ValueError for another size, and where the KMS Public Key Z is no point of the curve.
    """
    if len(ssv) != _SECRET_OCTETS:
        raise ValueError(f"a shared secret has {_SECRET_OCTETS} octets, not {len(ssv)}")
    point = _encapsulating_point(identifier, _point_of(public_key, "KMS Public Key"), ssv)
    if point is None:
        raise ValueError("the KMS Public Key does not go with this identifier")
    return _CURVE.write(point) + _masked(ssv, power_of_g(_exponent(identifier, ssv)))


def secret_key_is_of(identifier: bytes, rsk: bytes, public_key: bytes) -> bool:
    """Whether a Receiver Secret Key is that of an identifier (RFC 6508 §6.1.2). ValueError as in `decapsulate`."""
    public = _recipient(identifier, _point_of(public_key, "KMS Public Key"))
    return public is not None and pairing(public, _point_of(rsk, "Receiver Secret Key")) == _G


def _point_of(octets: bytes, what: str) -> tuple[int, int]:
    point = _CURVE.read(octets)
    if point is None:
        raise ValueError(f"a {what} must be a point of the curve, in {_POINT_OCTETS} octets")
    return point


def _recipient(identifier: bytes, z: tuple[int, int]) -> Point:
    """[b]P + Z, the public key of an identifier."""
    return _CURVE.add(_CURVE.multiply(int.from_bytes(identifier, "big") % _Q, _GENERATOR), z)


def _exponent(identifier: bytes, ssv: bytes) -> int:
    return hash_to_range(ssv + identifier, _Q)


def _encapsulating_point(identifier: bytes, z: tuple[int, int], ssv: bytes) -> Point:
    return _CURVE.multiply(_exponent(identifier, ssv), _recipient(identifier, z))


def _masked(octets: bytes, w: int) -> bytes:
    mask = hash_to_range(w.to_bytes(_CURVE.octets, "big"), 1 << _SECRET_BITS)
    return (int.from_bytes(octets, "big") ^ mask).to_bytes(_SECRET_OCTETS, "big")


def _times(one: Complex, other: Complex) -> Complex:
    (a, b), (c, d) = one, other
    return (a * c - b * d) % _P, (a * d + b * c) % _P


def _power(base: Complex, exponent: int) -> Complex:
    found: Complex = (1, 0)
    for bit in f"{exponent:b}":
        found = _times(found, found)
        if bit == "1":
            found = _times(found, base)
    return found


def _ratio(value: Complex) -> int | None:
    return value[1] * pow(value[0], -1, _P) % _P if value[0] else None
