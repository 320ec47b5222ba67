package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// What protocol/tests/go_cases.rs reads. Texts and notes are bytes (base64 in JSON): not all of them are UTF-8.
type cases struct {
	Seed            int64            `json:"seed"`
	RefusedInNames  []rune           `json:"refused_in_names"`
	Vkeys           []vkeyCase       `json:"vkeys"`
	Signed          []signedCase     `json:"signed"`
	Judged          []judgedCase     `json:"judged"`
	Checkpoints     []checkpointCase `json:"checkpoints"`
	CheckpointTexts []textCase       `json:"checkpoint_texts"`
	Tree            treeCase         `json:"tree"`
	Verdicts        []proofCase      `json:"verdicts"`
	Big             bigCase          `json:"big"`
	NewTiles        []newTilesCase   `json:"new_tiles"`
	Paths           []pathCase       `json:"paths"`
}

// Where `stricter` is not empty, x/mod takes a thing and our format refuses it, for this reason.
type vkeyCase struct {
	Vkey     string `json:"vkey"`
	OK       bool   `json:"ok"`
	Stricter string `json:"stricter"`
}

type signedCase struct {
	Text  []byte   `json:"text"`
	Skeys []string `json:"skeys"`
	Vkeys []string `json:"vkeys"`
	Note  []byte   `json:"note"`
}

type judgedCase struct {
	Note     []byte   `json:"note"`
	Known    []string `json:"known"`
	Well     bool     `json:"well"`
	Verdict  string   `json:"verdict"`
	Signers  []string `json:"signers"`
	Text     []byte   `json:"text"`
	Stricter string   `json:"stricter"`
}

type checkpointCase struct {
	Origin  string       `json:"origin"`
	Size    int64        `json:"size"`
	Root    string       `json:"root"`
	Text    string       `json:"text"`
	Skey    string       `json:"skey"`
	Signed  []byte       `json:"signed"`
	Witness []cosignCase `json:"witness"`
	Whole   []byte       `json:"whole"`
}

type cosignCase struct {
	Skey string `json:"skey"`
	Vkey string `json:"vkey"`
	Time uint64 `json:"time"`
}

type textCase struct {
	Text     []byte `json:"text"`
	OK       bool   `json:"ok"`
	Size     int64  `json:"size"`
	Root     string `json:"root"`
	Stricter string `json:"stricter"`
}

// Proofs are lists of indexes into `hashes`.
type treeCase struct {
	Leaves      [][]byte  `json:"leaves"`
	Hashes      []string  `json:"hashes"`
	Roots       []int     `json:"roots"`       // [size], from 0
	Inclusion   [][][]int `json:"inclusion"`   // [size-1][index]
	Consistency [][][]int `json:"consistency"` // [new-1][old-1]
}

type proofCase struct {
	Old     int64    `json:"old"`   // index for inclusion
	New     int64    `json:"new"`   // size for inclusion
	Start   string   `json:"start"` // leaf hash or old root
	Root    string   `json:"root"`
	Proof   []string `json:"proof"`
	Include bool     `json:"include"`
	OK      bool     `json:"ok"`
}

// Leaf i is the text `<prefix> <i>\n`.
type bigCase struct {
	Prefix string            `json:"prefix"`
	Size   int64             `json:"size"`
	Roots  map[string]string `json:"roots"`
	Proofs []proofCase       `json:"proofs"`
	Tiles  []tileCase        `json:"tiles"`
}

type tileCase struct {
	Level  int    `json:"level"`
	N      int64  `json:"n"`
	Width  int    `json:"width"`
	Size   int64  `json:"size"` // of the tree of which it is a tile
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
}

type newTilesCase struct {
	Old   int64      `json:"old"`
	New   int64      `json:"new"`
	Tiles [][3]int64 `json:"tiles"`
}

type pathCase struct {
	Path string `json:"path"`
	OK   bool   `json:"ok"`
	Tile *int   `json:"level"` // none for entries
	N    int64  `json:"n"`
	W    int    `json:"width"`
}

