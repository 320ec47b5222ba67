"""libsodium: Ed25519 signatures and the group ristretto255. Nothing else of it is used."""

import ctypes
import ctypes.util
import sys

from .fault import need

PLACES = (
    "libsodium.so.23",
    "/usr/lib/x86_64-linux-gnu/libsodium.so.23",
    "/opt/homebrew/lib/libsodium.dylib",
)


def _load():
    for place in (ctypes.util.find_library("sodium"),) + PLACES:
        if not place:
            continue
        try:
            library = ctypes.CDLL(place)
        except OSError:
            continue
        need(library.sodium_init() >= 0, "libsodium does not start")
        return library
    sys.exit("libsodium is missing: apt-get install libsodium23")


_LIBRARY = _load()
_LIBRARY.crypto_sign_ed25519_verify_detached.argtypes = [
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.c_ulonglong,
    ctypes.c_char_p,
]


def ed25519_holds(public, message, signature):
    """The strict rule of SPEC 1.

    libsodium refuses s >= l, small orders and keys that are not canonical; it compares R byte by
    byte, without the cofactor.
    """
    if len(signature) != 64:
        return False
    verify = _LIBRARY.crypto_sign_ed25519_verify_detached
    return verify(signature, message, len(message), public) == 0


def point_from_uniform(uniform):
    """The map of RFC 9496 from 64 uniform bytes."""
    out = ctypes.create_string_buffer(32)
    answer = _LIBRARY.crypto_core_ristretto255_from_hash(out, uniform)
    need(answer == 0, "libsodium: from_hash")
    return out.raw


def is_valid_point(point):
    """What libsodium says; before 1.0.19 it does not look at the highest bit."""
    return _LIBRARY.crypto_core_ristretto255_is_valid_point(point) == 1


def point_add(p, q, sign=1):
    """p + q, or p - q where `sign` is negative."""
    out = ctypes.create_string_buffer(32)
    if sign > 0:
        answer = _LIBRARY.crypto_core_ristretto255_add(out, p, q)
    else:
        answer = _LIBRARY.crypto_core_ristretto255_sub(out, p, q)
    need(answer == 0, "not a point")
    return out.raw


def scalar_multiply(scalar, point):
    """The multiple of a point; libsodium refuses the identity as a result."""
    out = ctypes.create_string_buffer(32)
    answer = _LIBRARY.crypto_scalarmult_ristretto255(out, scalar.to_bytes(32, "little"), point)
    need(answer == 0, "not a point")
    return out.raw
