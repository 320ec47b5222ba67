// The judge: Go's golang.org/x/mod/sumdb/note and tlog say what a signed note, a tree and a proof are, and this program asks them
// about ours. It shares no code with the project and takes nothing from it but files. See README.md.
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A judge counts what holds and what does not.
type judge struct {
	passed, failed int
	quiet          bool
	section        int
}

func (j *judge) check(holds bool, format string, args ...any) bool {
	if holds {
		j.passed++
		return true
	}
	j.failed++
	if !j.quiet && j.failed <= 40 {
		fmt.Printf("FAIL "+format+"\n", args...)
	}
	return false
}

// ok checks that there is no error.
func (j *judge) ok(err error, format string, args ...any) bool {
	return j.check(err == nil, "%s: %v", fmt.Sprintf(format, args...), err)
}

func (j *judge) done(section string) {
	if !j.quiet {
		fmt.Printf("%-44s %7d checked\n", section, j.passed+j.failed-j.section)
	}
	j.section = j.passed + j.failed
}

// ---- keys and notes

const algEd25519, algCosignature = 1, 4

// cosigner verifies C2SP cosignature/v1 lines, which x/mod does not know: 8 bytes of time, then Ed25519 over a message with it.
type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (c *cosigner) Name() string    { return c.name }
func (c *cosigner) KeyHash() uint32 { return c.hash }
func (c *cosigner) Verify(text, blob []byte) bool {
	if len(blob) != 8+ed25519.SignatureSize {
		return false
	}
	time := binary.BigEndian.Uint64(blob)
	return time < 1<<63 && ed25519.Verify(c.key, cosignatureMessage(time, text), blob[8:])
}

func cosignatureMessage(time uint64, text []byte) []byte {
	return append([]byte(fmt.Sprintf("cosignature/v1\ntime %d\n", time)), text...)
}

// keyID computes a key id from its definition.
func keyID(name string, alg byte, public []byte) uint32 {
	sum := sha256.Sum256(append([]byte(name+"\n"+string([]byte{alg})), public...))
	return binary.BigEndian.Uint32(sum[:4])
}

func vkeyText(name string, alg byte, public []byte) string {
	data := base64.StdEncoding.EncodeToString(append([]byte{alg}, public...))
	return fmt.Sprintf("%s+%08x+%s", name, keyID(name, alg, public), data)
}

// verifier reads a verifier key: x/mod's own for Ed25519, ours above for cosignatures.
func verifier(vkey string) (note.Verifier, error) {
	if v, err := note.NewVerifier(vkey); err == nil {
		return v, nil
	}
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return nil, errors.New("not a verifier key")
	}
	data, err := base64.StdEncoding.Strict().DecodeString(parts[2])
	if err != nil || len(data) != 33 || data[0] != algCosignature {
		return nil, fmt.Errorf("not a verifier key: %q", vkey)
	}
	id := keyID(parts[0], algCosignature, data[1:])
	if fmt.Sprintf("%08x", id) != parts[1] {
		return nil, fmt.Errorf("wrong key id in %q", vkey)
	}
	return &cosigner{parts[0], id, data[1:]}, nil
}

func verifiers(vkeys []string) (note.Verifiers, error) {
	var list []note.Verifier
	seen := map[string]bool{}
	for _, vkey := range vkeys {
		if seen[vkey] {
			continue // x/mod calls a key that is listed twice ambiguous.
		}
		seen[vkey] = true
		v, err := verifier(vkey)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return note.VerifierList(list...), nil
}

// verdict is what note.Open says, in one word.
func verdict(err error) string {
	var unverified *note.UnverifiedNoteError
	var invalid *note.InvalidSignatureError
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &unverified):
		return "unverified"
	case errors.As(err, &invalid):
		return "invalid"
	case strings.HasPrefix(err.Error(), "ambiguous key"):
		return "ambiguous"
	default:
		return "malformed"
	}
}

// well tells whether x/mod takes the form of a note, whoever signed it.
func well(raw []byte) bool {
	_, err := note.Open(raw, note.VerifierList())
	return verdict(err) == "unverified"
}

