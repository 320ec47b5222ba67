"""SPEC 1: signed notes, keys and documents."""

import re
import unicodedata

from .edwards import holds_with_cofactor, public_key_ok
from .fault import Fault, need
from .notation import parse_json, sha256, shape, unbase64
from .sodium import ed25519_holds

ED25519 = 1
COSIGNATURE = 4
MAX_NOTE = 1 << 20
MAX_LINES = 16


def name_ok(name):
    if not 1 <= len(name.encode()) <= 255:
        return False
    return not any(c == "+" or c.isspace() or c < " " for c in name)


class Key:
    """A verifier key: name, algorithm, public bytes and key id."""

    _read = {}

    def __init__(self, vkey):
        self.vkey = vkey
        parts = vkey.split("+", 2)
        need(len(parts) == 3, "a verifier key has three parts")
        self.name = parts[0]
        need(name_ok(self.name), "a key's name")
        raw = unbase64(parts[2])
        algorithms = (ED25519, COSIGNATURE)
        need(len(raw) == 33 and raw[0] in algorithms, "a verifier key's algorithm or length")
        self.algorithm, self.public = raw[0], raw[1:]
        self.id = sha256(self.name.encode() + b"\n" + raw)[:4]
        need(parts[1] == self.id.hex(), "a verifier key's id")
        need(public_key_ok(self.public), "a public key that is not canonical or of small order")

    @classmethod
    def of(cls, vkey):
        """The key of this text; each text is read once, since files name the same keys often."""
        if vkey not in cls._read:
            cls._read[vkey] = Key(vkey)
        return cls._read[vkey]

    def holds(self, message, blob):
        """Whether the blob of a signature line is this key's signature on the message."""
        if self.algorithm == ED25519:
            return ed25519_holds(self.public, message, blob)
        if len(blob) != 72 or blob[0] >= 0x80:
            return False
        time = int.from_bytes(blob[:8], "big")
        signed = b"cosignature/v1\ntime %d\n" % time + message
        return ed25519_holds(self.public, signed, blob[8:])

    def holds_under_statement(self, message, blob):
        """The same for a statement, whose rule has the cofactor.

        What holds without it holds with it: the slow arithmetic is for the others only.
        """
        if self.holds(message, blob):
            return True
        return self.algorithm == ED25519 and holds_with_cofactor(self.public, message, blob)


def is_vkey(v):
    """The form of a member that is a verifier key."""
    return isinstance(v, str) and bool(Key.of(v))


class Note:
    """A note of the right form: its text, its signature lines and its digest."""

    def __init__(self, data):
        """Step form."""
        need(len(data) <= MAX_NOTE, "a note of more than 1 MiB")
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            raise Fault("a note that is not UTF-8")
        cut = data.rfind(b"\n\n")
        need(cut >= 0, "a note without an empty line")
        self.text, tail = data[: cut + 1], data[cut + 2 :]
        need(not any(b < 0x20 and b != 10 for b in self.text), "a control character in a note")
        need(tail.endswith(b"\n"), "a note without its last newline")
        rows = tail[:-1].decode().split("\n")
        need(1 <= len(rows) <= MAX_LINES, "a note with %d signature lines" % len(rows))
        self.lines = [_signature_line(row) for row in rows]
        self.digest = "sha256:" + sha256(self.text).hex()

    def verify(self, keys, every=False):
        """The other steps. Returns the keys that signed, in the order of the lines.

        `every` is SPEC 11.4: no line of an unknown key and no key twice.
        """
        table, signed = known_keys(keys), []
        for name, key_id, blob in self.lines:
            key = table.get((name, key_id))
            if key is None or key in signed:
                need(not every, "a line of %s that is not known here or stands twice" % name)
                continue
            need(key.holds(self.text, blob), "the signature of %s does not hold" % name)
            signed.append(key)
        need(signed, "no signature of a known key")
        return signed

    def time_of(self, key):
        """When a cosigner says that it signed, in seconds since 1970."""
        blobs = [b for name, key_id, b in self.lines if (name, key_id) == (key.name, key.id)]
        return int.from_bytes(blobs[0][:8], "big")

    def document(self, kind, of):
        """Documents: one JSON object on one line behind the kind."""
        head = b"countersign/%s/v1\n" % kind.encode()
        need(self.text.startswith(head), "not a %s" % kind)
        line = self.text[len(head) : -1].decode()
        braces = line.startswith("{") and line.endswith("}")
        need(braces, "a document that is not one object on one line")
        need(not has_control_character(line), "a control character in a document")
        need("\\" not in ESCAPES.sub("", line), "another escape in a document")
        return shape(parse_json(line), of, kind)


def _signature_line(row):
    parts = row.split(" ")
    three = len(parts) == 3 and parts[0] == "\u2014"
    need(three and name_ok(parts[1]), "a malformed signature line")
    raw = unbase64(parts[2])
    need(len(raw) >= 5, "a signature line without a signature")
    return parts[1], raw[:4], raw[4:]


def known_keys(keys):
    """Keys by name and id; two different ones of one name and id are refused."""
    table = {}
    for key in keys:
        other = table.setdefault((key.name, key.id), key)
        same = other.public == key.public and other.algorithm == key.algorithm
        need(same, "two known keys of one name and id")
    return table


# All that a text without other control characters needs.
ESCAPES = re.compile(r'\\["\\nrt]')


def has_control_character(line):
    """Unicode category Cc. Bytes below 0x20 but newline were refused with the note's form."""
    if line.isascii():
        return "\x7f" in line or "\n" in line
    return any(unicodedata.category(c) == "Cc" for c in line)
