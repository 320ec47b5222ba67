"""SPEC 4, Reading a log: one leaf after the other, each by the same steps."""

from .commitments import add_row
from .fault import Fault, need
from .group import IDENTITY
from .log import leaf_hash, tree_root
from .note import ED25519, Key, Note, known_keys
from .notation import is_day
from .statement import CORRECTED, ENROLMENTS, REVOKED, Statement

ROLES = {"recorder", "preparer", "reviewer", "head"}


class Month:
    """What the leaves of one month add up to so far."""

    def __init__(self):
        self.catalogue = self.first = None
        self.sum = IDENTITY  # S
        self.sealed = {}  # type -> net number of leaves
        self.clear = {}  # type -> column -> net weight
        self.late, self.voided = {}, 0
        self.leaves = {"sealed": 0, "clear": 0}

    def add(self, s, sign, name):
        """Adds a statement's row to the sums of this name, or takes it back where `sign` is -1."""
        if s.form == "sealed":
            self.sum = add_row(self.sum, s.row, sign)
            self.sealed[name] = self.sealed.get(name, 0) + sign
        else:
            columns = self.clear.setdefault(name, {})
            for column, value in s.counts.items():
                columns[column] = columns.get(column, 0) + sign * value


class Log:
    """A unit's log, read up to `at`. `faults` has the first fault of each check."""

    def __init__(self, unit, entries, registry, catalogues):
        self.unit, self.entries, self.registry = unit, entries, registry
        self.catalogues = catalogues
        self.hashes = [leaf_hash(e) for e in entries]
        self.roots = {}  # size -> root; every rollup asks for those of all before it
        self.at, self.months, self.faults, self.ids = 0, {}, {}, set()
        self.leaves = []  # the statement of each counted leaf, else None
        self.periods = []  # the month of each leaf, None where it has no statement
        self.void = set()  # indices that were taken back
        self.people = {}  # name -> (key, roles) of running enrolments
        self.ever = {}  # vkey -> key of all enrolments

    def root(self, size):
        if size not in self.roots:
            self.roots[size] = tree_root(self.hashes[:size])
        return self.roots[size]

    def of_nobody(self, keys):
        """The node keys whose public bytes nobody was enrolled with so far."""
        enrolled = {k.public for k in self.ever.values()}
        return [k for k in keys if k.public not in enrolled]

    def month(self, period):
        return self.months.setdefault(period, Month())

    def read_to(self, size):
        while self.at < min(size, len(self.entries)):
            i, self.at = self.at, self.at + 1
            self.leaves.append(None)
            self.periods.append(None)
            leaf = Leaf(self, i)
            for step in STEPS:
                try:
                    step(leaf)
                except Fault as e:
                    self.fault(CHECK_OF[step], i, e)
                    break
                if leaf.done:
                    break

    def fault(self, check, i, why):
        self.faults.setdefault(check, "leaf %d: %s" % (i, why))


class Leaf:
    """One leaf on its way through the steps."""

    def __init__(self, log, index):
        self.log, self.index, self.statement = log, index, None
        self.catalogue = self.month = None
        self.done = False  # nothing more to do: an enrolment

    def fault(self, check, why):
        """A fault of a leaf that is read on and counted."""
        self.log.fault(check, self.index, why)


def signer(leaf):
    """Step 1: a statement of this unit with one line, by a key valid at this index."""
    log, index = leaf.log, leaf.index
    note = Note(log.entries[index])
    s = Statement(note)
    need(s.unit == log.unit, "a statement of %s" % s.unit)
    leaf.statement, log.periods[index] = s, s.period
    need(len(note.lines) == 1, "a statement with %d signatures" % len(note.lines))
    keys = log.of_nobody(log.registry.keys_for_leaf(log.unit, index))
    if s.type not in ENROLMENTS:
        keys += [key for key, roles in log.people.values() if "recorder" in roles]
    name, key_id, blob = note.lines[0]
    key = next((k for k in keys if (k.name, k.id) == (name, key_id)), None)
    need(key is not None, "signed by %s, which holds no key for it at this index" % name)
    if not key.holds_under_statement(note.text, blob):
        leaf.fault("authorship", "its signature is wrong")


def enrol(leaf):
    """Step 2: enrolments and revocations of people's keys."""
    s = leaf.statement
    if s.type == REVOKED:
        revoke_person(leaf.log, s)
    elif s.type in ENROLMENTS:
        enrol_person(leaf.log, s)


def revoke_person(log, s):
    running = log.people.get(Key.of(s.clear["vkey"]).name)
    same = running and running[0].vkey == s.clear["vkey"]
    need(same, "a revocation of a key that is not running")
    del log.people[running[0].name]


