package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A hexHash is a hash in lowercase hexadecimal.
type hexHash tlog.Hash

func (h *hexHash) UnmarshalText(text []byte) error {
	bytes, err := hex.DecodeString(string(text))
	if err != nil || len(bytes) != tlog.HashSize || hex.EncodeToString(bytes) != string(text) {
		return fmt.Errorf("not a hash: %q", text)
	}
	copy(h[:], bytes)
	return nil
}

func plain(hashes []hexHash) []tlog.Hash {
	out := make([]tlog.Hash, len(hashes))
	for i, hash := range hashes {
		out[i] = tlog.Hash(hash)
	}
	return out
}

func same(a, b []tlog.Hash) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func digest(text string) string { return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(text))) }

func judgeVectors(j *judge, folder string) {
	read := func(name string, into any) {
		bytes, err := os.ReadFile(filepath.Join(folder, name))
		must(err)
		must(json.Unmarshal(bytes, into))
	}
	var notes notesVector
	read("notes.json", &notes)
	judgeNotes(j, notes)
	j.done("vectors: notes")
	var log logVector
	read("log.json", &log)
	judgeLog(j, log)
	j.done("vectors: log")
	var period periodVector
	read("period.json", &period)
	judgePeriod(j, period)
	j.done("vectors: period")
	var record recordVector
	read("record.json", &record)
	judgeRecord(j, record)
	j.done("vectors: record and disclosure")

	known := map[string]json.RawMessage{}
	read("evidence.json", &known)
	var root string
	must(json.Unmarshal(known["root_vkey"], &root))
	for _, name := range []string{"evidence-small.zip", "evidence-world.zip"} {
		var want struct {
			SHA256 string
			Report struct {
				Leaves  int
				Rollups []struct{ Rollup string }
			}
		}
		must(json.Unmarshal(known[name], &want))
		bytes, err := os.ReadFile(filepath.Join(folder, name))
		must(err)
		j.check(digest(string(bytes)) == want.SHA256, "%s has another digest", name)
		parts, err := readParts(filepath.Join(folder, name))
		must(err)
		count := judgeEvidence(j, parts, root)
		j.check(count.leaves == want.Report.Leaves, "%s: %d leaves, not %d", name, count.leaves, want.Report.Leaves)
		j.check(len(count.rollups) == len(want.Report.Rollups), "%s: %d rollups", name, len(count.rollups))
		for _, rollup := range want.Report.Rollups {
			j.check(count.rollups[rollup.Rollup], "%s: the rollup %s is not there", name, rollup.Rollup)
		}
		j.done("vectors: " + name)
		sabotage(j, parts, root)
		j.done("vectors: " + name + ", one bit flipped")
	}

	// Honest files with a void, a revision, a longer registry chain and a rotated key. What they must not be is for others to say.
	folder = filepath.Join(folder, "refuse")
	if _, err := os.Stat(filepath.Join(folder, "controls.json")); err == nil {
		var controls []struct {
			File, Root string
			Cofactor   bool // a statement's signature that holds with the cofactor only (SPEC.md 1)
		}
		read("controls.json", &controls)
		for _, control := range controls {
			if !strings.HasSuffix(control.File, ".zip") {
				continue
			}
			parts, err := readParts(filepath.Join(folder, control.File))
			if j.ok(err, "%s", control.File) {
				if control.Cofactor {
					// crypto/ed25519 has no cofactor: it refuses this one signature, and then has no statement to read.
					silent := &judge{quiet: true}
					judgeEvidence(silent, parts, control.Root)
					j.check(silent.failed == 2, "%s: %d checks fail, not just one statement's signature", control.File, silent.failed)
					continue
				}
				before := j.failed
				judgeEvidence(j, parts, control.Root)
				j.check(j.failed == before, "%s must hold", control.File)
			}
		}
		j.done("vectors: the honest files of refuse/")
	}
}

type notesVector struct {
	Keys []struct {
		Alg        byte
		KeyID      string `json:"key_id"`
		Name       string
		SigningKey string `json:"signing_key"`
		Vkey       string
	}
	Note, Text, Digest string
	Refused            []struct {
		Form      bool
		Note, Why string
	}
}

