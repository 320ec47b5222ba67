"""The curve of Ed25519 (RFC 8032 5.1), as far as a public key must be judged when it is read.

libsodium tells of a key only together with a signature. SPEC 1 refuses a bad key before that.
Points are pairs (x, y) on -x^2 + y^2 = 1 + d x^2 y^2 modulo P.
"""

P = (1 << 255) - 19
D = -121665 * pow(121666, P - 2, P) % P
SQUARE_ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
IDENTITY = (0, 1)


def inverse(n):
    return pow(n, P - 2, P)


def square_root_of_ratio(u, v):
    """A square root of u / v modulo P, or None (RFC 8032 5.1.3, step 3)."""
    root = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    square = v * root * root % P
    if square == u:
        return root
    if square == P - u:
        return root * SQUARE_ROOT_OF_MINUS_ONE % P
    return None


def decode(encoded):
    """The point of 32 bytes, or None where they are not its canonical encoding."""
    if len(encoded) != 32:
        return None
    number = int.from_bytes(encoded, "little")
    y, sign = number & ((1 << 255) - 1), number >> 255
    if y >= P:
        return None
    x = square_root_of_ratio((y * y - 1) % P, (D * y * y + 1) % P)
    if x is None or (x == 0 and sign):
        return None
    return (P - x if x % 2 != sign else x), y


def encode(point):
    x, y = point
    return (y | (x % 2) << 255).to_bytes(32, "little")


def double(point):
    x, y = point
    t = D * x * x % P * y * y % P
    doubled_x = 2 * x * y * inverse((1 + t) % P) % P
    doubled_y = (y * y + x * x) * inverse((1 - t) % P) % P
    return doubled_x, doubled_y


def has_small_order(point):
    """Eight times the point is the identity exactly for the eight points of small order."""
    return double(double(double(point))) == IDENTITY


def public_key_ok(public):
    """Canonical, on the curve, not of small order (SPEC 1).

    Not asked: to be in the subgroup of prime order.
    """
    point = decode(public)
    return point is not None and not has_small_order(point)
