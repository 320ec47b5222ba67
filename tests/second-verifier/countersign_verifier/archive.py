"""SPEC 11: the zip, of which no byte is free."""

import struct
import zlib

from .fault import Fault, need

MARK = "countersign-evidence-v1"
MAX_PARTS = 65534
MAX_PATH = 128
LOCAL, CENTRAL, END = b"PK\3\4", b"PK\1\2", b"PK\5\6"


def write_zip(parts):
    """The one way in which evidence is written; `parts` are pairs of path and bytes."""
    local, central = bytearray(), bytearray()
    for path, data in parts:
        name = path.encode()
        size, checksum = len(data), zlib.crc32(data)
        sizes = (checksum, size, size, len(name), 0)
        common = struct.pack("<HHHHHIIIHH", 10, 0, 0, 0, 0x21, *sizes)
        behind = struct.pack("<HHHII", 0, 0, 0, 0x81A40000, len(local))
        central += CENTRAL + struct.pack("<H", 0x030A) + common + behind + name
        local += LOCAL + common + name + data
    places = (len(parts), len(parts), len(central), len(local), 0)
    return bytes(local + central + END + struct.pack("<HHHHIIH", 0, 0, *places))


def read_zip(data):
    """The parts behind the mark.

    Reads the local headers and accepts the file only if writing its parts again gives the same
    bytes.
    """
    parts, at = [], 0
    try:
        while data[at : at + 4] == LOCAL:
            size, _, name_length = struct.unpack_from("<IIH", data, at + 18)
            name = data[at + 30 : at + 30 + name_length].decode("ascii")
            at += 30 + name_length
            parts.append((name, data[at : at + size]))
            at += size
        need(0 < len(parts) <= MAX_PARTS, "not an evidence file")
        one_way = write_zip(parts) == data
        need(one_way, "the file is not written the one way in which evidence is written")
    except (struct.error, UnicodeDecodeError):
        raise Fault("not an evidence file")
    need(parts[0] == (MARK, b""), "not an evidence file of version 1")
    names = [name for name, _ in parts[1:]]
    need(all(len(name) <= MAX_PATH for name in names), "a path of more than 128 bytes")
    in_order = all(a < b for a, b in zip(names, names[1:]))
    need(in_order, "parts are not in the order of their paths")
    return parts[1:]
