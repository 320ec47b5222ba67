package main

import (
	"archive/zip"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type part struct {
	path  string
	bytes []byte
}

func readParts(path string) ([]part, error) {
	reader, err := zip.OpenReader(path)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	var parts []part
	for _, file := range reader.File {
		opened, err := file.Open()
		if err != nil {
			return nil, err
		}
		bytes, err := io.ReadAll(opened)
		opened.Close()
		if err != nil {
			return nil, err
		}
		parts = append(parts, part{file.Name, bytes})
	}
	return parts, nil
}

// entries cuts a C2SP entry bundle.
func entries(bundle []byte) ([][]byte, error) {
	var out [][]byte
	for len(bundle) > 0 {
		if len(bundle) < 2 {
			return nil, fmt.Errorf("the bundle ends inside an entry")
		}
		size := int(bundle[0])<<8 | int(bundle[1])
		if len(bundle) < 2+size {
			return nil, fmt.Errorf("the bundle ends inside an entry")
		}
		out = append(out, bundle[2:2+size])
		bundle = bundle[2+size:]
	}
	return out, nil
}

// document reads the one JSON line of a project document.
func document(text, kind string, into any) error {
	lines := strings.Split(text, "\n")
	if len(lines) != 3 || lines[0] != "countersign/"+kind+"/v1" || lines[2] != "" {
		return fmt.Errorf("not a document of kind %s", kind)
	}
	return json.Unmarshal([]byte(lines[1]), into)
}

type registry struct {
	Version   int
	Previous  *string
	Roots     []string
	Threshold int
	Units     []struct {
		ID, Witness string
		Parent      *string
		Since       string
		Until       *string
		Former      []struct {
			Parent *string
			Until  string
		}
		Replaced    []struct{ Vkey string } `json:"former_witnesses"`
		Keys        []struct {
			Vkey      string
			FromIndex int64 `json:"from_index"`
			Revoked   *struct {
				AtIndex int64 `json:"at_index"`
			}
		}
	}
}

// A person's key is valid after the leaf that enrolled it and before the one that revoked it.
type person struct {
	vkey, roles string
	from, to    int64
}

type log struct {
	tree   *tree
	people []person
	heads  map[int64]bool
}

type rollup struct {
	digest       string
	size         int64
	root         tlog.Hash
	period       string
	revision     int
	version      int // of the registry that it names
}

// A world is what the registries say, and what was read under them.
type world struct {
	j        *judge
	versions []registry
	digests  []string
	roots    []string // of all versions
	newest   registry
	logs     map[string]*log
	notes    int
}

// newWorld walks the registry chain from the root key that its reader trusts.
func newWorld(j *judge, notes [][]byte, root string) *world {
	w := &world{j: j, logs: map[string]*log{}}
	var text string
	for i, raw := range notes {
		var next registry
		// Which keys are to be known stands in the text, so this reads the text first and believes it afterwards.
		unverified, _, _ := strings.Cut(string(raw), "\n\n")
		if !j.ok(document(unverified+"\n", "registry", &next), "registry %d", i+1) {
			break
		}
		known := append(append([]string{}, w.newest.Roots...), next.Roots...)
		opened, names, err := open(raw, known)
		if !j.check(err == nil && opened == unverified+"\n", "registry %d: %v", i+1, err) {
			break
		}
		w.notes++
		signed := func(keys []string) (n int) {
			for _, key := range keys {
				for _, name := range names {
					if strings.HasPrefix(key, name+"+") {
						n++
					}
				}
			}
			return n
		}
		holds := next.Version == i+1 && next.Threshold >= 1 && signed(next.Roots) >= next.Threshold
		if i == 0 {
			holds = holds && next.Previous == nil && signed([]string{root}) == 1 && contains(next.Roots, root)
		} else {
			holds = holds && next.Previous != nil && *next.Previous == digest(text) && signed(w.newest.Roots) >= w.newest.Threshold
		}
		j.check(holds, "registry %d does not follow", i+1)
		for _, unit := range next.Units {
			for _, key := range unit.Keys {
				_, err := verifier(key.Vkey)
				j.check(err == nil && strings.HasPrefix(key.Vkey, unit.ID+"+"), "a key of %s: %v", unit.ID, err)
			}
			_, err := verifier(unit.Witness)
			j.check(err == nil && strings.HasPrefix(unit.Witness, unit.ID+"/witness+"), "the witness of %s: %v", unit.ID, err)
		}
		text = opened
		w.newest = next
		w.versions = append(w.versions, next)
		w.digests = append(w.digests, digest(text))
		w.roots = append(w.roots, next.Roots...)
	}
	return w
}

func contains(list []string, item string) bool {
	for _, other := range list {
		if other == item {
			return true
		}
	}
	return false
}

// nodeKeys are the keys of a unit that may sign the leaf at an index; all of them for index -1.
func (w *world) nodeKeys(id string, index int64) []string { return w.keysAt(id, index, index) }

// headKeys are those that may sign a checkpoint or a rollup over so many leaves: a key's last act stays valid.
func (w *world) headKeys(id string, size int64) []string { return w.keysAt(id, size, size-1) }

func (w *world) keysAt(id string, from, revoked int64) (keys []string) {
	for _, unit := range w.newest.Units {
		if unit.ID != id {
			continue
		}
		for _, key := range unit.Keys {
			if from < 0 || key.FromIndex <= from && (key.Revoked == nil || revoked < key.Revoked.AtIndex) {
				keys = append(keys, key.Vkey)
			}
		}
	}
	return keys
}

// parents are those that a unit has or had, in any month.
func (w *world) parents(id string) (ids []string) {
	for _, unit := range w.newest.Units {
		if unit.ID != id {
			continue
		}
		for _, former := range unit.Former {
			if former.Parent != nil {
				ids = append(ids, *former.Parent)
			}
		}
		if unit.Parent != nil {
			ids = append(ids, *unit.Parent)
		}
	}
	return ids
}

// parentIn is whom a unit reports to in a month by a registry, "" for nobody.
func parentIn(known registry, id, month string) string {
	for _, unit := range known.Units {
		if unit.ID != id || month < unit.Since || unit.Until != nil && *unit.Until < month {
			continue
		}
		parent := unit.Parent
		for _, former := range unit.Former {
			if month <= former.Until {
				parent = former.Parent
				break
			}
		}
		if parent != nil {
			return *parent
		}
	}
	return ""
}

// witnesses are the witness keys, former ones too, of all units above in any month.
func (w *world) witnesses(id string) (keys []string) {
	seen := map[string]bool{}
	for todo := w.parents(id); len(todo) > 0; todo = todo[1:] {
		above := todo[0]
		if seen[above] {
			continue
		}
		seen[above] = true
		todo = append(todo, w.parents(above)...)
		for _, unit := range w.newest.Units {
			if unit.ID != above {
				continue
			}
			keys = append(keys, unit.Witness)
			for _, replaced := range unit.Replaced {
				keys = append(keys, replaced.Vkey)
			}
		}
	}
	return keys
}

// published opens a catalogue or a plan and returns its digest.
func (w *world) published(raw []byte, what string) string {
	text, names, err := open(raw, w.roots)
	w.j.check(err == nil && len(names) >= w.newest.Threshold, "%s: %v", what, err)
	w.j.check(strings.HasPrefix(text, "countersign/"+what+"/v1\n"), "%s is another document", what)
	w.notes++
	return digest(text)
}

// readLog opens every statement of a unit with the keys that may sign it, and builds the tree.
func (w *world) readLog(id string, leaves [][]byte) {
	l := &log{tree: &tree{}, heads: map[int64]bool{}}
	w.logs[id] = l
	for at, leaf := range leaves {
		at := int64(at)
		nodes := w.nodeKeys(id, at)
		known := nodes
		for _, p := range l.people {
			if strings.Contains(","+p.roles+",", ",recorder,") && p.from <= at && at < p.to {
				known = append(known, p.vkey)
			}
		}
		l.tree.push(leaf)
		text, names, err := open(leaf, known)
		w.j.check(err == nil && len(names) == 1, "%s: the statement at %d: %v", id, at, err)
		w.notes++
		var statement struct {
			Type, Unit string
			Clear      map[string]any
		}
		err = document(text, "statement", &statement)
		if !w.j.check(err == nil && statement.Unit == id, "%s: the statement at %d is of %q: %v", id, at, statement.Unit, err) {
			continue
		}
		vkey, _ := statement.Clear["vkey"].(string)
		roles, _ := statement.Clear["roles"].(string)
		switch statement.Type {
		case "operator.enrolled":
			_, err := note.NewVerifier(vkey) // an Ed25519 key, and no other
			byNode := len(names) == 1 && names[0] == id
			w.j.check(err == nil && byNode && strings.HasPrefix(vkey, id+"/"), "%s: the enrolment at %d: %v", id, at, err)
			l.people = append(l.people, person{vkey, roles, at + 1, 1 << 62})
		case "operator.revoked":
			found := false
			for i := range l.people {
				if l.people[i].vkey == vkey && l.people[i].to == 1<<62 {
					l.people[i].to, found = at, true
				}
			}
			w.j.check(found, "%s: the revocation at %d names no running key", id, at)
		}
	}
}

// head checks size and root of a checkpoint of a unit against the tree that Go built.
func (w *world) head(id, text string, size int64) tlog.Tree {
	origin, head, err := checkpoint(text)
	w.j.check(err == nil && origin == "countersign/"+id && head.N == size, "%s: a checkpoint of %s of size %d instead of %d: %v", id, origin, head.N, size, err)
	w.j.check(checkpointText(origin, head) == text, "%s: x/mod writes the checkpoint of %d with other bytes", id, size)
	if l := w.logs[id]; w.j.check(l != nil, "%s has no entries", id) {
		root, err := l.tree.root(size)
		w.j.check(err == nil && root == head.Hash, "%s: the checkpoint of %d has another root than its entries: %v", id, size, err)
		l.heads[size] = true
	}
	return head
}

// rollup opens a rollup and compares its root with the entries.
func (w *world) rollup(id string, raw []byte) *rollup {
	l := w.logs[id]
	if !w.j.check(l != nil, "%s has a rollup and no entries", id) {
		return nil
	}
	// Which keys are valid depends on the size, which stands in the text: opened with all of them first.
	known := w.nodeKeys(id, -1)
	for _, p := range l.people {
		known = append(known, p.vkey)
	}
	text, names, err := open(raw, known)
	if !w.j.ok(err, "%s: a rollup", id) {
		return nil
	}
	w.notes++
	var body struct {
		Unit, Period string
		Revision     int
		Registry     struct {
			Version int
			Digest  string
		}
		Log struct {
			Size int64
			Root hexHash
		}
		Signatories struct{ Preparer, Reviewer, Head string }
	}
	if !w.j.ok(document(text, "rollup", &body), "%s: a rollup", id) {
		return nil
	}
	s := body.Signatories
	w.j.check(body.Unit == id && contains(names, id) && contains(names, s.Preparer) && contains(names, s.Reviewer) && contains(names, s.Head) && len(names) == 4,
		"%s: the rollup of %s is signed by %s", id, body.Period, strings.Join(names, ", "))
	v := body.Registry.Version
	w.j.check(v >= 1 && v <= len(w.digests) && w.digests[v-1] == body.Registry.Digest, "%s: the registry of the rollup of %s", id, body.Period)
	valid := w.headKeys(id, body.Log.Size)
	for role, name := range map[string]string{"preparer": s.Preparer, "reviewer": s.Reviewer, "head": s.Head} {
		enrolled := false
		for _, p := range l.people {
			if strings.HasPrefix(p.vkey, name+"+") && p.from <= body.Log.Size && body.Log.Size <= p.to {
				enrolled = enrolled || strings.Contains(","+p.roles+",", ","+role+",")
				valid = append(valid, p.vkey)
			}
		}
		w.j.check(enrolled, "%s: %s is not enrolled as %s", id, name, role)
	}
	_, _, err = open(raw, valid)
	w.j.ok(err, "%s: the rollup of %s, with the keys that are valid at %d", id, body.Period, body.Log.Size)
	root, err := l.tree.root(body.Log.Size)
	w.j.check(err == nil && root == tlog.Hash(body.Log.Root), "%s: the rollup of %s has another root than its entries: %v", id, body.Period, err)
	return &rollup{digest: digest(text), size: body.Log.Size, root: tlog.Hash(body.Log.Root), period: body.Period, revision: body.Revision, version: v}
}

type counted struct {
	notes, leaves int
	rollups       map[string]bool
}

// judgeEvidence opens every note of an evidence file and recomputes every tree. What the figures mean is not its business.
func judgeEvidence(j *judge, parts []part, root string) counted {
	count := counted{rollups: map[string]bool{}}
	registries, units, order := collect(j, parts)
	w := newWorld(j, registries, root)
	if !j.check(len(w.versions) > 0, "no registry") {
		return count
	}
	for _, id := range order {
		w.readLog(id, units[id])
		count.leaves += len(units[id])
	}
	rollups := w.readRollups(parts)
	for _, r := range rollups {
		count.rollups[r.digest] = true
	}
	for _, p := range parts {
		w.judgePart(p, rollups)
	}
	for _, id := range order {
		w.everyLeafUnderHead(id)
	}
	count.notes = w.notes
	return count
}

// collect returns the registries, each unit's entries, and the units in the order of the file.
func collect(j *judge, parts []part) (registries [][]byte, units map[string][][]byte, order []string) {
	units = map[string][][]byte{}
	for _, p := range parts { // paths are sorted: registries and bundles come in the order of their numbers
		split := strings.Split(p.path, "/")
		switch {
		case split[0] == "registry":
			registries = append(registries, p.bytes)
		case split[0] == "unit" && len(split) == 4 && split[2] == "entries":
			leaves, err := entries(p.bytes)
			j.ok(err, "%s", p.path)
			if units[split[1]] == nil {
				order = append(order, split[1])
			}
			j.check(len(leaves) > 0 && len(units[split[1]])%256 == 0, "%s does not follow a full bundle", p.path)
			units[split[1]] = append(units[split[1]], leaves...)
		}
	}
	return registries, units, order
}

// readRollups returns the rollups by unit/month.revision.
func (w *world) readRollups(parts []part) map[string]*rollup {
	rollups := map[string]*rollup{}
	for _, p := range parts {
		if split := strings.Split(p.path, "/"); split[0] == "unit" && len(split) == 4 && split[2] == "rollup" {
			if r := w.rollup(split[1], p.bytes); r != nil {
				name := fmt.Sprintf("%s.%d", r.period, r.revision)
				w.j.check(split[3] == name+".note", "%s is the rollup of %s", p.path, name)
				rollups[split[1]+"/"+name] = r
			}
		}
	}
	return rollups
}

// judgePart judges what is no registry, no bundle and no rollup.
func (w *world) judgePart(p part, rollups map[string]*rollup) {
	split := strings.Split(p.path, "/")
	switch {
	case p.path == "countersign-evidence-v1":
		w.j.check(len(p.bytes) == 0, "the mark is not empty")
	case p.path == "arrivals.note":
		w.arrivals(p.bytes)
	case len(split) == 2 && (split[0] == "catalogue" || split[0] == "plan"):
		sum := w.published(p.bytes, split[0])
		w.j.check(split[1] == strings.Replace(sum, ":", "-", 1)+".note", "%s has the digest %s", p.path, sum)
	case len(split) == 2 && split[0] == "registry":
	case split[0] != "unit" || len(split) != 4:
		w.j.check(false, "%s is no part of an evidence file", p.path)
	case split[2] == "checkpoint":
		size, err := strconv.ParseInt(strings.TrimSuffix(split[3], ".note"), 10, 64)
		w.j.check(err == nil && size >= 0, "%s", p.path)
		text, names, err := open(p.bytes, append(w.headKeys(split[1], size), w.witnesses(split[1])...))
		w.j.check(err == nil && contains(names, split[1]), "%s: %v", p.path, err)
		w.notes++
		w.head(split[1], text, size)
	case split[2] == "receipt":
		name := strings.SplitN(split[3], ".", 3) // month, revision, and the rest
		r := rollups[split[1]+"/"+strings.Join(name[:len(name)-1], ".")]
		if w.j.check(r != nil, "%s is about no rollup", p.path) {
			w.receipt(split[1], p.path, p.bytes, r)
		}
	case split[2] == "entries" || split[2] == "rollup":
	default:
		w.j.check(false, "%s is no part of an evidence file", p.path)
	}
}

// everyLeafUnderHead: the largest signed head of a log has all of its leaves.
func (w *world) everyLeafUnderHead(id string) {
	var sizes []int64
	for size := range w.logs[id].heads {
		sizes = append(sizes, size)
	}
	sort.Slice(sizes, func(a, b int) bool { return sizes[a] < sizes[b] })
	w.j.check(len(sizes) > 0 && sizes[len(sizes)-1] == w.logs[id].tree.size, "%s: entries behind the last checkpoint", id)
}

func (w *world) arrivals(raw []byte) {
	var body struct {
		By       string
		Received map[string]string
	}
	text, _, _ := strings.Cut(string(raw), "\n\n")
	if !w.j.ok(document(text+"\n", "arrivals", &body), "arrivals") {
		return
	}
	opened, _, err := open(raw, w.nodeKeys(body.By, -1))
	w.j.check(err == nil && opened == text+"\n", "arrivals of %s: %v", body.By, err)
	w.notes++
	for rollup := range body.Received {
		_, err := hex.DecodeString(strings.TrimPrefix(rollup, "sha256:"))
		w.j.check(err == nil && len(rollup) == 71, "arrivals name %q", rollup)
	}
}

func (w *world) receipt(id, path string, raw []byte, r *rollup) {
	// The parent of the month by the newest registry, or by the one that the rollup names.
	parents := []string{parentIn(w.newest, id, r.period)}
	if r.version >= 1 && r.version <= len(w.versions) {
		parents = append(parents, parentIn(w.versions[r.version-1], id, r.period))
	}
	var known []string
	for _, parent := range parents {
		known = append(known, w.nodeKeys(parent, -1)...)
	}
	text, names, err := open(raw, known)
	if !w.j.ok(err, "%s", path) {
		return
	}
	w.notes++
	var body struct {
		Parent, Child, Period, Rollup, Decision, Checkpoint string
		Revision                                            int
	}
	if !w.j.ok(document(text, "receipt", &body), "%s", path) {
		return
	}
	w.j.check(contains(parents, body.Parent) && contains(names, body.Parent) && body.Child == id && body.Period == r.period && body.Revision == r.revision && body.Rollup == r.digest,
		"%s is about another rollup", path)
	if body.Decision != "accepted" {
		return
	}
	text, names, err = open([]byte(body.Checkpoint), append(w.headKeys(id, r.size), w.witnesses(id)...))
	w.j.check(err == nil && contains(names, body.Parent+"/witness"), "%s: the checkpoint in it is signed by %s: %v", path, strings.Join(names, ", "), err)
	w.notes++
	head := w.head(id, text, r.size)
	w.j.check(head.Hash == r.root, "%s: the checkpoint has another root than the rollup", path)
}