type maker struct{ *rand.Rand }

func (m maker) pick(from ...string) string { return from[m.Intn(len(from))] }

func (m maker) bytes(n int) []byte {
	out := make([]byte, n)
	m.Read(out)
	return out
}

// Characters that parsers trip over: marks, joiners, direction marks, not-characters, both ends of the planes.
var odd = []string{"a", "Z", "0", "/", "-", "—", "– ", "县", "平定县", "é", "e\u0301", "ß", "İ", "\u200b", "\u200d", "\ufeff", "\u202e", "\ufffd", "\ufffe",
	"\U0001f5f3", "\U0010ffff", "\u007f", "\u180e", "\u2060", "=", "==", "{", "\"", "\\", "<", "&", "\ue000", "\u0378"}

func (m maker) name() string {
	name := m.pick("140321", "countersign/140321", "1403/witness", "县", "x")
	for n := m.Intn(4); n > 0; n-- {
		name += strings.TrimSpace(m.pick(odd...))
	}
	return name
}

func (m maker) text() string {
	var text strings.Builder
	for n := m.Intn(8); n > 0; n-- {
		switch m.Intn(6) {
		case 0: // an empty line
		case 1: // what looks like a signature
			fmt.Fprintf(&text, "— %s %s", m.name(), base64.StdEncoding.EncodeToString(m.bytes(68)))
		case 2:
			text.WriteString(strings.Repeat(m.pick(odd...), 1+m.Intn(300)))
		default:
			for k := m.Intn(20); k > 0; k-- {
				text.WriteString(m.pick(append(odd, " ", "\u00a0", "\u3000", "\u0085", "\u2028")...))
			}
		}
		text.WriteString("\n")
	}
	text.WriteString("\n")
	return text.String()
}

type key struct {
	skey, vkey string
	signer     note.Signer
}

func (m maker) key(name string) key { return seeded(name, m.bytes(32)) }

func seeded(name string, seed []byte) key {
	skey, vkey, err := note.GenerateKey(bytes.NewReader(seed), name)
	must(err)
	signer, err := note.NewSigner(skey)
	must(err)
	return key{skey, vkey, signer}
}

func (m maker) keys(n int) (keys []key) {
	for ; n > 0; n-- {
		keys = append(keys, m.key(m.name()))
	}
	return keys
}

func (m maker) signed() signedCase {
	count := 1 + m.Intn(3)
	if m.Intn(20) == 0 {
		count = 16
	}
	c := signedCase{Text: []byte(m.text())}
	var signers []note.Signer
	for _, key := range m.keys(count) {
		c.Skeys = append(c.Skeys, key.skey)
		c.Vkeys = append(c.Vkeys, key.vkey)
		signers = append(signers, key.signer)
	}
	raw, err := note.Sign(&note.Note{Text: string(c.Text)}, signers...)
	must(err)
	c.Note = raw
	return c
}

// judged asks x/mod about a note, whatever it is.
func judged(raw []byte, known []string) judgedCase {
	keys, err := verifiers(known)
	must(err)
	c := judgedCase{Note: raw, Known: known, Well: well(raw)}
	n, err := note.Open(raw, keys)
	c.Verdict = verdict(err)
	if c.Well {
		c.Stricter = stricter(raw)
	}
	if err == nil {
		c.Text = []byte(n.Text)
		for _, sig := range n.Sigs {
			for _, vkey := range known {
				if strings.HasPrefix(vkey, fmt.Sprintf("%s+%08x+", sig.Name, sig.Hash)) {
					c.Signers = append(c.Signers, vkey)
				}
			}
		}
	}
	return c
}

func insert(raw []byte, at int, what []byte) []byte {
	return append(append(append([]byte(nil), raw[:at]...), what...), raw[at:]...)
}

