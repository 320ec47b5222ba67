#!/usr/bin/env python3
"""Second verifier of Countersign evidence, written from protocol/SPEC.md alone (no line of the Rust code was read).

    verify.py FILE --root VKEY [--json]

FILE is an evidence zip (SPEC 11) or a disclosure (SPEC 10). Nothing is trusted but the file and the root key. Exit code: 0 no check
fails, 1 a check fails, 2 the file cannot be verified at all. The sections of this file follow those of SPEC.md.

Not checked: that `counts` of a clear statement follow from its fields (SPEC 7, "Clear rows": CEL conditions), the targets of plans,
`frozen`, and what SPEC 12 says version 1 does not show. `counts` are checked in form and summed.
"""
import argparse
import base64
import calendar
import ctypes
import ctypes.util
import datetime
import hashlib
import hmac
import itertools
import json
import re
import struct
import sys
import unicodedata
import zlib

CHECKS = ("authorship", "arithmetic", "history", "binding", "timeliness")
NOT_CHECKED = "counts of clear statements are summed as signed, not derived from their fields (CEL conditions are out of scope)"
TIERS = {"county": 0, "city": 1, "province": 2}
ROLES = {"recorder", "preparer", "reviewer", "head"}
BIG = 1 << 53


class Fault(Exception):
    """The first thing that contradicts. Inside a check it fails the check; outside of one the file is refused."""


def need(condition, why):
    if not condition:
        raise Fault(why)


def sha256(data):
    return hashlib.sha256(data).digest()


# ---- libsodium -------------------------------------------------------------------------------------------------------------------

def load_sodium():
    for name in (ctypes.util.find_library("sodium"), "libsodium.so.23", "/usr/lib/x86_64-linux-gnu/libsodium.so.23",
                 "/opt/homebrew/lib/libsodium.dylib"):
        try:
            if name:
                lib = ctypes.CDLL(name)
                need(lib.sodium_init() >= 0, "libsodium does not start")
                return lib
        except OSError:
            continue
    sys.exit("libsodium is missing: apt-get install libsodium23")


SODIUM = load_sodium()
SODIUM.crypto_sign_ed25519_verify_detached.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulonglong, ctypes.c_char_p]


def ed25519_holds(public, message, signature):
    """The strict rule of SPEC 1: libsodium refuses s >= l, small orders and uncanonical keys; it compares R byte by byte, no cofactor."""
    return len(signature) == 64 and SODIUM.crypto_sign_ed25519_verify_detached(signature, message, len(message), public) == 0


P = (1 << 255) - 19
D = -121665 * pow(121666, P - 2, P) % P