def enrol_person(log, s):
    key = Key.of(s.clear["vkey"])
    need(key.algorithm == ED25519, "an enrolled key that is not Ed25519")
    person = key.name[len(log.unit) + 1 :]
    named = key.name == "%s/%s" % (log.unit, person) and person not in ("", "witness")
    need(named, "an enrolled key's name")
    others = [k for k in log.ever.values() if k.public == key.public]
    need(all(k.name == key.name for k in others), "one key under two names")
    known_keys(list(log.ever.values()) + [key])
    roles = s.clear["roles"].split(",")
    need(set(roles) <= ROLES, "unknown roles: %s" % s.clear["roles"])
    need(key.name not in log.people, "%s is enrolled already" % key.name)
    log.people[key.name] = (key, set(roles))
    log.ever[key.vkey] = key


def identity(leaf):
    """Step 3: the id is new, `late` is before the month, `replaces` is what was just corrected."""
    log, s = leaf.log, leaf.statement
    if s.id in log.ids:
        leaf.fault("history", "its id was used before")
    log.ids.add(s.id)
    if s.type in ENROLMENTS:
        leaf.done = True
        return
    need(s.late is None or s.late < s.period, "late is not before the month")
    need(s.replaces is None or corrects(leaf), "it replaces what was not corrected just before")


def corrects(leaf):
    """Whether the leaf before corrects what this one replaces, which is of the same type."""
    log, s = leaf.log, leaf.statement
    before = log.leaves[leaf.index - 1] if leaf.index else None
    if s.form == "void" or before is None or before.type != CORRECTED:
        return False
    same_type = log.leaves[before.voids["index"]].type == s.type
    return before.voids == s.replaces and same_type


def catalogue_of_month(leaf):
    """Step 4: a known catalogue, and one only for the whole month."""
    log, s = leaf.log, leaf.statement
    leaf.catalogue = log.catalogues.get(s.catalogue)
    need(leaf.catalogue is not None, "an unknown catalogue")
    leaf.month = log.month(s.period)
    one = leaf.month.catalogue in (None, s.catalogue)
    need(one, "a second catalogue in %s" % s.period)


def void(leaf):
    """Step 5: a void takes exactly its target's row back."""
    log, s = leaf.log, leaf.statement
    if s.form != "void":
        return
    index = s.voids["index"]
    target = log.leaves[index] if index < leaf.index else None
    counted = target is not None and target.form != "void" and target.id == s.voids["id"]
    need(counted, "it voids no counted leaf")
    need(index not in log.void, "it voids leaf %d again" % index)
    need(target.period <= s.period, "it voids leaf %d of a later month" % index)
    old = log.catalogues[target.catalogue].schema(target.type)
    new = leaf.catalogue.schema(target.type)
    same = new is not None and old.digest == new.digest
    log.void.add(index)
    leaf.month.voided += 1
    leaf.month.add(target, -1, target.type if same else "%s@%s" % (target.type, old.digest))
    count(leaf)


def schema_of_form(leaf):
    """The schema of the leaf's type, which must be sealed or clear as the leaf is."""
    s = leaf.statement
    schema = leaf.catalogue.schema(s.type)
    need(schema is not None, "the type %s is not in the catalogue" % s.type)
    pi = schema.event["pi"]
    need((s.form == "clear") == (pi == "P0"), "a %s statement of class %s" % (s.form, pi))
    tier = leaf.log.registry.units[s.unit]["tier"]
    recorded = schema.event["system"] or tier in schema.event["levels"]
    need(recorded, "the type %s is not recorded by a %s" % (s.type, tier))
    return schema


def sealed(leaf):
    """Step 6: the commitment of a sealed row is added to S."""
    if leaf.statement.form == "sealed":
        schema_of_form(leaf)
        count_row(leaf)


def clear(leaf):
    """Step 6: the weights of a clear row are added; only their form is checked here."""
    s = leaf.statement
    if s.form == "clear":
        schema = schema_of_form(leaf)
        schema.check_counts(s.counts)
        schema.check_fields(s.clear)
        need(is_day(s.clear.get("occurred_on")), "no day of occurrence")
        day_of_month(leaf, s.clear["occurred_on"][:7])
        count_row(leaf)


def day_of_month(leaf, occurred):
    """The day is not behind the month; one of an earlier month is late, from `since` on."""
    s = leaf.statement
    need(occurred <= s.period, "it occurred behind its month")
    since = leaf.log.registry.units[s.unit]["since"]
    late = occurred if since <= occurred < s.period else None
    need(s.late == late, "late is not the month in which it occurred")


def count_row(leaf):
    leaf.month.add(leaf.statement, 1, leaf.statement.type)
    leaf.month.leaves[leaf.statement.form] += 1
    count(leaf)


def count(leaf):
    """What a counted leaf or void leaves in its month."""
    s, month = leaf.statement, leaf.month
    leaf.log.leaves[leaf.index] = s
    month.catalogue = s.catalogue
    month.first = leaf.index if month.first is None else month.first
    if s.late is not None:
        month.late[s.late] = month.late.get(s.late, 0) + 1


STEPS = (signer, enrol, identity, catalogue_of_month, void, sealed, clear)
CHECK_OF = {
    signer: "authorship",
    enrol: "authorship",
    identity: "history",
    catalogue_of_month: "binding",
    void: "history",
    sealed: "binding",
    clear: "binding",
}