// damage changes a note in a way that a parser could get wrong.
func (m maker) damage(raw []byte) []byte {
	raw = append([]byte(nil), raw...)
	at := m.Intn(len(raw))
	block := bytes.LastIndex(raw, []byte("\n\n"))
	lines := bytes.SplitAfter(raw[max(block, 0):], []byte("\n"))
	switch m.Intn(12) {
	case 0, 1, 2:
		raw[at] ^= 1 << m.Intn(8)
		return raw
	case 3, 4:
		return insert(raw, at, []byte(m.pick("\n", " ", "\r", "\t", "\x00", "\x1f", "\x7f", "\xc0\x80", "\xed\xa0\x80", "\xff", "\u0085", "\u00a0", "\u2028", "— ", "=", "+", "\n\n")))
	case 5:
		return append(raw[:at], raw[at+1:]...)
	case 6:
		return raw[:at]
	case 7: // a line twice
		return append(raw, lines[m.Intn(len(lines))]...)
	case 8: // lines in another order
		m.Shuffle(len(lines), func(a, b int) { lines[a], lines[b] = lines[b], lines[a] })
		return append(raw[:max(block, 0)], bytes.Join(lines, nil)...)
	case 9: // the empty line
		return insert(raw, max(block, 0), []byte("\n"))
	case 10: // the spare bits of a base64 text
		if end := bytes.LastIndex(raw, []byte("=\n")); end > 0 && raw[end-1] != '=' {
			raw[end-1]++
		}
		return raw
	default: // a bit in the last signature
		raw[len(raw)-5-m.Intn(80)%(len(raw)-4)] ^= 1
		return raw
	}
}

func max(a, b int) int {
	if a > b {
		return a
	}
	return b
}

var order, _ = new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)

func little(bytes []byte) *big.Int {
	turned := make([]byte, len(bytes))
	for i, b := range bytes {
		turned[len(bytes)-1-i] = b
	}
	return new(big.Int).SetBytes(turned)
}

func scalar(n *big.Int) []byte {
	out := make([]byte, 32)
	n.FillBytes(out)
	for i := 0; i < 16; i++ {
		out[i], out[31-i] = out[31-i], out[i]
	}
	return out
}

// withBlob is a note over a text with one line, made by hand.
func withBlob(text, vkey string, blob []byte) []byte {
	parts := strings.SplitN(vkey, "+", 3)
	id, err := hex.DecodeString(parts[1])
	must(err)
	return []byte(text + "\n— " + parts[0] + " " + base64.StdEncoding.EncodeToString(append(id, blob...)) + "\n")
}

func (m maker) special() (out []judgedCase) {
	seed := m.bytes(32)
	k, private := seeded("k", seed), ed25519.NewKeyFromSeed(seed)
	vkeys := []string{k.vkey}
	raw, err := note.Sign(&note.Note{Text: "text\n"}, k.signer)
	must(err)
	line := raw[len("text\n\n"):]

	// Ed25519: a second encoding of s; R of small order, which the key's holder can make and the strict rule refuses.
	signature := ed25519.Sign(private, []byte("text\n"))
	twice := append(append([]byte(nil), signature[:32]...), scalar(new(big.Int).Add(little(signature[32:]), order))...)
	out = append(out, judged(withBlob("text\n", k.vkey, twice), vkeys))
	half := sha512.Sum512(seed)
	half[0] &= 248
	half[31] = half[31]&127 | 64
	r := append([]byte{1}, make([]byte, 31)...)
	challenge := sha512.Sum512(append(append(append([]byte(nil), r...), private[32:]...), "text\n"...))
	s := new(big.Int).Mul(little(challenge[:]), little(half[:32]))
	small := judged(withBlob("text\n", k.vkey, append(r, scalar(s.Mod(s, order))...)), vkeys)
	small.Stricter = "R of small order"
	out = append(out, small)

	// Two keys with one name and key id: found once by trying seeds. Then limits.
	a, b := twin(78997), twin(85003)
	fork, err := note.Sign(&note.Note{Text: "text\n"}, a.signer)
	must(err)
	out = append(out, judged(fork, []string{a.vkey, b.vkey}), judged(fork, []string{a.vkey}), judged(fork, []string{b.vkey}))
	for _, lines := range []int{15, 16, 17, 100, 101} {
		out = append(out, judged(append([]byte("text\n\n"), bytes.Repeat(line, lines)...), vkeys))
	}
	for _, length := range []int{255, 256} {
		long := m.key(strings.Repeat("n", length))
		raw, err := note.Sign(&note.Note{Text: "text\n"}, long.signer)
		must(err)
		out = append(out, judged(raw, []string{long.vkey}))
	}
	for _, size := range []int{1 << 20, 1<<20 + 1} {
		text := strings.Repeat("x", size-len(line)-2) + "\n"
		raw, err := note.Sign(&note.Note{Text: text}, k.signer)
		must(err)
		out = append(out, judged(raw, vkeys))
	}
	for _, text := range []string{"", "\n", "\n\n", "\n\n\n", "text\n", "text\n\n", "text", "\n\n\ntext\n"} {
		out = append(out, judged([]byte(text+"\n"+string(line)), vkeys), judged([]byte(text), vkeys))
	}
	for _, blob := range [][]byte{{}, {1}, signature[:63], append(signature[:64:64], 0), make([]byte, 64)} {
		out = append(out, judged(withBlob("text\n", k.vkey, blob), vkeys))
	}
	return out
}

