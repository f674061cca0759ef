"""Points of elliptic curves over prime fields, for checks that no library offers. Not for secrets that must stay so.

Times depend on the values: fit for reading captures, not for making keys.
"""

from __future__ import annotations

from dataclasses import dataclass

Point = tuple[int, int] | None
"""Affine coordinates; None is the point at infinity."""

Jacobian = tuple[int, int, int]
"""X, Y, Z, which stand for the affine coordinates X/Z² and Y/Z³; Z is 0 at infinity."""

INFINITY: Jacobian = (1, 1, 0)


@dataclass(frozen=True, slots=True)
class Curve:
    """y² = x³ + ax + b over F_p (SEC 1 §2.2.1)."""

    p: int
    a: int
    b: int

    def has(self, point: Point) -> bool:
        """Whether a point with reduced coordinates is on the curve; infinity is."""
        if point is None:
            return True
        x, y = point
        return 0 <= x < self.p and 0 <= y < self.p and (y * y - (x * x * x + self.a * x + self.b)) % self.p == 0

    def add(self, one: Point, other: Point) -> Point:
        """The sum of two points of the curve (SEC 1 §2.2.1)."""
        return self.affine(self.plus(self.projective(one), other))

    def multiply(self, factor: int, point: Point) -> Point:
        """A point added to itself some times; the factor must not be negative (SEC 1 §2.2.1)."""
        found = INFINITY
        for bit in f"{factor:b}":
            found = self.double(found)
            if bit == "1":
                found = self.plus(found, point)
        return self.affine(found)

    def projective(self, point: Point) -> Jacobian:
        """A point in Jacobian coordinates, in which sums need no inverse."""
        return INFINITY if point is None else (*point, 1)

    def affine(self, point: Jacobian) -> Point:
        """A point from its Jacobian coordinates."""
        x, y, z = point
        if z == 0:
            return None
        inverse = pow(z, -1, self.p)
        square = inverse * inverse % self.p
        return x * square % self.p, y * square * inverse % self.p

    def double(self, point: Jacobian) -> Jacobian:
        """Twice a point."""
        p, (x, y, z) = self.p, point
        if y == 0 or z == 0:
            return INFINITY
        square = y * y % p
        s = 4 * x * square % p
        m = (3 * x * x + self.a * pow(z, 4, p)) % p
        third = (m * m - 2 * s) % p
        return third, (m * (s - third) - 8 * square * square) % p, 2 * y * z % p

    def plus(self, point: Jacobian, other: Point) -> Jacobian:
        """The sum of a point and one in affine coordinates."""
        if other is None or point[2] == 0:
            return point if other is None else self.projective(other)
        p, (x, y, z) = self.p, point
        square = z * z % p
        h = (other[0] * square - x) % p
        r = (other[1] * square * z - y) % p
        if h == 0:
            return self.double(point) if r == 0 else INFINITY
        hh = h * h % p
        hhh, v = h * hh % p, x * hh % p
        third = (r * r - hhh - 2 * v) % p
        return third, (r * (v - third) - y * hhh) % p, z * h % p

    @property
    def octets(self) -> int:
        """Octets of a coordinate."""
        return -(-self.p.bit_length() // 8)

    def read(self, octets: bytes) -> Point:
        """A point in its uncompressed form; None where that is not one of the curve (SEC 1 §2.3.4)."""
        size = self.octets
        if len(octets) != 1 + 2 * size or octets[0] != 4:
            return None
        point = int.from_bytes(octets[1 : 1 + size], "big"), int.from_bytes(octets[1 + size :], "big")
        return point if self.has(point) else None

    def write(self, point: tuple[int, int]) -> bytes:
        """The uncompressed form of a point (SEC 1 §2.3.3)."""
        return b"\x04" + b"".join(one.to_bytes(self.octets, "big") for one in point)