// stricter tells why our format refuses a note that x/mod's takes, or nothing. All of it stands in SPEC.md 1.
func stricter(raw []byte) string {
	if len(raw) > 1<<20 {
		return "more than 1 MiB"
	}
	lines := strings.Split(strings.TrimSuffix(string(raw[bytes.LastIndex(raw, []byte("\n\n"))+2:]), "\n"), "\n")
	if len(lines) > 16 {
		return "more than 16 lines"
	}
	for _, line := range lines {
		name, blob, _ := strings.Cut(strings.TrimPrefix(line, "— "), " ")
		if len(name) > 255 {
			return "a name of more than 255 bytes"
		}
		if !canonical(blob) {
			return "base64 that is not canonical"
		}
	}
	return ""
}

func canonical(text string) bool {
	bytes, err := base64.StdEncoding.DecodeString(text)
	return err == nil && base64.StdEncoding.EncodeToString(bytes) == text
}

// open opens a note of which every line must be of a known key, none twice, and returns its text and the names of its signers.
func open(raw []byte, vkeys []string) (string, []string, error) {
	known, err := verifiers(vkeys)
	if err != nil {
		return "", nil, err
	}
	n, err := note.Open(raw, known)
	if err != nil {
		return "", nil, err
	}
	if why := stricter(raw); why != "" {
		return "", nil, errors.New(why)
	}
	if lines := bytes.Count(raw[len(n.Text):], []byte("\n")) - 1; lines != len(n.Sigs) {
		return "", nil, fmt.Errorf("%d signature lines, %d of known keys", lines, len(n.Sigs))
	}
	var names []string
	for _, sig := range n.Sigs {
		names = append(names, sig.Name)
	}
	return n.Text, names, nil
}

// ---- trees

// A tree keeps the hashes that x/mod wants to be stored.
type tree struct {
	size   int64
	hashes []tlog.Hash
}

func (t *tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var found []tlog.Hash
	for _, index := range indexes {
		if index < 0 || index >= int64(len(t.hashes)) {
			return nil, fmt.Errorf("hash %d is not there", index)
		}
		found = append(found, t.hashes[index])
	}
	return found, nil
}

func (t *tree) push(leaf []byte) {
	hashes, err := tlog.StoredHashes(t.size, leaf, t)
	must(err)
	t.hashes = append(t.hashes, hashes...)
	t.size++
}

// root is tlog.TreeHash, but for the empty tree: there x/mod 0.7.0 has 32 zero bytes and RFC 6962 has SHA-256 of nothing.
func (t *tree) root(size int64) (tlog.Hash, error) {
	if size == 0 {
		return sha256.Sum256(nil), nil
	}
	if size < 0 || size > t.size {
		return tlog.Hash{}, fmt.Errorf("the tree has %d leaves, not %d", t.size, size)
	}
	return tlog.TreeHash(size, t)
}

// checkpoint reads a checkpoint's text with tlog.ParseTree: x/mod's tree description is the same three lines with another first.
func checkpoint(text string) (origin string, parsed tlog.Tree, err error) {
	origin, rest, found := strings.Cut(text, "\n")
	if !found {
		return "", parsed, errors.New("no line")
	}
	parsed, err = tlog.ParseTree([]byte("go.sum database tree\n" + rest))
	return origin, parsed, err
}

// checkpointText writes it with tlog.FormatTree.
func checkpointText(origin string, t tlog.Tree) string {
	return origin + strings.TrimPrefix(string(tlog.FormatTree(t)), "go.sum database tree")
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "judge:", err)
		os.Exit(2)
	}
}

func main() {
	vectors := flag.String("vectors", "", "folder of the known-answer vectors")
	cases := flag.String("cases", "", "where to write the random cases")
	seed := flag.Int64("seed", 1, "seed of the random cases")
	evidence := flag.String("evidence", "", "an evidence file")
	root := flag.String("root", "", "its root verifier key")
	flag.Parse()
	j := &judge{}
	if *vectors != "" {
		judgeVectors(j, *vectors)
	}
	if *evidence != "" {
		parts, err := readParts(*evidence)
		must(err)
		count := judgeEvidence(j, parts, *root)
		j.done(fmt.Sprintf("evidence: %d notes, %d leaves, %d rollups", count.notes, count.leaves, len(count.rollups)))
	}
	if *cases != "" {
		must(writeCases(*cases, *seed))
	}
	fmt.Printf("judge: %d passed, %d failed\n", j.passed, j.failed)
	if j.failed > 0 {
		os.Exit(1)
	}
}