func twin(seed uint32) key {
	bytes := make([]byte, 32)
	binary.BigEndian.PutUint32(bytes, seed)
	return seeded("twin", bytes)
}

func (m maker) vkeys() (out []vkeyCase) {
	add := func(vkey, stricter string) {
		_, err := verifier(vkey)
		out = append(out, vkeyCase{vkey, err == nil, stricter})
	}
	for n := 0; n < 60; n++ {
		good := m.key(m.name()).vkey
		add(good, "")
		name, rest, _ := strings.Cut(good, "+")
		public := m.bytes(32)
		add(name+"x+"+rest, "")
		add(good[:len(good)-1-m.Intn(10)], "")
		add(good+m.pick(" ", "=", "A"), "")
		for _, length := range []int{0, 31, 33} {
			add(vkeyText(name, algEd25519, append(public, 0)[:length]), "")
		}
		for _, alg := range []byte{0, 2, 3, 5, 255} {
			add(vkeyText(name, alg, public), "")
		}
		add(vkeyText(name+m.pick(" ", "\u00a0", "\u3000", "+"), algEd25519, public), "")
		pub := ed25519.NewKeyFromSeed(public)[32:]
		add(vkeyText(name, algCosignature, pub), "")
		upper := name + "+" + strings.ToUpper(rest[:8]) + rest[8:]
		if upper != good {
			add(upper, "a key id in capitals")
		}
		// 33 bytes are base64 without padding and spare bits: a line break is the only other text of them.
		add(good[:len(good)-4]+"\n"+good[len(good)-4:], "base64 that is not canonical")
	}
	small := func(low, fill, high byte) []byte {
		bytes := bytes.Repeat([]byte{fill}, 32)
		bytes[0], bytes[31] = low, high
		return bytes
	}
	for _, bytes := range [][]byte{small(1, 0, 0), small(0, 0, 0), small(0xec, 0xff, 0x7f), small(1, 0, 0x80)} {
		add(vkeyText("weak", algEd25519, bytes), "a point of small order")
	}
	for _, bytes := range [][]byte{small(0xee, 0xff, 0x7f), small(0xed, 0xff, 0x7f), small(0xf0, 0xff, 0x7f)} {
		add(vkeyText("weak", algEd25519, bytes), "a point that is not canonically encoded")
	}
	add(vkeyText("weak", algEd25519, small(2, 0, 0)), "not a point of the curve")
	add(vkeyText(strings.Repeat("n", 255), algEd25519, small(3, 0, 0)), "")
	add(vkeyText(strings.Repeat("n", 256), algEd25519, small(3, 0, 0)), "a name of more than 255 bytes")
	add(vkeyText("", algEd25519, small(3, 0, 0)), "")
	return out
}

