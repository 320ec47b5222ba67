"""The curve of Ed25519 (RFC 8032 5.1): what SPEC 1 asks and libsodium does not answer.

libsodium tells of a key only together with a signature; SPEC 1 refuses a bad key before that. And
it knows the equation without the cofactor only, which is not the one for statements.
Points are pairs (x, y) on -x^2 + y^2 = 1 + d x^2 y^2 modulo P.
"""

import hashlib

P = (1 << 255) - 19
ORDER = (1 << 252) + 27742317777372353535851937790883648493
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


def extended(point):
    """X, Y, Z, T with x = X/Z, y = Y/Z, T = XY/Z: sums need no division (RFC 8032 5.1.4)."""
    x, y = point
    return x, y, 1, x * y % P


def affine(point):
    x, y, z, _ = point
    z = inverse(z)
    return x * z % P, y * z % P


def add_extended(one, other):
    x1, y1, z1, t1 = one
    x2, y2, z2, t2 = other
    a, b = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    c, d = 2 * D * t1 * t2 % P, 2 * z1 * z2 % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def add(one, other):
    return affine(add_extended(extended(one), extended(other)))


def multiply(n, point):
    total, power = extended(IDENTITY), extended(point)
    while n:
        if n & 1:
            total = add_extended(total, power)
        power, n = add_extended(power, power), n >> 1
    return affine(total)


def negative(point):
    x, y = point
    return (P - x) % P, y


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


BASE = decode(bytes.fromhex("58" + "66" * 31))


def holds_with_cofactor(public, message, signature):
    """SPEC 1, the rule for statements: 8 (s B - R - k A) is the neutral point.

    The key was judged when it was read.
    """
    if len(signature) != 64:
        return False
    r, s = decode(signature[:32]), int.from_bytes(signature[32:], "little")
    if r is None or has_small_order(r) or s >= ORDER:
        return False
    challenge = hashlib.sha512(signature[:32] + public + message).digest()
    k = int.from_bytes(challenge, "little") % ORDER
    rest = add(multiply(s, BASE), negative(add(r, multiply(k, decode(public)))))
    return has_small_order(rest)
