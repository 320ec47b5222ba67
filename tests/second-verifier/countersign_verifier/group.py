"""SPEC 6: points and scalars of ristretto255."""

from . import sodium
from .edwards import P
from .fault import need

ORDER = (1 << 252) + 27742317777372353535851937790883648493
IDENTITY = bytes(32)
point_add = sodium.point_add


def point_ok(point):
    """Canonical, of the group, not the identity.

    libsodium before 1.0.19 does not look at the highest bit: so this does.
    """
    if len(point) != 32 or int.from_bytes(point, "little") >= P or point == IDENTITY:
        return False
    return sodium.is_valid_point(point)


def point_multiply(n, point):
    n %= ORDER
    if n == 0:
        return IDENTITY
    if n == 1:
        return point
    return sodium.scalar_multiply(n, point)


def read_scalar(hexadecimal):
    n = int.from_bytes(bytes.fromhex(hexadecimal), "little")
    need(n < ORDER, "a scalar that is not below the order")
    return n