// refusedInNames asks about every character. (x/mod takes control characters in a name; no note can hold them.)
func refusedInNames() (out []rune) {
	public := make([]byte, 32)
	for r := rune(0); r <= utf8.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		if _, err := note.NewVerifier(vkeyText("a"+string(r)+"b", algEd25519, public)); err != nil {
			out = append(out, r)
		}
	}
	return out
}

func (m maker) checkpoint() checkpointCase {
	var root tlog.Hash
	m.Read(root[:])
	size := m.Int63() >> m.Intn(63)
	if size == 0 {
		root = sha256.Sum256(nil)
	}
	log := m.key(m.name())
	c := checkpointCase{Origin: m.name(), Size: size, Root: hex.EncodeToString(root[:]), Skey: log.skey}
	c.Text = checkpointText(c.Origin, tlog.Tree{N: size, Hash: root})
	raw, err := note.Sign(&note.Note{Text: c.Text}, log.signer)
	must(err)
	c.Signed, c.Whole = raw, raw
	known := []string{log.vkey}
	for n := m.Intn(4); n > 0; n-- {
		seed, name := m.bytes(32), m.name()
		private := ed25519.NewKeyFromSeed(seed)
		vkey := vkeyText(name, algCosignature, private[32:])
		id := keyID(name, algCosignature, private[32:])
		w := cosignCase{Vkey: vkey, Time: m.Uint64() >> (1 + m.Intn(63))}
		w.Skey = fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", name, id, base64.StdEncoding.EncodeToString(append([]byte{algCosignature}, seed...)))
		blob := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(nil, id), w.Time)
		blob = append(blob, ed25519.Sign(private, cosignatureMessage(w.Time, []byte(c.Text)))...)
		c.Whole = append(c.Whole[:len(c.Whole):len(c.Whole)], "— "+name+" "+base64.StdEncoding.EncodeToString(blob)+"\n"...)
		c.Witness = append(c.Witness, w)
		known = append(known, vkey)
	}
	_, _, err = open(c.Whole, known)
	must(err)
	return c
}

// judgedText asks tlog.ParseTree about the lines behind the first.
func judgedText(text []byte) textCase {
	c := textCase{Text: text}
	origin, rest, found := bytes.Cut(text, []byte("\n"))
	if !found || !utf8.Valid(text) {
		return c
	}
	_, parsed, err := checkpoint(string(text))
	if err != nil {
		return c
	}
	c.OK, c.Size, c.Root = true, parsed.N, hex.EncodeToString(parsed.Hash[:])
	lines := strings.Split(string(rest), "\n")
	_, bad := note.NewVerifier(vkeyText(string(origin), algEd25519, make([]byte, 32)))
	switch {
	case len(lines) != 3 || lines[2] != "":
		c.Stricter = "more than three lines"
	case !canonical(lines[1]):
		c.Stricter = "base64 that is not canonical"
	case bad != nil || len(origin) > 255 || bytes.IndexFunc(origin, func(r rune) bool { return r < ' ' }) >= 0:
		c.Stricter = "a first line that is no origin"
	case parsed.N == 0 && parsed.Hash != sha256.Sum256(nil):
		c.Stricter = "size 0 with another root"
	}
	return c
}

