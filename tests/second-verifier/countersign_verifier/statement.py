"""SPEC 3: statements and records."""

from .fault import need
from .group import point_ok
from .notation import (
    Map,
    Opt,
    compact,
    digest,
    event_id,
    hex32,
    is_time,
    month,
    number,
    parse_json,
    scalar_value,
    sha256,
    signed_number,
    text,
    unbase64,
    unit_id,
)

TARGET = {"id": event_id, "index": number}
STATEMENT = {
    "id": event_id,
    "type": text,
    "unit": unit_id,
    "period": month,
    "recorded": is_time,
    "catalogue": digest,
    "clear": Opt(Map(text, scalar_value)),
    "counts": Opt(Map(text, signed_number)),
    "row": Opt(hex32),
    "record": Opt(hex32),
    "voids": Opt(TARGET),
    "replaces": Opt(TARGET),
    "late": Opt(month),
}
ENROLLED, REVOKED = "operator.enrolled", "operator.revoked"
ENROLMENTS = (ENROLLED, REVOKED)
CORRECTED = "record.corrected"
VOIDS = ("record.voided", CORRECTED)
# Which of clear, counts, row, record and voids are there.
FORMS = {
    (True, True, False, False, False): "clear",
    (False, False, True, True, False): "sealed",
    (True, False, False, False, True): "void",
}


class Statement:
    """A statement of one of the three forms."""

    def __init__(self, note):
        self.note = note
        refuse_null_body(note)
        doc = note.document("statement", STATEMENT)
        self.id, self.type, self.unit = doc["id"], doc["type"], doc["unit"]
        self.period, self.catalogue, self.late = doc["period"], doc["catalogue"], doc["late"]
        self.clear, self.counts = doc["clear"], doc["counts"]
        self.row, self.record, self.voids = doc["row"], doc["record"], doc["voids"]
        self.replaces = doc["replaces"]
        a_point = self.row is None or point_ok(bytes.fromhex(self.row))
        need(a_point, "a commitment that is no point")
        body = (self.clear, self.counts, self.row, self.record, self.voids)
        there = tuple(member is not None for member in body)
        need(there in FORMS, "not exactly one of clear, sealed and void")
        self.form = FORMS[there]
        fits = (self.form == "void") == (self.type in VOIDS)
        need(fits, "the type %s does not go with %s" % (self.type, self.form))
        if self.type in ENROLMENTS:
            enrolment_form(self)


def refuse_null_body(note):
    """`clear` and `counts` are never null, unlike other optional members."""
    if note.text.count(b"null"):
        line = note.text.split(b"\n")[1].decode()
        raw = parse_json(line)
        there = all(raw.get(m, 0) is not None for m in ("clear", "counts"))
        need(there, "clear or counts is null")


def enrolment_form(s):
    need(s.form == "clear" and not s.counts, "an enrolment with a row")
    need(text(s.clear.get("vkey")), "an enrolment without a key")
    need(s.type == REVOKED or text(s.clear.get("roles")), "an enrolment without roles")
    members = {"vkey"} if s.type == REVOKED else {"vkey", "roles"}
    alone = set(s.clear) == members and s.late is None and s.replaces is None
    need(alone, "an enrolment that says more")


def field_digest(array):
    """The digest of one field [salt, name, value] of a record."""
    three = isinstance(array, list) and len(array) == 3
    need(three and text(array[0]) and text(array[1]), "a record's field")
    need(scalar_value(array[2]), "a record's field")
    need(len(unbase64(array[0])) == 16, "a salt that has not 16 bytes")
    return sha256(b"countersign/field/v1\n" + compact(array).encode())