func judgeNotes(j *judge, v notesVector) {
	var signers []note.Signer
	for _, key := range v.Keys {
		parts := strings.SplitN(key.Vkey, "+", 3)
		data, err := base64.StdEncoding.DecodeString(parts[2])
		j.check(err == nil && parts[0] == key.Name && data[0] == key.Alg, "the parts of %s", key.Vkey)
		j.check(fmt.Sprintf("%08x", keyID(key.Name, key.Alg, data[1:])) == key.KeyID, "the key id of %s", key.Vkey)
		known, err := verifier(key.Vkey)
		j.check(err == nil && known.Name() == key.Name && fmt.Sprintf("%08x", known.KeyHash()) == key.KeyID, "%s as x/mod has it: %v", key.Vkey, err)
		if key.Alg == algEd25519 {
			signer, err := note.NewSigner(key.SigningKey)
			if j.ok(err, "the signing key of %s", key.Name) {
				signers = append(signers, signer)
			}
		}
	}
	vkeys := []string{v.Keys[0].Vkey, v.Keys[1].Vkey}
	text, names, err := open([]byte(v.Note), vkeys)
	j.ok(err, "the note")
	j.check(text == v.Text && strings.Join(names, " ") == v.Keys[0].Name+" "+v.Keys[1].Name, "text and signers of the note")
	j.check(digest(v.Text) == v.Digest, "the digest of the note")
	signed, err := note.Sign(&note.Note{Text: v.Text}, signers...)
	j.check(err == nil && string(signed) == v.Note, "x/mod signs the note with other bytes: %v", err)

	known, err := verifiers(vkeys)
	must(err)
	for _, refused := range v.Refused {
		raw := []byte(refused.Note)
		_, err := note.Open(raw, known)
		switch {
		case refused.Form:
			j.check(well(raw) && (verdict(err) == "invalid" || verdict(err) == "unverified"), "%s: x/mod says %s", refused.Why, verdict(err))
		case well(raw):
			// The one place where our form is narrower than x/mod's.
			j.check(stricter(raw) != "", "%s: x/mod takes the form, and SPEC.md gives no reason to refuse it", refused.Why)
		default:
			j.check(verdict(err) == "malformed", "%s: x/mod says %s", refused.Why, verdict(err))
		}
	}
}

type logVector struct {
	Leaves     []string
	LeafHashes []hexHash `json:"leaf_hashes"`
	Roots      []hexHash
	Bundle     string
	Inclusion  []struct {
		Index, Size int64
		Proof       []hexHash
	}
	Consistency []struct {
		Old, New int64
		Proof    []hexHash
	}
	Checkpoint  struct{ Note, Text, Vkey string }
	Cosignature struct {
		Note, Witness string
		Time          uint64
	}
}

func judgeLog(j *judge, v logVector) {
	t := &tree{}
	for i, leaf := range v.Leaves {
		data, err := hex.DecodeString(leaf)
		must(err)
		j.check(tlog.RecordHash(data) == tlog.Hash(v.LeafHashes[i]), "the hash of leaf %d", i)
		t.push(data)
	}
	j.check(len(v.Roots) == len(v.Leaves)+1, "%d roots", len(v.Roots))
	for size, want := range v.Roots {
		root, err := t.root(int64(size))
		j.check(err == nil && root == tlog.Hash(want), "the root of %d leaves: %v", size, err)
	}
	for _, p := range v.Inclusion {
		proof := plain(p.Proof)
		made, err := tlog.ProveRecord(p.Size, p.Index, t)
		j.check(err == nil && same(made, proof), "x/mod makes another proof of leaf %d in %d", p.Index, p.Size)
		j.ok(tlog.CheckRecord(proof, p.Size, tlog.Hash(v.Roots[p.Size]), p.Index, tlog.Hash(v.LeafHashes[p.Index])), "leaf %d in %d", p.Index, p.Size)
	}
	for _, p := range v.Consistency {
		proof := plain(p.Proof)
		if p.Old == 0 {
			j.check(len(proof) == 0, "a proof from size 0 is empty") // x/mod defines none.
			continue
		}
		made, err := tlog.ProveTree(p.New, p.Old, t)
		j.check(err == nil && same(made, proof), "x/mod makes another proof from %d to %d", p.Old, p.New)
		j.ok(tlog.CheckTree(proof, p.New, tlog.Hash(v.Roots[p.New]), p.Old, tlog.Hash(v.Roots[p.Old])), "from %d to %d", p.Old, p.New)
	}
	raw, err := hex.DecodeString(v.Bundle)
	must(err)
	leaves, err := entries(raw)
	j.check(err == nil && len(leaves) == len(v.Leaves), "the bundle: %v", err)
	for i, leaf := range leaves {
		j.check(hex.EncodeToString(leaf) == v.Leaves[i], "leaf %d of the bundle", i)
	}

	text, _, err := open([]byte(v.Checkpoint.Note), []string{v.Checkpoint.Vkey})
	j.check(err == nil && text == v.Checkpoint.Text, "the checkpoint's note: %v", err)
	origin, parsed, err := checkpoint(v.Checkpoint.Text)
	j.ok(err, "the checkpoint as x/mod reads a tree")
	j.check(parsed.N == t.size && parsed.Hash == tlog.Hash(v.Roots[t.size]), "size and root of the checkpoint")
	j.check(checkpointText(origin, parsed) == v.Checkpoint.Text, "x/mod writes the checkpoint with other bytes")
	_, names, err := open([]byte(v.Cosignature.Note), []string{v.Checkpoint.Vkey, v.Cosignature.Witness})
	j.check(err == nil && len(names) == 2, "the cosigned checkpoint: %v", err)
	lines := strings.Split(v.Cosignature.Note, "\n")
	blob, _ := base64.StdEncoding.DecodeString(lines[len(lines)-2][strings.LastIndex(lines[len(lines)-2], " ")+1:])
	j.check(len(blob) == 76 && binary.BigEndian.Uint64(blob[4:]) == v.Cosignature.Time, "the time of the cosignature")
}

