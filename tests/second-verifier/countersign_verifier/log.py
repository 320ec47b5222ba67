"""SPEC 4: the tree, its proofs, bundles and checkpoints."""

import re

from .fault import need
from .note import Note
from .notation import sha256, unbase64, unit_id

MAX_BUNDLE = 256


def leaf_hash(data):
    return sha256(b"\0" + data)


def node_hash(left, right):
    return sha256(b"\1" + left + right)


def tree_root(hashes):
    if not hashes:
        return sha256(b"")
    while len(hashes) > 1:
        whole = range(0, len(hashes) - 1, 2)
        pairs = [node_hash(hashes[i], hashes[i + 1]) for i in whole]
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
            r = node_hash(p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node_hash(r, p)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and r == root


def consistent(old, new, old_root, new_root, proof):
    """RFC 9162 2.1.4.2, and the sizes that it leaves out."""
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof and old_root == sha256(b"")
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
            fr, sr = node_hash(c, fr), node_hash(c, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and fr == old_root and sr == new_root


def read_bundle(data):
    """The entries of a bundle."""
    entries, at = [], 0
    while at < len(data):
        need(at + 2 <= len(data), "a bundle that ends in a length")
        length = int.from_bytes(data[at : at + 2], "big")
        need(at + 2 + length <= len(data), "a bundle that ends in an entry")
        entries.append(data[at + 2 : at + 2 + length])
        at += 2 + length
    need(1 <= len(entries) <= MAX_BUNDLE, "a bundle of %d entries" % len(entries))
    return entries


class Checkpoint:
    """A note with unit, size and root of a log."""

    def __init__(self, data):
        self.note = Note(data)
        lines = self.note.text.decode().split("\n")
        need(len(lines) == 4 and lines[3] == "", "a checkpoint that has not three lines")
        origin = lines[0].startswith("countersign/") and unit_id(lines[0][12:])
        need(origin, "a checkpoint's origin")
        decimal = re.fullmatch("0|[1-9][0-9]{0,18}", lines[1])
        need(decimal and int(lines[1]) < 1 << 63, "a checkpoint's size")
        self.unit, self.size = lines[0][12:], int(lines[1])
        self.root = unbase64(lines[2])
        need(len(self.root) == 32, "a checkpoint's root")
        need(self.size or self.root == sha256(b""), "a checkpoint's root")

    def is_of(self, rollup):
        """Whether it names exactly the rollup's unit, size and root."""
        mine = (self.unit, self.size, self.root.hex())
        return mine == (rollup.unit, rollup.size, rollup.log["root"])