func (m maker) checkpointTexts() (out []textCase) {
	root := base64.StdEncoding.EncodeToString(m.bytes(32))
	for _, size := range []string{"0", "1", "00", "01", "+1", "-1", "", " 1", "1 ", "1_0", "0x1", "1e3", "１", "9223372036854775807", "9223372036854775808"} {
		out = append(out, judgedText([]byte("o\n"+size+"\n"+root+"\n")))
	}
	out = append(out, judgedText([]byte("o\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")))
	for _, form := range []string{"o\n1\n%s", "o\n1\n%s\n\n", "o\n1\n%s\nextension\n", "\n1\n%s\n", "a b\n1\n%s\n", "a+b\n1\n%s\n", "o\n1\n%s \n", "o\n1\n\n%s\n", "o\n\n1\n%s\n"} {
		out = append(out, judgedText([]byte(fmt.Sprintf(form, root))))
	}
	for n := 0; n < 1000; n++ {
		text := []byte(m.checkpoint().Text)
		at := m.Intn(len(text))
		switch m.Intn(4) {
		case 0:
			text[at] ^= 1 << m.Intn(8)
		case 1:
			text = append(text[:at], text[at+1:]...)
		case 2:
			text = insert(text, at, []byte(m.pick("\n", "0", "=", "+", " ", "\r", "A", "é")))
		}
		out = append(out, judgedText(text))
	}
	return out
}

func (m maker) tree(sizes int64) (treeCase, *tree) {
	c, t := treeCase{}, &tree{}
	place := map[tlog.Hash]int{}
	index := func(hash tlog.Hash) int {
		at, found := place[hash]
		if !found {
			at = len(c.Hashes)
			place[hash] = at
			c.Hashes = append(c.Hashes, hex.EncodeToString(hash[:]))
		}
		return at
	}
	list := func(proof []tlog.Hash) []int {
		out := []int{}
		for _, hash := range proof {
			out = append(out, index(hash))
		}
		return out
	}
	root := func(size int64) tlog.Hash {
		hash, err := t.root(size)
		must(err)
		return hash
	}
	for t.size < sizes {
		leaf := m.bytes(m.Intn(200))
		switch m.Intn(20) {
		case 0:
			leaf = nil
		case 1: // looks like an inner node
			leaf = m.bytes(65)
			leaf[0] = 1
		case 2:
			leaf = m.bytes(65535)
		case 3:
			if t.size > 0 {
				leaf = c.Leaves[m.Intn(len(c.Leaves))]
			}
		}
		c.Leaves = append(c.Leaves, leaf)
		t.push(leaf)
	}
	for size := int64(0); size <= sizes; size++ {
		c.Roots = append(c.Roots, index(root(size)))
	}
	for size := int64(1); size <= sizes; size++ {
		var inclusion, consistency [][]int
		for n := int64(0); n < size; n++ {
			proof, err := tlog.ProveRecord(size, n, t)
			must(err)
			must(tlog.CheckRecord(proof, size, root(size), n, tlog.RecordHash(c.Leaves[n])))
			inclusion = append(inclusion, list(proof))
			more, err := tlog.ProveTree(size, n+1, t)
			must(err)
			must(tlog.CheckTree(more, size, root(size), n+1, root(n+1)))
			consistency = append(consistency, list(more))
		}
		c.Inclusion = append(c.Inclusion, inclusion)
		c.Consistency = append(c.Consistency, consistency)
	}
	return c, t
}