def ed25519_key_ok(public):
    """Canonically encoded, on the curve, not of small order (SPEC 1). Not asked: to be in the subgroup of prime order."""
    y, sign = int.from_bytes(public, "little") & ((1 << 255) - 1), public[31] >> 7
    if len(public) != 32 or y >= P:
        return False
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if v * x * x % P == P - u and u:
        x = x * pow(2, (P - 1) // 4, P) % P
    if v * x * x % P != u or (x == 0 and sign):
        return False
    for _ in range(3):  # 8 * A is the identity (0, 1) exactly for small orders; doubling on -x^2 + y^2 = 1 + d x^2 y^2
        t = D * x * x % P * y * y % P
        x, y = 2 * x * y * pow(1 + t, P - 2, P) % P, (y * y + x * x) * pow(1 - t, P - 2, P) % P
    return (x, y) != (0, 1)


# ---- Words of SPEC.md's notation ---------------------------------------------------------------------------------------------------

def unbase64(text):
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError as e:
        raise Fault("base64: %s" % e)
    need(base64.b64encode(raw).decode() == text, "base64 with another spelling")
    return raw


def matches(pattern):
    compiled = re.compile(pattern)
    return lambda v: isinstance(v, str) and compiled.fullmatch(v) is not None


def integer(low, high):
    return lambda v: isinstance(v, int) and not isinstance(v, bool) and low <= v <= high


def is_time(v):
    if not matches(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")(v):
        return False
    try:
        return bool(instant(v))
    except ValueError:
        return False


def instant(text):
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")


def is_day(v):
    return matches("[0-9]{4}-[0-9]{2}-[0-9]{2}")(v) and is_time(v + "T00:00:00Z")


def is_vkey(v):
    return isinstance(v, str) and bool(Key.of(v))


text = lambda v: isinstance(v, str)
boolean = lambda v: isinstance(v, bool)
scalar_value = lambda v: isinstance(v, (str, bool)) or signed_number(v)
number = integer(0, (1 << 64) - 1)              # refused as malformed only outside of 64 bits;
signed_number = integer(-(1 << 63), (1 << 63) - 1)  # the check that uses a number judges that it is below 2^53
small = integer(1, (1 << 32) - 1)
digest = matches("sha256:[0-9a-f]{64}")
hex32 = matches("[0-9a-f]{64}")
month = matches("(19|[2-9][0-9])[0-9]{2}-(0[1-9]|1[0-2])")
unit_id = matches("[0-9A-Za-z]{1,16}")
event_id = matches("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
tier = lambda v: isinstance(v, str) and v in TIERS
explained = lambda v: isinstance(v, str) and v.strip() != "" and len(v) <= 500


class Opt:
    """An optional or nullable member: absent and null are the same."""
    def __init__(self, of):
        self.of = of


class Map:
    def __init__(self, key, of):
        self.key, self.of = key, of


def shape(value, of, at="document"):
    """Checks a JSON value against a shape and fills absent optional members with None."""
    if isinstance(of, dict):
        need(isinstance(value, dict), "%s is no object" % at)
        for name in value:
            need(name in of, "%s has an unknown member %s" % (at, name))
        for name, inner in of.items():
            if isinstance(inner, Opt):
                if value.setdefault(name, None) is not None:
                    shape(value[name], inner.of, "%s.%s" % (at, name))
            else:
                need(name in value, "%s lacks %s" % (at, name))
                shape(value[name], inner, "%s.%s" % (at, name))
    elif isinstance(of, list):
        need(isinstance(value, list), "%s is no list" % at)
        for i, item in enumerate(value):
            shape(item, of[0], "%s[%d]" % (at, i))
    elif isinstance(of, Map):
        need(isinstance(value, dict), "%s is no object" % at)
        for key, item in value.items():
            need(of.key(key), "%s has the key %r" % (at, key))
            shape(item, of.of, "%s.%s" % (at, key))
    else:
        need(of(value), "%s is not of its form: %r" % (at, value))
    return value


def parse_json(line):
    """JSON without duplicate members, fractions, exponents, -0 or lone surrogates."""
    def once(pairs):
        members = dict(pairs)
        need(len(members) == len(pairs), "a member stands twice")
        return members

    def whole(digits):
        need(digits != "-0" and len(digits) < 21, "a number that is no integer of 64 bits")
        return int(digits)

    def refuse(word):
        raise Fault("a number that is not whole: %s" % word)
    try:
        value = json.loads(line, object_pairs_hook=once, parse_int=whole, parse_float=refuse, parse_constant=refuse)
        if "\\u" in line:
            json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate cannot be encoded
        return value
    except (ValueError, RecursionError) as e:
        raise Fault("JSON: %s" % e)


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# ---- SPEC 1: signed notes and keys -------------------------------------------------------------------------------------------------

class Key:
    known = {}

    def __init__(self, vkey):
        self.vkey = vkey
        parts = vkey.split("+", 2)
        need(len(parts) == 3, "a verifier key has three parts")
        self.name = parts[0]
        need(name_ok(self.name), "a key's name")
        raw = unbase64(parts[2])
        need(len(raw) == 33 and raw[0] in (1, 4), "a verifier key's algorithm or length")
        self.algorithm, self.public = raw[0], raw[1:]
        self.id = sha256(self.name.encode() + b"\n" + raw)[:4]
        need(parts[1] == self.id.hex(), "a verifier key's id")
        need(ed25519_key_ok(self.public), "a public key that is not canonical or of small order")

    @classmethod
    def of(cls, vkey):
        if vkey not in cls.known:
            cls.known[vkey] = Key(vkey)
        return cls.known[vkey]

    def holds(self, message, blob):
        if self.algorithm == 1:
            return ed25519_holds(self.public, message, blob)
        if len(blob) != 72 or blob[0] >= 0x80:
            return False
        return ed25519_holds(self.public, b"cosignature/v1\ntime %d\n" % int.from_bytes(blob[:8], "big") + message, blob[8:])


def name_ok(name):
    return 1 <= len(name.encode()) <= 255 and not any(c == "+" or c.isspace() or c < " " for c in name)


class Note:
    """SPEC 1, step 1 of Verify: the form."""

    def __init__(self, data):
        need(len(data) <= 1 << 20, "a note of more than 1 MiB")
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            raise Fault("a note that is not UTF-8")
        cut = data.rfind(b"\n\n")
        need(cut >= 0, "a note without an empty line")
        self.text, tail = data[:cut + 1], data[cut + 2:]
        need(not any(b < 0x20 and b != 10 for b in self.text), "a control character in a note")
        need(tail.endswith(b"\n"), "a note without its last newline")
        rows = tail[:-1].decode().split("\n")
        need(1 <= len(rows) <= 16, "a note with %d signature lines" % len(rows))
        self.lines = []
        for row in rows:
            parts = row.split(" ")
            need(len(parts) == 3 and parts[0] == "\u2014" and name_ok(parts[1]), "a malformed signature line")
            raw = unbase64(parts[2])
            need(len(raw) >= 5, "a signature line without a signature")
            self.lines.append((parts[1], raw[:4], raw[4:]))
        self.digest = "sha256:" + sha256(self.text).hex()

    def verify(self, keys, every=False):
        """Steps 2-6. Returns the keys that signed. `every` is SPEC 11.4: no unknown line and no key twice."""
        table, signed = {}, []
        for key in keys:
            other = table.setdefault((key.name, key.id), key)
            need(other.public == key.public and other.algorithm == key.algorithm, "two known keys of one name and id")
        for name, key_id, blob in self.lines:
            key = table.get((name, key_id))
            if key is None or key in signed:
                need(not every, "a line of %s that is not known here or stands twice" % name)
                continue
            need(key.holds(self.text, blob), "the signature of %s does not hold" % name)
            signed.append(key)
        need(signed, "no signature of a known key")
        return signed

    def document(self, kind, of):
        """SPEC 1, Documents: one JSON object on one line behind the kind."""
        head = b"countersign/%s/v1\n" % kind.encode()
        need(self.text.startswith(head), "not a %s" % kind)
        line = self.text[len(head):-1].decode()
        need(line.startswith("{") and line.endswith("}"), "a document that is not one object on one line")
        need(not any(unicodedata.category(c) == "Cc" for c in line) if not line.isascii() else "\x7f" not in line and "\n" not in line,
             "a control character in a document")
        return shape(parse_json(line), of, kind)


# ---- SPEC 2: registry --------------------------------------------------------------------------------------------------------------

REGISTRY = {"version": integer(1, (1 << 63) - 1), "previous": Opt(digest), "roots": [is_vkey], "threshold": number, "units": [{
    "id": unit_id, "name": text, "tier": tier, "parent": Opt(unit_id), "area": Opt(text), "since": month,
    "keys": [{"vkey": is_vkey, "from_index": number, "revoked": Opt({"at_index": number, "reason": text})}], "witness": is_vkey}]}


class Registry:
    def __init__(self, note):
        doc = note.document("registry", REGISTRY)
        self.note, self.version, self.digest, self.previous = note, doc["version"], note.digest, doc["previous"]
        self.roots, self.threshold = [Key.of(k) for k in doc["roots"]], doc["threshold"]
        need((self.previous is None) == (self.version == 1), "registry: previous")
        need(1 <= self.threshold <= len(self.roots), "registry: threshold")
        need(all(k.algorithm == 1 for k in self.roots), "registry: a root that is not Ed25519")
        need(len({k.public for k in self.roots}) == len(self.roots), "registry: one root key twice")
        need(len(doc["units"]) <= 20000, "registry: more than 20,000 units")
        self.units = {u["id"]: u for u in doc["units"]}
        need(len(self.units) == len(doc["units"]), "registry: one unit twice")
        self.children = {}
        for u in doc["units"]:
            keys = [Key.of(k["vkey"]) for k in u["keys"]]
            need(keys and all(k.algorithm == 1 and k.name == u["id"] for k in keys), "registry: keys of %s" % u["id"])
            witness = Key.of(u["witness"])
            need(witness.algorithm == 4 and witness.name == u["id"] + "/witness", "registry: witness of %s" % u["id"])
            if u["parent"] is not None:
                need(u["parent"] in self.units, "registry: parent of %s" % u["id"])
                need(TIERS[self.units[u["parent"]]["tier"]] > TIERS[u["tier"]], "registry: tier of %s's parent" % u["id"])
                self.children.setdefault(u["parent"], []).append(u["id"])

    def signed_by_roots(self, signed):
        return len({k.public for k in signed} & {k.public for k in self.roots}) >= self.threshold

    def node_keys(self, unit, leaf=None, sealed=None):
        """The unit's node keys: all, those that may sign the leaf at an index, or those that may sign over `sealed` leaves."""
        at = leaf if leaf is not None else sealed
        last = at if sealed is None else at - 1
        return [Key.of(k["vkey"]) for k in self.units[unit]["keys"] if at is None or (
            k["from_index"] <= at and not (k["revoked"] and k["revoked"]["at_index"] <= last))]

    def ancestors(self, unit):
        found = []
        while unit in self.units and self.units[unit]["parent"] is not None:
            unit = self.units[unit]["parent"]
            found.append(unit)
        return found

    def witness(self, unit):
        return Key.of(self.units[unit]["witness"])

    def subtree(self, unit):
        yield unit
        for child in self.children.get(unit, ()):
            yield from self.subtree(child)


def walk_registries(notes, root):
    """Steps 3 and 4: versions one by one. Returns the chain and all root keys that may sign in this file."""
    need(root.algorithm == 1, "the root key is not Ed25519")
    chain, roots = [], [root]
    for note in notes:
        registry = Registry(note)
        roots += [k for k in registry.roots if k not in roots]
        signed = note.verify(roots, every=True)
        need(registry.version == len(chain) + 1, "registry: version %d where %d is due" % (registry.version, len(chain) + 1))
        if not chain:
            need(any(k.public == root.public for k in signed), "the registry is not signed by the root key")
        else:
            need(registry.previous == chain[-1].digest, "registry %d does not follow" % registry.version)
            need(chain[-1].signed_by_roots(signed), "registry %d lacks signatures of the roots before it" % registry.version)
        need(registry.signed_by_roots(signed), "registry %d lacks signatures of its roots" % registry.version)
        chain.append(registry)
    need(chain, "no registry")
    return chain, roots


# ---- SPEC 3: statement and record --------------------------------------------------------------------------------------------------

TARGET = {"id": event_id, "index": number}
STATEMENT = {"id": event_id, "type": text, "unit": unit_id, "period": month, "recorded": is_time, "catalogue": digest,
             "clear": Opt(Map(text, scalar_value)), "counts": Opt(Map(text, signed_number)), "row": Opt(hex32), "record": Opt(hex32),
             "voids": Opt(TARGET), "replaces": Opt(TARGET), "late": Opt(month)}
ENROLMENTS = ("operator.enrolled", "operator.revoked")
VOIDS = ("record.voided", "record.corrected")


class Statement:
    def __init__(self, note):
        self.note = note
        nulls = note.text.count(b"null")
        doc = note.document("statement", STATEMENT)
        if nulls:  # rare: clear and counts are never null
            raw = parse_json(note.text.split(b"\n")[1].decode())
            need(all(raw.get(m, 0) is not None for m in ("clear", "counts")), "clear or counts is null")
        for name, value in doc.items():
            setattr(self, name, value)
        need(self.row is None or point_ok(bytes.fromhex(self.row)), "a commitment that is no point")
        kind = tuple(doc[m] is not None for m in ("clear", "counts", "row", "record", "voids"))
        forms = {(1, 1, 0, 0, 0): "clear", (0, 0, 1, 1, 0): "sealed", (1, 0, 0, 0, 1): "void"}
        need(kind in forms, "not exactly one of clear, sealed and void")
        self.form = forms[kind]
        need((self.form == "void") == (self.type in VOIDS), "the type %s does not go with %s" % (self.type, self.form))
        if self.type in ENROLMENTS:
            need(self.form == "clear" and not self.counts, "an enrolment with a row")
            need(text(self.clear.get("vkey")), "an enrolment without a key")
            need(self.type == "operator.revoked" or text(self.clear.get("roles")), "an enrolment without roles")


def field_digest(array):
    need(isinstance(array, list) and len(array) == 3 and text(array[0]) and text(array[1]) and scalar_value(array[2]), "a record's field")
    need(len(unbase64(array[0])) == 16, "a salt that has not 16 bytes")
    return sha256(b"countersign/field/v1\n" + compact(array).encode())


# ---- SPEC 4: log -------------------------------------------------------------------------------------------------------------------

def leaf_hash(data):
    return sha256(b"\0" + data)


def tree_root(hashes):
    if not hashes:
        return sha256(b"")
    while len(hashes) > 1:
        pairs = [sha256(b"\1" + hashes[i] + hashes[i + 1]) for i in range(0, len(hashes) - 1, 2)]
        hashes = pairs + (hashes[-1:] if len(hashes) % 2 else [])
    return hashes[0]


def included(leaf, index, size, proof, root):
    """RFC 9162 2.1.3.2."""
    if index >= size:
        return False
    fn, sn, r = index, size - 1, leaf
    for p in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            r = sha256(b"\1" + p + r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = sha256(b"\1" + r + p)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and r == root


def consistent(old, new, old_root, new_root, proof):
    """RFC 9162 2.1.4.2."""
    if old == 0 or old == new:
        return not proof and old <= new and (old == 0 and old_root == sha256(b"") if old != new else old_root == new_root)
    if old > new or not proof:
        return False
    path = list(proof) if old & (old - 1) else [old_root] + list(proof)
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = sha256(b"\1" + c + fr), sha256(b"\1" + c + sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = sha256(b"\1" + sr + c)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and fr == old_root and sr == new_root


def read_bundle(data):
    entries, at = [], 0
    while at < len(data):
        need(at + 2 <= len(data), "a bundle that ends in a length")
        length = int.from_bytes(data[at:at + 2], "big")
        need(at + 2 + length <= len(data), "a bundle that ends in an entry")
        entries.append(data[at + 2:at + 2 + length])
        at += 2 + length
    need(1 <= len(entries) <= 256, "a bundle of %d entries" % len(entries))
    return entries


class Checkpoint:
    def __init__(self, data):
        self.note = Note(data)
        lines = self.note.text.decode().split("\n")
        need(len(lines) == 4 and lines[3] == "", "a checkpoint that has not three lines")
        need(lines[0].startswith("countersign/") and unit_id(lines[0][12:]), "a checkpoint's origin")
        need(re.fullmatch("0|[1-9][0-9]*", lines[1]) and int(lines[1]) < 1 << 63, "a checkpoint's size")
        self.unit, self.size, self.root = lines[0][12:], int(lines[1]), unbase64(lines[2])
        need(len(self.root) == 32 and (self.size or self.root == sha256(b"")), "a checkpoint's root")


class Month:
    """What the leaves of one month add up to so far."""

    def __init__(self):
        self.catalogue = self.first = None
        self.sum, self.sealed, self.clear = IDENTITY, {}, {}  # S, type -> net leaves, type -> column -> net weight
        self.late, self.voided, self.leaves = {}, 0, {"sealed": 0, "clear": 0}


class Log:
    """SPEC 4, Reading a log. `faults` has the first fault of each check."""

    def __init__(self, unit, entries, registry, catalogues):
        self.unit, self.entries, self.registry, self.catalogues = unit, entries, registry, catalogues
        self.hashes = [leaf_hash(e) for e in entries]
        self.at, self.months, self.faults, self.ids = 0, {}, {}, set()
        self.leaves = []             # the statement of each counted leaf, else None
        self.periods = []            # the month of each leaf, None where it has no statement
        self.void = set()            # indices that were taken back
        self.people, self.ever = {}, {}  # name -> (key, roles) running; vkey -> key of all times
        self.node_public = {k.public for k in registry.node_keys(unit)}

    def root(self, size):
        return tree_root(self.hashes[:size])

    def month(self, period):
        return self.months.setdefault(period, Month())

    def read_to(self, size):
        while self.at < min(size, len(self.entries)):
            i, self.at = self.at, self.at + 1
            self.leaves.append(None)
            self.periods.append(None)
            check = ["authorship"]
            try:
                self.read(i, check)
            except Fault as e:
                self.fault(check[0], i, e)

    def fault(self, check, i, why):
        self.faults.setdefault(check, "leaf %d: %s" % (i, why))

    def read(self, i, check):
        note = Note(self.entries[i])                                                        # 1
        s = Statement(note)
        need(s.unit == self.unit, "a statement of %s" % s.unit)
        self.periods[i] = s.period
        need(len(note.lines) == 1, "a statement with %d signatures" % len(note.lines))
        keys = self.registry.node_keys(self.unit, leaf=i)
        if s.type not in ENROLMENTS:
            keys = keys + [key for key, roles in self.people.values() if "recorder" in roles]
        key = next((k for k in keys if (k.name, k.id) == note.lines[0][:2]), None)
        need(key is not None, "signed by %s, which holds no key for it at this index" % note.lines[0][0])
        if not key.holds(note.text, note.lines[0][2]):
            self.fault("authorship", i, "its signature is wrong")  # and yet it counts on, so that the other checks can be judged
        if s.type in ENROLMENTS:                                                            # 2
            self.enrol(s)
        check[0] = "history"                                                                # 3
        if s.id in self.ids:
            self.fault("history", i, "its id was used before")  # counts on, too
        self.ids.add(s.id)
        if s.type in ENROLMENTS:
            return
        need(s.late is None or s.late < s.period, "late is not before the month")
        check[0] = "binding"                                                                # 4
        catalogue = self.catalogues.get(s.catalogue)
        need(catalogue is not None, "an unknown catalogue")
        m = self.month(s.period)
        need(m.catalogue in (None, s.catalogue), "a second catalogue in %s" % s.period)
        if s.form == "void":                                                                # 5
            check[0] = "history"
            index = s.voids["index"]
            target = self.leaves[index] if index < i else None
            need(target is not None and target.form != "void" and target.id == s.voids["id"], "it voids no counted leaf")
            need(index not in self.void, "it voids leaf %d again" % index)
            old, new = self.catalogues[target.catalogue].schema(target.type), catalogue.schema(target.type)
            need(new is not None and old.digest == new.digest, "it voids across a change of schema")
            self.void.add(index)
            m.voided += 1
            self.add(m, target, -1)
        else:                                                                               # 6
            schema = catalogue.schema(s.type)
            need(schema is not None, "the type %s is not in the catalogue" % s.type)
            need((s.form == "clear") == (schema.event["pi"] == "P0"), "a %s statement of class %s" % (s.form, schema.event["pi"]))
            if s.form == "clear":
                schema.check_counts(s.counts)
                need(is_day(s.clear.get("occurred_on")), "no day of occurrence")
            self.add(m, s, 1)
            m.leaves[s.form] += 1
        self.leaves[i] = s
        m.catalogue = s.catalogue
        m.first = i if m.first is None else m.first
        if s.late is not None:
            m.late[s.late] = m.late.get(s.late, 0) + 1

    @staticmethod
    def add(m, s, sign):
        if s.form == "sealed":
            m.sum = point_add(m.sum, bytes.fromhex(s.row), sign)
            m.sealed[s.type] = m.sealed.get(s.type, 0) + sign
        else:
            columns = m.clear.setdefault(s.type, {})
            for column, value in s.counts.items():
                columns[column] = columns.get(column, 0) + sign * value

    def enrol(self, s):
        if s.type == "operator.revoked":
            running = self.people.get(Key.of(s.clear["vkey"]).name)
            need(running and running[0].vkey == s.clear["vkey"], "a revocation of a key that is not running")
            del self.people[running[0].name]
            return
        key = Key.of(s.clear["vkey"])
        need(key.algorithm == 1, "an enrolled key that is not Ed25519")
        person = key.name[len(self.unit) + 1:]
        need(key.name == "%s/%s" % (self.unit, person) and person not in ("", "witness"), "an enrolled key's name")
        need(key.public not in self.node_public, "an enrolled key that is the node's")
        need(all(k.name == key.name for k in self.ever.values() if k.public == key.public), "one key under two names")
        roles = s.clear["roles"].split(",")
        need(set(roles) <= ROLES, "unknown roles: %s" % s.clear["roles"])
        need(key.name not in self.people, "%s is enrolled already" % key.name)
        self.people[key.name] = (key, set(roles))
        self.ever[key.vkey] = key


# ---- SPEC 5: catalogue and plan ----------------------------------------------------------------------------------------------------

CODE = {"code": text, "zh": text, "en": text}
CATALOGUE = {
    "id": text, "version": number, "windows": [{"id": text, "from": text, "to": text}], "defines": [{"name": text, "expr": text}],
    "dimensions": [{"id": text, "zh": text, "en": text, "value": text, "codes": [CODE]}],
    "events": [{"code": text, "type": text, "zh": text, "en": text, "subject": text, "key": text, "pi": text, "levels": [tier],
                "fields": [{"name": text, "zh": text, "en": text, "kind": text, "optional": boolean, "codes": Opt([CODE]),
                            "dimension": Opt(text)}],
                "effect": {"begin": boolean, "end": boolean, "set": Map(text, text), "open": Opt(text), "close": Opt(text),
                           "spell_key": Opt(text), "spell_set": Map(text, text), "baseline": boolean}, "system": boolean}],
    "indicators": [{"id": text, "key": text, "zh": text, "en": text, "unit": text, "kind": text, "subject": Opt(text),
                    "where": Opt(text), "events": [text], "tables": [[text]], "windows": [text], "field": Opt(text), "num": Opt(text),
                    "den": Opt(text), "per": Opt(tier), "met": Opt(text)}],
    "rules": [{"id": text, "severity": text, "figure": text, "check": text, "zh": text, "en": text}]}
COUNTED = ("times", "distinct", "sum", "amount", "stock", "milestone")
STOCKS = ("stock", "milestone")


def in_order(value, of):
    """Writes a document again: members in the order of the shape, maps by key, null left out."""
    if isinstance(of, Opt):
        return in_order(value, of.of)
    if isinstance(of, dict):
        return {n: in_order(value[n], inner) for n, inner in of.items() if value[n] is not None}
    if isinstance(of, list):
        return [in_order(v, of[0]) for v in value]
    if isinstance(of, Map):
        return dict(sorted(value.items()))
    return value


class Catalogue:
    def __init__(self, note):
        self.doc = note.document("catalogue", CATALOGUE)
        self.digest = note.digest
        need(note.text == ("countersign/catalogue/v1\n%s\n" % compact(in_order(self.doc, CATALOGUE))).encode(),
             "a catalogue that is written in another way")
        self.events = {e["type"]: e for e in self.doc["events"]}
        need(len(self.events) == len(self.doc["events"]), "one event type twice in the catalogue")
        self.codes = {d["id"]: [c["code"] for c in d["codes"]] for d in self.doc["dimensions"]}
        self.figures, self.schemas = {}, {}  # figure id -> indicator, in order
        for indicator in self.doc["indicators"]:
            need(indicator["kind"] in COUNTED + ("ratio", "coverage"), "an indicator of kind %s" % indicator["kind"])
            for table in indicator["tables"]:
                need(1 <= len(table) <= 2 and all(d in self.codes for d in table), "a table of %s" % indicator["id"])
                need(len(self.cells(table)) <= 400, "a table of more than 400 cells")
            for window in [None] + indicator["windows"][1:]:
                figure = indicator["id"] + ("@" + window if window else "")
                need(figure not in self.figures, "the figure %s twice" % figure)
                self.figures[figure] = indicator

    def cells(self, table):
        return ["*".join(c) for c in itertools.product(*(self.codes[d] for d in table))] if table else ["total"]

    def schema(self, event_type):
        if event_type not in self.events:
            return None
        if event_type not in self.schemas:
            self.schemas[event_type] = Schema(self, self.events[event_type])
        return self.schemas[event_type]


class Block:
    def __init__(self, figure, direction, table, name, cells, start):
        self.figure, self.direction, self.table, self.start = figure, direction, table, start
        self.columns = ["%s:%s:%s:%s" % (figure, direction, name, c) for c in cells]
        self.counting = direction != "bit"
        self.end = start + len(cells)


class Schema:
    """SPEC 5, Schema of an event type."""

    def __init__(self, catalogue, event):
        self.event, self.blocks, self.columns = event, [], []
        for figure, indicator in catalogue.figures.items():
            kind = indicator["kind"]
            if kind not in COUNTED or event["code"] not in indicator["events"]:
                continue
            if kind == "amount":
                directions = ["bit"]
            elif kind in ("times", "sum"):
                directions = ["n"]
            elif event["effect"]["baseline"] or (kind == "distinct" and not event["system"]):
                directions = ["in"]
            else:
                directions = ["in", "out"]
            for direction in directions:
                for t, table in enumerate(indicator["tables"] or [[]]):
                    cells = [str(b) for b in range(40)] if direction == "bit" else catalogue.cells(table) + ["-"]
                    block = Block(figure, direction, t, "*".join(table) or "total", cells, len(self.columns))
                    self.blocks.append(block)
                    self.columns += block.columns
        need(len(self.columns) <= 4096, "a schema of more than 4096 columns")
        self.index = {c: i for i, c in enumerate(self.columns)}
        need(len(self.index) == len(self.columns), "one column twice in a schema")
        lines = "countersign-schema-v1\n%s\n" % event["type"] + "".join(c + "\n" for c in self.columns)
        self.digest = "sha256:" + sha256(lines.encode()).hex()
        self.bases = {}

    def base(self, j):
        if j not in self.bases:
            self.bases[j] = generator("column", (self.digest + "\n" + self.columns[j]).encode())
        return self.bases[j]

    def check_counts(self, counts):
        """The form of a clear row: columns of the schema, no zero, no "-", one cell a counting block."""
        for column, value in counts.items():
            need(column in self.index and not column.endswith(":-") and 0 < value < BIG, "counts has %s: %d" % (column, value))
        for block in self.blocks:
            moved = [c for c in block.columns if c in counts]
            need(not block.counting or len(moved) <= 1, "counts has two cells of one block")
            need(block.counting or all(counts[c] == 1 for c in moved), "counts has a bit that is not 1")


PLAN = {"id": text, "toml": text}
DEFAULT_DAYS = {"county": 5, "city": 10, "province": 15}


def read_plan(toml):
    """(area_code of [plan], days of [reporting]). A reader of `key = value` lines is enough; tomllib is younger than Python 3.9."""
    area, days, section = None, {}, None
    for line in toml.split("\n"):
        line = line.split("#")[0].strip()
        if line.startswith("["):
            section = line
        found = re.fullmatch(r'(area_code|(county|city|province)_days)\s*=\s*"?([^"]*?)"?', line)
        if found and section == "[plan]" and found.group(1) == "area_code":
            area = found.group(3)
        elif found and section == "[reporting]" and found.group(2) and found.group(3).isdigit():
            days[found.group(2)] = int(found.group(3))
    return area, days


# ---- SPEC 6: commitments -----------------------------------------------------------------------------------------------------------

ORDER = (1 << 252) + 27742317777372353535851937790883648493
IDENTITY = bytes(32)


def expand_message_xmd(message, dst, length=64):
    """RFC 9380 5.3.1 with SHA-512."""
    dst += bytes([len(dst)])
    b0 = hashlib.sha512(bytes(128) + message + struct.pack(">H", length) + b"\0" + dst).digest()
    block, out = bytes(64), b""
    for i in range(1, -(-length // 64) + 1):
        block = hashlib.sha512(bytes(x ^ y for x, y in zip(b0, block)) + bytes([i]) + dst).digest()
        out += block
    return out[:length]


def generator(role, message):
    uniform = expand_message_xmd(message, b"countersign-V1-%s-ristretto255_XMD:SHA-512_R255MAP_RO_" % role.encode())
    out = ctypes.create_string_buffer(32)
    need(SODIUM.crypto_core_ristretto255_from_hash(out, uniform) == 0, "libsodium: from_hash")
    return out.raw


BLIND = generator("blind", b"blind")


def point_ok(point):
    """Canonical, on the group, not the identity. libsodium before 1.0.19 does not look at the highest bit: so this does."""
    return len(point) == 32 and int.from_bytes(point, "little") < P and point != IDENTITY and SODIUM.crypto_core_ristretto255_is_valid_point(point) == 1


def point_add(p, q, sign=1):
    out = ctypes.create_string_buffer(32)
    act = SODIUM.crypto_core_ristretto255_add if sign > 0 else SODIUM.crypto_core_ristretto255_sub
    need(act(out, p, q) == 0, "not a point")
    return out.raw


def point_mul(n, point):
    n %= ORDER
    if n == 0:
        return IDENTITY
    if n == 1:
        return point
    out = ctypes.create_string_buffer(32)
    need(SODIUM.crypto_scalarmult_ristretto255(out, n.to_bytes(32, "little"), point) == 0, "not a point")
    return out.raw


def read_scalar(text_hex):
    n = int.from_bytes(bytes.fromhex(text_hex), "little")
    need(n < ORDER, "a scalar that is not below the order")
    return n


def blinding(period_key, event):
    return int.from_bytes(hmac.new(period_key, event.encode(), hashlib.sha512).digest(), "little") % ORDER


def commitment(terms, r):
    """Sum of x * G over (x, G), plus r * B. Equal x share one multiplication."""
    groups = {}
    for x, base in terms:
        if x:
            groups[x] = point_add(groups[x], base) if x in groups else base
    total = point_mul(r, BLIND)
    for x, base in groups.items():
        total = point_add(total, point_mul(x, base))
    return total


# ---- SPEC 7: figures ---------------------------------------------------------------------------------------------------------------

COUNTS = {"value": Opt(signed_number), "cells": Opt([[signed_number]]), "num": Opt(signed_number), "den": Opt(signed_number),
          "declared": Opt(signed_number)}


class Counts:
    """Counts of one figure: all zero when new."""

    def __init__(self, catalogue, figure, doc=None):
        indicator = catalogue.figures[figure]
        self.counted = indicator["kind"] in COUNTED
        self.cells = [[0] * len(catalogue.cells(t)) for t in indicator["tables"]] if self.counted else []
        self.value = self.num = self.den = self.declared = 0
        if doc is None:
            return
        need((doc["value"] is not None) == self.counted, "%s: value" % figure)
        need((doc["num"] is not None, doc["den"] is not None) == (not self.counted,) * 2, "%s: num and den" % figure)
        cells = doc["cells"] or []
        need([len(t) for t in cells] == [len(t) for t in self.cells], "%s: a table of another shape" % figure)
        self.cells = [list(t) for t in cells]
        self.value, self.num, self.den, self.declared = (doc[m] or 0 for m in ("value", "num", "den", "declared"))
        self.check(figure)

    def tuple(self):
        return self.value, self.num, self.den, self.declared, self.cells

    def add(self, other):
        need([len(t) for t in other.cells] == [len(t) for t in self.cells], "a table of another shape")
        self.value, self.num, self.den = self.value + other.value, self.num + other.num, self.den + other.den
        self.declared += other.declared
        self.cells = [[a + b for a, b in zip(s, t)] for s, t in zip(self.cells, other.cells)]

    def check(self, figure):
        flat = [self.value, self.num, self.den, self.declared] + [c for t in self.cells for c in t]
        need(all(abs(n) < BIG for n in flat), "%s: a number of 2^53 or more" % figure)


def own_figures(catalogue, unit_tier, previous, sums):
    """Steps 1-3. `sums` is type -> list of column sums, sealed and clear."""
    own = {}
    for figure, indicator in catalogue.figures.items():
        stock = indicator["kind"] in STOCKS and figure in previous
        own[figure] = Counts(catalogue, figure, previous[figure]["own"] if stock else None)
    for event_type, columns in sums.items():
        schema = catalogue.schema(event_type)
        for block in schema.blocks:
            x, c = columns[block.start:block.end], own[block.figure]
            if not block.counting:
                if block.table == 0:
                    c.value += sum(v << bit for bit, v in enumerate(x))
                continue
            sign, x = (-1 if block.direction == "out" else 1), x[:-1]
            if block.table == 0:
                c.value += sign * sum(x)
                if schema.event["effect"]["baseline"]:
                    c.declared += sum(x)
            if c.cells:
                c.cells[block.table] = [a + sign * b for a, b in zip(c.cells[block.table], x)]
    for figure, indicator in catalogue.figures.items():
        c = own[figure]
        if indicator["kind"] == "ratio" or (indicator["kind"] == "coverage" and indicator["per"] is None):
            c.num, c.den = own[indicator["num"]].value, own[indicator["den"]].value
        elif indicator["per"] == unit_tier:
            c.num, c.den = int(own[indicator["met"]].value >= 1), 1
        c.check(figure)
    return own


def basis_of(catalogue, figure, own, total):
    """Step 5."""
    indicator = catalogue.figures[figure]
    named = [figure] + [indicator[m] for m in ("num", "den", "met") if indicator[m] is not None]
    if any(counts[f].declared for counts in (own, total) for f in named if f in counts):
        return "declared"
    return "proven" if indicator["kind"] in COUNTED else "derived"


# ---- SPEC 8: rollup ----------------------------------------------------------------------------------------------------------------

basis = lambda v: v in ("proven", "derived", "declared")
ROLLUP = {
    "unit": unit_id, "tier": tier, "period": month, "revision": small, "supersedes": Opt(digest),
    "previous": Opt(digest), "catalogue": digest, "plans": [text], "registry": {"version": number, "digest": digest},
    "log": {"size": number, "root": hex32, "first": number}, "children": [{"unit": unit_id, "rollup": digest, "revision": number}],
    "missing": [{"unit": unit_id, "reason": explained}], "figures": [{"id": text, "basis": basis, "own": COUNTS, "sum": Opt(COUNTS)}],
    "opening": {"sums": Map(text, [signed_number]), "blinding": hex32}, "frozen": Map(text, digest),
    "late": Map(month, number), "voided": number, "explanations": [{"rule": text, "figure": text, "text": explained}],
    "signatories": {"preparer": text, "reviewer": text, "head": text}}


class Rollup:
    def __init__(self, data):
        self.note = Note(data)
        self.digest = self.note.digest
        doc = self.note.document("rollup", ROLLUP)
        for name, value in doc.items():
            setattr(self, name, value)
        self.size, self.first = doc["log"]["size"], doc["log"]["first"]
        self.key = (self.period, self.revision)
        need((self.supersedes is None) == (self.revision == 1), "rollup: supersedes")
        need(self.first <= self.size, "rollup: log.first")
        units = [c["unit"] for c in self.children + self.missing]
        need(len(set(units)) == len(units), "rollup: a child twice")
        self.blinding = read_scalar(doc["opening"]["blinding"])
        need(len(set(self.signatories.values())) == 3, "rollup: the three signatories are not three persons")


def months_before(period):
    year, m = int(period[:4]), int(period[5:])
    return "%04d-%02d" % (year - (m == 1), m - 1 or 12)


class RollupChecks:
    """The five checks of one rollup. `known` are the unit's rollups before it, `log` is read up to its size."""

    def __init__(self, file, r, log, known, checkpoint):
        self.file, self.r, self.log, self.known, self.checkpoint = file, r, log, known, checkpoint
        self.newest, self.received = file.chain[-1], None
        self.registry = next((g for g in file.chain if g.version == r.registry["version"]), None)

    def run(self, receipts):
        verdicts, receipt_fault = {}, None
        try:
            for c in check_receipts(self.file, self.r, receipts):
                self.received = self.received or c["received"]
        except Fault as e:
            receipt_fault = str(e)
        for check in CHECKS:
            try:
                outcome, detail = getattr(self, check)()
                need(check != "authorship" or receipt_fault is None, receipt_fault)
            except Fault as e:
                outcome, detail = "fails", str(e)
            verdicts[check] = (outcome, detail)
        return verdicts

    def no_fault(self, check):
        need(check not in self.log.faults, self.log.faults.get(check))

    def named_registry(self):
        need(self.registry is not None, "the registry that it names is not in the chain")
        return self.registry

    def catalogue(self):
        catalogue = self.file.catalogues.get(self.r.catalogue)
        need(catalogue is not None, "the catalogue %s is not known" % self.r.catalogue)
        return catalogue

    def authorship(self):
        r = self.r
        self.no_fault("authorship")                                                         # 1
        unit = self.named_registry().units.get(r.unit)                                      # 2
        need(self.registry.digest == r.registry["digest"], "the registry that it names is another")
        need(unit is not None and unit["tier"] == r.tier, "the registry knows no such unit of this tier")
        signed = r.note.verify(self.newest.node_keys(r.unit) + list(self.log.ever.values()), every=True)  # 3 and 11.4
        valid = self.newest.node_keys(r.unit, sealed=r.size)
        need(any(k in valid for k in signed), "no signature of a node key that is valid at %d" % r.size)
        for role, name in r.signatories.items():                                            # 4
            key, roles = self.log.people.get(name, (None, ()))
            need(role in roles, "%s is not enrolled as %s" % (name, role))
            need(key in signed, "%s has not signed" % name)
        need(self.checkpoint is not None, "no checkpoint of size %d" % r.size)              # 5
        keys = self.file.checkpoint_keys(r.unit)
        need(any(k in valid for k in self.checkpoint.note.verify(keys, every=True)), "the checkpoint is not signed by a valid node key")
        return "holds", "node key, 3 signatories and %d statements" % r.size

    def arithmetic(self):
        r, registry, catalogue = self.r, self.named_registry(), self.catalogue()
        need(all(f["id"] in catalogue.figures for f in r.figures), "a figure that the catalogue does not have")
        own = {f["id"]: Counts(catalogue, f["id"], f["own"]) for f in r.figures}
        total = {f["id"]: Counts(catalogue, f["id"], f["sum"]) for f in r.figures if f["sum"] is not None}
        for counts in (own, total):                                                         # 1
            for figure, c in counts.items():
                need(all(sum(t) == c.value for t in c.cells), "%s: the cells of a table do not add up" % figure)
        due = sorted(c for c in registry.children.get(r.unit, ()) if registry.units[c]["since"] <= r.period)   # 2
        named = [c["unit"] for c in r.children] + [m["unit"] for m in r.missing]
        need(sorted(named) == due, "children and missing are not the units below it")
        scopes = []                                                                         # 3
        for c in r.children:
            child = self.file.by_digest.get(c["rollup"])
            need(child is not None, "the rollup of %s is not there" % c["unit"])
            need((child.unit, child.period, child.revision, child.catalogue) == (c["unit"], r.period, c["revision"], r.catalogue),
                 "the rollup of %s is another one" % c["unit"])
            below = sorted(u for u in registry.children.get(c["unit"], ()) if registry.units[u]["since"] <= r.period)
            need(sorted([x["unit"] for x in child.children] + [x["unit"] for x in child.missing]) == below,
                 "%s counted other units than the registry named here puts below it" % c["unit"])
            need({f["id"] for f in r.figures} <= {f["id"] for f in child.figures} <= set(catalogue.figures), "the figures of %s" % c["unit"])
            scopes.append({f["id"]: Counts(catalogue, f["id"], f["own"] if f["sum"] is None else f["sum"]) for f in child.figures})
        if not named:                                                                       # 4
            need(not total, "a sum without children")
            return "holds", "%d figures" % len(own)
        for f in r.figures:
            figure, indicator = f["id"], catalogue.figures[f["id"]]
            expected = Counts(catalogue, figure, f["own"])
            for scope in scopes:
                expected.add(scope[figure])
            if indicator["kind"] == "coverage":
                expected.den += sum(1 for m in r.missing for u in registry.subtree(m["unit"])
                                    if registry.units[u]["tier"] == indicator["per"] and registry.units[u]["since"] <= r.period)
            expected.check(figure)
            need(figure in total and expected.tuple() == total[figure].tuple(), "%s: the sum is not own and children" % figure)
        for f in r.figures:
            need(f["basis"] == basis_of(catalogue, f["id"], own, total), "%s: basis" % f["id"])
        return "holds", "%d figures, %d children" % (len(own), len(r.children))

    def history(self):
        r, log, known = self.r, self.log, self.known
        need(len(log.entries) >= r.size, "only %d of %d leaves are there" % (len(log.entries), r.size))      # 1
        need(log.root(r.size).hex() == r.log["root"], "the leaves give another root")
        for k in known:
            need(k.size <= r.size and log.root(k.size).hex() == k.log["root"], "%s.%d is not on the way" % k.key)
        c = self.checkpoint
        need(c is not None and (c.unit, c.size, c.root.hex()) == (r.unit, r.size, r.log["root"]), "the checkpoint is another")
        self.no_fault("history")                                                            # 2
        need(all(k.key != r.key for k in known), "a second rollup of this month and revision")  # 3
        followed = []
        if r.revision > 1:                                                                  # 4
            old = [k for k in known if k.key == (r.period, r.revision - 1) and k.digest == r.supersedes]
            need(old, "the revision that it supersedes is not there")
            followed += old
        since = self.newest.units[r.unit]["since"] if self.registry is None else self.registry.units.get(r.unit, {}).get("since")
        need((r.previous is None) == (r.period == since), "previous is null in another month than the first")  # 5
        if r.previous is not None:
            before = [k for k in known if k.digest == r.previous and k.period == months_before(r.period)]
            need(before, "the rollup of the month before is not there")
            need(not any(k.period == before[0].period and k.revision > before[0].revision and k.size < r.size for k in known),
                 "it builds on a revision that was replaced")
            followed += before
        for k in followed:                                                                  # 6
            need(k.size <= r.size and k.registry["version"] <= r.registry["version"], "log or registry is older than in %s.%d" % k.key)
        sealed = max((k.size for k in known), default=0)                                    # 7
        for i in range(sealed, r.size):
            need(log.periods[i] is None or log.periods[i] >= r.period, "leaf %d is of a sealed month" % i)
        last = max([r.period] + [k.period for k in known])                                  # 8
        for i in range(r.size):
            p = log.periods[i]
            need(p is None or ((since is None or p >= since) and (p <= last or months_before(p) == last)), "leaf %d is of a month that nobody reports" % i)
        return "holds", "log of %d leaves, revision %d" % (r.size, r.revision)

    def binding(self):
        r, log, catalogue = self.r, self.log, self.catalogue()                               # 1
        self.no_fault("binding")
        m = log.months.get(r.period) or Month()
        need(m.catalogue in (None, r.catalogue), "the leaves of the month name another catalogue")
        sums = r.opening["sums"]                                                            # 2
        need(set(sums) == set(m.sealed), "opening.sums has other types than the month")
        terms = []
        for event_type, columns in sums.items():
            schema = catalogue.schema(event_type)
            need(schema is not None and len(columns) == len(schema.columns), "%s: number of columns" % event_type)
            need(all(abs(x) < BIG for x in columns), "%s: a sum that is out of range" % event_type)
            for block in schema.blocks:
                need(not block.counting or sum(columns[block.start:block.end]) == m.sealed[event_type],
                     "%s: a block does not add up to the leaves" % block.columns[0])
            terms += [(x, schema.base(j)) for j, x in enumerate(columns) if x]
        need(commitment(terms, r.blinding) == m.sum, "the opening does not open the sum")  # 3
        both = dict(sums)                                                                   # 4
        for event_type, counts in m.clear.items():
            schema = catalogue.schema(event_type)
            both[event_type] = [counts.get(c, 0) for c in schema.columns]
        previous = {}
        if r.previous is not None:
            before = [k for k in self.known if k.digest == r.previous]
            need(before, "the previous rollup is not there")
            previous = {f["id"]: f for f in before[0].figures}
        own = own_figures(catalogue, r.tier, previous, both)
        need([f["id"] for f in r.figures] == list(own), "not exactly the catalogue's figures in its order")
        for f in r.figures:
            need(Counts(catalogue, f["id"], f["own"]).tuple() == own[f["id"]].tuple(), "%s: own is not what the leaves give" % f["id"])
            need(f["sum"] is not None or f["basis"] == basis_of(catalogue, f["id"], own, {}), "%s: basis" % f["id"])
        need(r.voided == m.voided, "voided is not the leaves' number")                       # 5
        need(r.late == m.late, "late is not the leaves' numbers")
        need(r.first == (r.size if m.first is None else m.first), "log.first is another leaf")
        return "holds", "%(sealed)d sealed and %(clear)d clear leaves" % m.leaves

    def timeliness(self):
        r, arrivals = self.r, self.file.arrivals
        arrived = None
        if arrivals and arrivals["by"] in self.newest.ancestors(r.unit):
            arrived = arrivals["received"].get(r.digest)
        arrived = arrived or self.received
        if arrived is None:
            return "noted", "not known when it arrived"
        top = self.newest.units[(self.newest.ancestors(r.unit) or [r.unit])[-1]]
        plans = [read_plan(p["toml"]) for p in self.file.plans if p["id"] in r.plans]
        days = [days.get(r.tier, DEFAULT_DAYS[r.tier]) for area, days in plans if area == (top["area"] or top["id"])]
        year, m = int(r.period[:4]), int(r.period[5:])
        due = datetime.date(year, m, calendar.monthrange(year, m)[1]) + datetime.timedelta(min(days or [DEFAULT_DAYS[r.tier]]))
        day = (instant(arrived) + datetime.timedelta(hours=8)).date()
        return "holds" if day <= due else "noted", "arrived %s, due %s" % (day, due)


# ---- SPEC 9: receipt and arrivals --------------------------------------------------------------------------------------------------

RECEIPT = {"parent": unit_id, "child": unit_id, "period": month, "revision": small, "rollup": digest,
           "decision": lambda v: v in ("accepted", "returned", "rejected", "reopened"), "received": is_time, "decided": is_time,
           "by": text, "reasons": [text], "about": [text],
           "checks": [{"check": text, "outcome": lambda v: v in ("holds", "noted", "fails"), "detail": text}], "checkpoint": text}
ARRIVALS = {"by": unit_id, "received": Map(digest, is_time)}


def check_receipts(file, r, receipts):
    """Yields the receipts up to the first that does not hold."""
    newest, last = file.chain[-1], ""
    for c in receipts:
        failed = any(k["outcome"] == "fails" for k in c["checks"])                          # 1
        need(c["reasons"] or c["decision"] not in ("returned", "reopened"), "receipt: %s without a reason" % c["decision"])
        need(not failed or c["decision"] != "accepted", "receipt: accepted with a failed check")
        need(failed or c["decision"] != "rejected", "receipt: rejected without a failed check")
        need(c["child"] == r.unit and c["parent"] == newest.units[r.unit]["parent"], "receipt: not of the unit's parent")   # 2
        c["note"].verify(newest.node_keys(c["parent"]), every=True)                         # 3
        need((c["rollup"], c["period"], c["revision"]) == (r.digest,) + r.key, "receipt: of another rollup")                # 4
        if c["decision"] == "accepted":                                                     # 5
            checkpoint = Checkpoint(c["checkpoint"].encode())
            need((checkpoint.unit, checkpoint.size, checkpoint.root.hex()) == (r.unit, r.size, r.log["root"]), "receipt: another checkpoint")
            need(newest.witness(c["parent"]) in checkpoint.note.verify(file.checkpoint_keys(r.unit)), "receipt: no cosignature")
        need(last <= c["decided"], "receipt: not in the order of decided")                  # 6
        last = c["decided"]
        yield c


# ---- SPEC 10: disclosure -----------------------------------------------------------------------------------------------------------

DISCLOSURE = {"format": lambda v: v == "countersign-disclosure-v1", "unit": unit_id, "index": number, "statement": text,
              "proof": [hex32], "checkpoint": text, "registries": [text], "catalogue": text,
              "fields": [{"field": lambda v: isinstance(v, list), "position": number, "of": number, "proof": [hex32]}],
              "row": Opt({"columns": [text], "blinding": hex32})}


def check_disclosure(d, root):
    """Returns (period, detail) or raises the first fault."""
    chain, roots = walk_registries([Note(n.encode()) for n in d["registries"]], root)      # 1
    newest = chain[-1]
    need(d["unit"] in newest.units, "the registry does not know the unit")
    checkpoint = Checkpoint(d["checkpoint"].encode())                                       # 2
    need(checkpoint.unit == d["unit"], "a checkpoint of another log")
    checkpoint.note.verify(newest.node_keys(d["unit"], sealed=checkpoint.size))
    raw = d["statement"].encode()                                                           # 3
    need(included(leaf_hash(raw), d["index"], checkpoint.size, [bytes.fromhex(h) for h in d["proof"]], checkpoint.root),
         "the statement is not in the log at %d" % d["index"])
    s = Statement(Note(raw))                                                                # 4
    need(s.unit == d["unit"], "a statement of another unit")
    need(s.form == "sealed" or not (d["fields"] or d["row"]), "a statement without a record")
    for f in d["fields"]:                                                                   # 5
        need(f["of"] <= 64, "a record of more than 64 fields")
        need(included(leaf_hash(field_digest(f["field"])), f["position"], f["of"], [bytes.fromhex(h) for h in f["proof"]],
                      bytes.fromhex(s.record)), "the field %s is not in the record" % f["field"][1])
    note = Note(d["catalogue"].encode())                                                    # 6
    catalogue = Catalogue(note)
    need(newest.signed_by_roots(note.verify(roots)) and note.digest == s.catalogue, "not the statement's catalogue")
    if d["row"]:
        schema, columns = catalogue.schema(s.type), d["row"]["columns"]
        need(schema is not None and all(c in schema.index for c in columns) and len(set(columns)) == len(columns), "the row's columns")
        for block in schema.blocks:
            need(not block.counting or sum(c in block.columns for c in columns) == 1, "not exactly one column in a block")
        opened = commitment([(1, schema.base(schema.index[c])) for c in columns], read_scalar(d["row"]["blinding"]))
        need(opened == bytes.fromhex(s.row), "the row does not open the commitment")
    return s.period, "leaf %d, %d fields%s" % (d["index"], len(d["fields"]), " and the row" if d["row"] else "")


# ---- SPEC 11: evidence file --------------------------------------------------------------------------------------------------------

MARK = "countersign-evidence-v1"
PATHS = re.compile("|".join((
    r"(?P<arrivals>arrivals\.note)", r"(?P<catalogue>catalogue/sha256-([0-9a-f]{64})\.note)", r"(?P<plan>plan/sha256-([0-9a-f]{64})\.note)",
    r"(?P<registry>registry/([0-9]{6})\.note)", r"unit/([0-9A-Za-z]{1,16})/(?:(?P<checkpoint>checkpoint/(0|[1-9][0-9]*)\.note)"
    r"|(?P<entries>entries/([0-9]{6}))|(?P<receipt>receipt/([0-9]{4}-[0-9]{2})\.([1-9][0-9]*)\.(0|[1-9][0-9]*)\.note)"
    r"|(?P<rollup>rollup/([0-9]{4}-[0-9]{2})\.([1-9][0-9]*)\.note))")))


def write_zip(parts):
    """The one way in which evidence is written."""
    local, central = bytearray(), bytearray()
    for path, data in parts:
        name = path.encode()
        common = struct.pack("<HHHHHIIIHH", 10, 0, 0, 0, 0x21, zlib.crc32(data), len(data), len(data), len(name), 0)
        central += b"PK\1\2" + struct.pack("<H", 0x030A) + common + struct.pack("<HHHII", 0, 0, 0, 0x81A40000, len(local)) + name
        local += b"PK\3\4" + common + name + data
    end = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, len(parts), len(parts), len(central), len(local), 0)
    return bytes(local + central + end)


def read_zip(data):
    """Reads the local headers and accepts the file only if writing its parts again gives the same bytes."""
    parts, at = [], 0
    try:
        while data[at:at + 4] == b"PK\3\4":
            size, _, name_length = struct.unpack_from("<IIH", data, at + 18)
            name = data[at + 30:at + 30 + name_length].decode("ascii")
            at += 30 + name_length
            parts.append((name, data[at:at + size]))
            at += size
        need(0 < len(parts) < 65535, "not an evidence file")
        need(write_zip(parts) == data, "the file is not written the one way in which evidence is written")
    except (struct.error, UnicodeDecodeError):
        raise Fault("not an evidence file")
    need(parts[0] == (MARK, b""), "not an evidence file of version 1")
    names = [name for name, _ in parts[1:]]
    need(all(a < b for a, b in zip(names, names[1:])), "parts are not in the order of their paths")
    return parts[1:]


class Evidence:
    def __init__(self, data, root):
        """Steps 1-5: what is wrong here refuses the file."""
        self.arrivals, self.receipts, self.by_digest = None, {}, {}
        registries, catalogues, plans, self.units = [], [], [], {}
        for path, part in read_zip(data):                                                   # 1
            found = PATHS.fullmatch(path)
            need(found, "a part that does not belong here: %s" % path)
            kind, args = found.lastgroup, [g for g in found.groups() if g is not None and g not in found.groupdict().values()]
            need(kind in ("arrivals", "catalogue", "plan", "registry", "checkpoint", "entries", "receipt", "rollup"), path)
            if kind == "registry":
                registries.append(Note(part))
                need(path == "registry/%06d.note" % len(registries), "registries are not numbered one by one")
            elif kind in ("catalogue", "plan"):
                note = Note(part)
                need(note.digest == "sha256:" + args[0], "%s has another digest" % path)
                (catalogues if kind == "catalogue" else plans).append(note)
            elif kind == "arrivals":
                arrivals = Note(part)
                self.arrivals = arrivals.document("arrivals", ARRIVALS)
            else:
                unit = self.units.setdefault(args[0], {"entries": [], "checkpoint": {}, "receipt": {}, "rollup": {}})
                if kind == "entries":
                    need(len(unit["entries"]) == 256 * int(args[1]), "bundles are not full or not numbered one by one")
                    unit["entries"] += read_bundle(part)
                elif kind == "checkpoint":
                    c = Checkpoint(part)
                    need(str(c.size) == args[1], "%s is another checkpoint" % path)
                    unit["checkpoint"][c.size] = c
                elif kind == "rollup":                                                      # 5
                    r = Rollup(part)
                    need((r.unit, r.period, str(r.revision)) == tuple(args), "%s is another rollup" % path)
                    unit["rollup"][r.key] = self.by_digest[r.digest] = r
                else:
                    note = Note(part)
                    receipt = note.document("receipt", RECEIPT)
                    receipt["note"], receipt["n"] = note, int(args[3])
                    unit["receipt"].setdefault((args[1], int(args[2])), []).append(receipt)
        self.chain, roots = walk_registries(registries, root)                               # 2
        newest = self.chain[-1]
        self.catalogues, self.plans = {}, []
        for note in catalogues + plans:                                                     # 3, 4
            need(newest.signed_by_roots(note.verify(roots, every=True)), "a catalogue or plan lacks signatures of the roots")
            if note in catalogues:
                self.catalogues[note.digest] = Catalogue(note)
            else:
                self.plans.append(note.document("plan", PLAN))
        for unit in self.units:
            need(unit in newest.units, "the registry does not know the unit %s" % unit)
        if self.arrivals:
            need(self.arrivals["by"] in newest.units, "arrivals of an unknown unit")
            arrivals.verify(newest.node_keys(self.arrivals["by"]), every=True)
        for unit, parts in self.units.items():
            need(len(parts["entries"]) <= max(parts["checkpoint"], default=0), "%s: entries behind the last checkpoint" % unit)   # 7
            for key, receipts in parts["receipt"].items():
                need(key in parts["rollup"], "a receipt of %s without its rollup" % unit)   # 7
                self.receipts[(unit,) + key] = sorted(receipts, key=lambda c: c["n"])

    def checkpoint_keys(self, unit):
        newest = self.chain[-1]
        return newest.node_keys(unit) + [newest.witness(a) for a in newest.ancestors(unit)]

    def verify(self):
        """Step 6 and 7. Returns the units of the report."""
        newest, report = self.chain[-1], []
        for unit in sorted(self.units, key=lambda u: (-TIERS[newest.units[u]["tier"]], u)):
            parts, known, months = self.units[unit], [], []
            log = Log(unit, parts["entries"], newest, self.catalogues)
            for r in sorted(parts["rollup"].values(), key=lambda r: (r.size,) + r.key):
                log.read_to(r.size)
                checks = RollupChecks(self, r, log, list(known), parts["checkpoint"].get(r.size))
                verdicts = checks.run(self.receipts.get((unit,) + r.key, []))
                months.append({"period": r.period, "revision": r.revision, "rollup": r.digest,
                               "verdicts": [{"check": c, "outcome": o, "detail": d} for c, (o, d) in verdicts.items()]})
                known.append(r)
            last = max((r.size for r in known), default=0)
            if len(log.entries) > last:                                                     # 7
                need(len(log.entries) in parts["checkpoint"], "%s: entries behind the last rollup end at no checkpoint" % unit)
                before = log.faults.get("authorship")
                log.read_to(len(log.entries))
                need(log.faults.get("authorship") == before, "%s: %s" % (unit, log.faults.get("authorship")))
            for c in parts["checkpoint"].values():
                if c.size not in [r.size for r in known]:
                    need(c.unit == unit and c.size <= len(log.entries) and log.root(c.size) == c.root, "%s: checkpoint %d is wrong" % (unit, c.size))
                    valid = newest.node_keys(unit, sealed=c.size)
                    need(any(k in valid for k in c.note.verify(self.checkpoint_keys(unit), every=True)), "%s: checkpoint %d is not signed" % (unit, c.size))
            report.append({"unit": unit, "months": sorted(months, key=lambda m: (m["period"], m["revision"]))})
        need(report, "the file has no unit")
        return report


# ---- Command -----------------------------------------------------------------------------------------------------------------------

def verify(data, vkey):
    """The report of a file: {"units": [...], "error": null or why it cannot be verified}."""
    try:
        root = Key.of(vkey)
        if data[:2] == b"PK":
            units = Evidence(data, root).verify()
        else:
            try:
                disclosure = shape(parse_json(data.decode("utf-8")), DISCLOSURE, "disclosure")
            except UnicodeDecodeError:
                raise Fault("neither an evidence file nor a disclosure")
            try:
                period, detail = check_disclosure(disclosure, root)
                outcome = "holds"
            except Fault as e:
                period, outcome, detail = None, "fails", str(e)
            verdicts = [{"check": "disclosure", "outcome": outcome, "detail": detail}]
            units = [{"unit": disclosure["unit"], "months": [{"period": period, "revision": None, "verdicts": verdicts}]}]
        return {"units": units, "error": None, "not_checked": NOT_CHECKED}
    except Fault as e:
        return {"units": [], "error": str(e), "not_checked": NOT_CHECKED}


def exit_code(report):
    if report["error"] is not None:
        return 2
    return int(any(v["outcome"] == "fails" for u in report["units"] for m in u["months"] for v in m["verdicts"]))


def main():
    parser = argparse.ArgumentParser(description="Second verifier of Countersign evidence and disclosures")
    parser.add_argument("file")
    parser.add_argument("--root", required=True, metavar="VKEY", help="the root key, known from outside")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with open(args.file, "rb") as f:
        report = verify(f.read(), args.root)
    if args.json:
        print(json.dumps(report, ensure_ascii=False, indent=2))
        return exit_code(report)
    for unit in report["units"]:
        for m in unit["months"]:
            print("%s %s%s" % (unit["unit"], m["period"] or "", " revision %d" % m["revision"] if m["revision"] else ""))
            for v in m["verdicts"]:
                print("  %-11s %-6s %s" % (v["check"], v["outcome"], v["detail"]))
    print("Not checked: %s." % NOT_CHECKED)
    code = exit_code(report)
    print({0: "No check fails.", 1: "A check FAILS.", 2: "Cannot be verified: %s" % report["error"]}[code])
    return code


if __name__ == "__main__":
    sys.exit(main())