type periodVector struct {
	Digest, Registry, Rollup, Unit string
	Entries                        []string
	RootVkeys                      []string `json:"root_vkeys"`
}

func judgePeriod(j *judge, v periodVector) {
	w := newWorld(j, [][]byte{[]byte(v.Registry)}, v.RootVkeys[0])
	var leaves [][]byte
	for _, entry := range v.Entries {
		leaves = append(leaves, []byte(entry))
	}
	w.readLog(v.Unit, leaves)
	r := w.rollup(v.Unit, []byte(v.Rollup))
	j.check(r != nil && r.digest == v.Digest, "the digest of the rollup")
}

type recordVector struct {
	RootVkey   string `json:"root_vkey"`
	Root       hexHash
	Record     struct{ Fields []json.RawMessage }
	Disclosure struct {
		Unit, Statement, Checkpoint, Catalogue string
		Index                                  int64
		Proof                                  []hexHash
		Registries                             []string
		Fields                                 []struct {
			Field        json.RawMessage
			Position, Of int64
			Proof        []hexHash
		}
	}
}

func fieldDigest(field json.RawMessage) []byte {
	var compact bytes.Buffer
	must(json.Compact(&compact, field))
	sum := sha256.Sum256(append([]byte("countersign/field/v1\n"), compact.Bytes()...))
	return sum[:]
}

func judgeRecord(j *judge, v recordVector) {
	t := &tree{}
	for _, field := range v.Record.Fields {
		t.push(fieldDigest(field))
	}
	root, err := t.root(t.size)
	j.check(err == nil && root == tlog.Hash(v.Root), "the root of the record")
	d := v.Disclosure
	for _, field := range d.Fields {
		hash := tlog.RecordHash(fieldDigest(field.Field))
		j.ok(tlog.CheckRecord(plain(field.Proof), field.Of, tlog.Hash(v.Root), field.Position, hash), "field %d of the disclosure", field.Position)
		made, err := tlog.ProveRecord(field.Of, field.Position, t)
		j.check(err == nil && same(made, plain(field.Proof)), "x/mod makes another proof of field %d", field.Position)
	}
	var registries [][]byte
	for _, registry := range d.Registries {
		registries = append(registries, []byte(registry))
	}
	w := newWorld(j, registries, v.RootVkey)
	w.published([]byte(d.Catalogue), "catalogue")
	text, _, err := open([]byte(d.Checkpoint), w.nodeKeys(d.Unit, -1))
	j.ok(err, "the disclosure's checkpoint")
	origin, head, err := checkpoint(text)
	j.check(err == nil && origin == "countersign/"+d.Unit, "the disclosure's checkpoint is of %s: %v", origin, err)
	j.ok(tlog.CheckRecord(plain(d.Proof), head.N, head.Hash, d.Index, tlog.RecordHash([]byte(d.Statement))), "the disclosed statement")
	// Who signed the statement stands in the log, of which the disclosure shows one leaf: the tree vouches for it.
	_, err = note.Open([]byte(d.Statement), nil)
	var unverified *note.UnverifiedNoteError
	if !j.check(errors.As(err, &unverified), "the disclosed statement: %v", err) {
		return
	}
	text = unverified.Note.Text
	var statement struct {
		Unit   string
		Record hexHash
	}
	j.ok(document(text, "statement", &statement), "the disclosed statement")
	j.check(statement.Unit == d.Unit && statement.Record == v.Root, "unit and record of the disclosed statement")
}

// sabotage flips bits of an honest file: a judge that is silent about one of them does not look there.
func sabotage(j *judge, parts []part, root string) {
	random := rand.New(rand.NewSource(1))
	for at, part := range parts {
		for n := 0; n < 3 && len(part.bytes) > 0; n++ {
			changed := append(parts[:0:0], parts...)
			changed[at].bytes = append([]byte(nil), part.bytes...)
			place, bit := random.Intn(len(part.bytes)), random.Intn(8)
			changed[at].bytes[place] ^= 1 << bit
			silent := &judge{quiet: true}
			judgeEvidence(silent, changed, root)
			j.check(silent.failed > 0, "bit %d of byte %d of %s was flipped and nothing fails", bit, place, part.path)
		}
	}
}
