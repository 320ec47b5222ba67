"""SPEC 6: generators, blindings and commitments."""

import hashlib
import hmac
import struct

from .group import ORDER, point_add, point_multiply
from .sodium import point_from_uniform


def expand_message_xmd(message, dst, length=64):
    """RFC 9380 5.3.1 with SHA-512."""
    dst += bytes([len(dst)])
    head = bytes(128) + message + struct.pack(">H", length) + b"\0" + dst
    b0 = hashlib.sha512(head).digest()
    block, out = bytes(64), b""
    for i in range(1, -(-length // 64) + 1):
        mixed = bytes(x ^ y for x, y in zip(b0, block))
        block = hashlib.sha512(mixed + bytes([i]) + dst).digest()
        out += block
    return out[:length]


def generator(role, message):
    dst = b"countersign-V1-%s-ristretto255_XMD:SHA-512_R255MAP_RO_" % role.encode()
    return point_from_uniform(expand_message_xmd(message, dst))


BLIND = generator("blind", b"blind")


def column_generator(schema_digest, column):
    return generator("column", (schema_digest + "\n" + column).encode())


def blinding(period_key, event):
    """r of an event's row, from the month's key and the event id."""
    code = hmac.new(period_key, event.encode(), hashlib.sha512).digest()
    return int.from_bytes(code, "little") % ORDER


def commitment(terms, r):
    """The sum of x * G over the terms (x, G), plus r * B. Equal x share one multiplication."""
    groups = {}
    for x, base in terms:
        if x:
            groups[x] = point_add(groups[x], base) if x in groups else base
    total = point_multiply(r, BLIND)
    for x, base in groups.items():
        total = point_add(total, point_multiply(x, base))
    return total


def add_row(total, row, sign):
    """S with one row's commitment added, or taken back where `sign` is negative."""
    return point_add(total, bytes.fromhex(row), sign)