// proof makes a proof of a tree, damages it if asked to, and asks x/mod whether it holds.
func (m maker) proof(t *tree, damaged bool) proofCase {
	c := proofCase{Include: m.Intn(2) == 0, New: 1 + m.Int63n(t.size)}
	var proof []tlog.Hash
	var start, root tlog.Hash
	var err error
	root, err = t.root(c.New)
	must(err)
	if c.Include {
		c.Old = m.Int63n(c.New)
		proof, err = tlog.ProveRecord(c.New, c.Old, t)
		must(err)
		start = t.hashes[tlog.StoredHashIndex(0, c.Old)]
	} else {
		c.Old = 1 + m.Int63n(c.New)
		proof, err = tlog.ProveTree(c.New, c.Old, t)
		must(err)
		start, err = t.root(c.Old)
		must(err)
	}
	proof = append([]tlog.Hash(nil), proof...)
	for damaged {
		damaged = m.Intn(4) == 0
		at := m.Intn(len(proof) + 1)
		switch m.Intn(9) {
		case 0:
			if at < len(proof) {
				proof[at][m.Intn(32)] ^= 1 << m.Intn(8)
			}
		case 1:
			if at < len(proof) {
				proof = append(proof[:at], proof[at+1:]...)
			}
		case 2:
			var more tlog.Hash
			m.Read(more[:])
			proof = append(proof[:at:at], append([]tlog.Hash{more}, proof[at:]...)...)
		case 3:
			m.Shuffle(len(proof), func(a, b int) { proof[a], proof[b] = proof[b], proof[a] })
		case 4:
			start[m.Intn(32)] ^= 1
		case 5:
			root[m.Intn(32)] ^= 1
		case 6:
			c.Old += int64(m.Intn(5) - 2)
		case 7:
			c.New += int64(m.Intn(9) - 4)
		case 8:
			start, root = root, start
		}
	}
	// Old size 0 (or less) is not defined by x/mod.
	if c.New < 1 {
		c.New = 1
	}
	if !c.Include && c.Old < 1 {
		c.Old = 1
	}
	if c.Old < 0 {
		c.Old = 0
	}
	if c.Include {
		c.OK = tlog.CheckRecord(proof, c.New, root, c.Old, start) == nil
	} else {
		c.OK = tlog.CheckTree(proof, c.New, root, c.Old, start) == nil
	}
	c.Start, c.Root, c.Proof = hex.EncodeToString(start[:]), hex.EncodeToString(root[:]), []string{}
	for _, hash := range proof {
		c.Proof = append(c.Proof, hex.EncodeToString(hash[:]))
	}
	return c
}

// c2sp is the path of a tile in C2SP tlog-tiles: x/mod's without the height.
func c2sp(path string) string {
	return strings.Replace(strings.Replace(path, "tile/8/", "tile/", 1), "tile/data/", "tile/entries/", 1)
}

// widest are the tiles of tlog.NewTiles that C2SP asks for: of each tile that grew, the widest.
func widest(from, to int64) (out []tlog.Tile) {
	for _, tile := range tlog.NewTiles(8, from, to) {
		if from>>(8*tile.L) == to>>(8*tile.L) {
			continue // x/mod names the last partial tile of an unchanged level again.
		}
		if last := len(out) - 1; last >= 0 && out[last].L == tile.L && out[last].N == tile.N {
			out[last] = tile
			continue
		}
		out = append(out, tile)
	}
	return out
}

func (m maker) big(size int64) bigCase {
	c, t := bigCase{Prefix: fmt.Sprintf("leaf %x", m.bytes(4)), Size: size, Roots: map[string]string{}}, &tree{}
	for i := int64(0); i < size; i++ {
		t.push([]byte(fmt.Sprintf("%s %d\n", c.Prefix, i)))
	}
	sizes := []int64{0, 1, 255, 256, 257, 511, 512, 513, 65535, 65536, 65537, size}
	for n := 0; n < 20; n++ {
		sizes = append(sizes, m.Int63n(size))
	}
	seen := map[string]bool{}
	for _, size := range sizes {
		root, err := t.root(size)
		must(err)
		c.Roots[fmt.Sprint(size)] = hex.EncodeToString(root[:])
		tiles := widest(0, size)
		for n := 0; n < 40 && len(tiles) > 0; n++ {
			tile := tiles[m.Intn(len(tiles))]
			if n < 6 { // the right edge: the partial ones
				tile = tiles[max(0, len(tiles)-1-n)]
			}
			name := fmt.Sprint(tile, size)
			if seen[name] {
				continue
			}
			seen[name] = true
			bytes, err := tlog.ReadTileData(tile, t)
			must(err)
			sum := sha256.Sum256(bytes)
			c.Tiles = append(c.Tiles, tileCase{tile.L, tile.N, tile.W, size, c2sp(tile.Path()), hex.EncodeToString(sum[:])})
		}
	}
	for n := 0; n < 1000; n++ {
		c.Proofs = append(c.Proofs, m.proof(t, n%2 == 1))
	}
	return c
}

func (m maker) newTiles() newTilesCase {
	to := m.Int63n(1 << (1 + m.Intn(20)))
	c := newTilesCase{Old: m.Int63n(to + 1), New: to, Tiles: [][3]int64{}}
	for _, tile := range widest(c.Old, c.New) {
		c.Tiles = append(c.Tiles, [3]int64{int64(tile.L), tile.N, int64(tile.W)})
	}
	return c
}

// path makes the path of a tile, most often altered. Go counts in int64: numbers of 2^63 and more are refused.
func (m maker) path() pathCase {
	tile := tlog.Tile{H: 8, L: m.Intn(65) - 1, N: m.Int63() >> m.Intn(64), W: 256}
	if m.Intn(2) == 0 {
		tile.W = 1 + m.Intn(255)
	}
	path := tile.Path()
	if m.Intn(3) > 0 {
		at := len("tile/8/") + m.Intn(len(path)-len("tile/8/"))
		switch m.Intn(3) {
		case 0:
			path = path[:at] + m.pick("x", "/", "0", "9", "+", "-", ".", "p", " ", "256", "/x000") + path[at:]
		case 1:
			path = path[:at] + path[at+1:]
		case 2:
			path = path[:at] + m.pick("x", "/", "0", "1", "9", ".") + path[at+1:]
		}
	}
	return judgedPath(path)
}

// judgedPath is what Go says of a path in x/mod's form.
func judgedPath(path string) pathCase {
	c := pathCase{Path: c2sp(path)}
	parsed, err := tlog.ParseTilePath(path)
	// Levels above 63 are x/mod's fault: its own documentation says 0 to 63.
	if c.OK = err == nil && parsed.H == 8 && parsed.L <= 63; c.OK {
		c.N, c.W = parsed.N, parsed.W
		if parsed.L >= 0 {
			c.Tile = &parsed.L
		}
	}
	return c
}

func writeCases(path string, seed int64) error {
	m := maker{rand.New(rand.NewSource(seed))}
	c := cases{Seed: seed, RefusedInNames: refusedInNames(), Vkeys: m.vkeys(), Judged: m.special()}
	for n := 0; n < 300; n++ {
		c.Signed = append(c.Signed, m.signed())
	}
	for n := 0; n < 4000; n++ {
		good := c.Signed[m.Intn(len(c.Signed))]
		if len(good.Vkeys) > 3 && m.Intn(4) > 0 {
			continue
		}
		raw := good.Note
		if m.Intn(10) > 0 {
			raw = m.damage(raw)
		}
		known := []string{}
		for _, vkey := range good.Vkeys {
			if m.Intn(4) > 0 {
				known = append(known, vkey)
			}
		}
		c.Judged = append(c.Judged, judged(raw, known))
	}
	for n := 0; n < 200; n++ {
		c.Checkpoints = append(c.Checkpoints, m.checkpoint())
	}
	c.CheckpointTexts = m.checkpointTexts()
	var t *tree
	c.Tree, t = m.tree(300)
	for n := 0; n < 6000; n++ {
		c.Verdicts = append(c.Verdicts, m.proof(t, n%10 > 0))
	}
	c.Big = m.big(66000)
	for n := 0; n < 500; n++ {
		c.NewTiles = append(c.NewTiles, m.newTiles())
	}
	for n := 0; n < 3000; n++ {
		c.Paths = append(c.Paths, m.path())
	}
	// 2^63 - 1, 2^63, 2^64 - 1, 2^64.
	for _, n := range []string{"x009/x223/x372/x036/x854/x775/807", "x009/x223/x372/x036/x854/x775/808", "x018/x446/x744/x073/x709/x551/615", "x018/x446/x744/x073/x709/x551/616"} {
		for _, kind := range []string{"tile/8/0/", "tile/8/data/"} {
			c.Paths = append(c.Paths, judgedPath(kind+n), judgedPath(kind+n+".p/7"))
		}
	}
	bytes, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return os.WriteFile(path, bytes, 0o644)
}
