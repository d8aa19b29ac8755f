package isoforest

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
)

// The file: magic, format version, length of the JSON header, header, trees, SHA-256 of
// all before it. Numbers are little-endian.
const (
	magic     = "INFIFOR1"
	version   = 1
	maxHeader = 1 << 20
	maxFile   = 1 << 30
	nodeBytes = 4 + 2 + 2 + 4 + 4 + 8 + 1
)

// Meta is kept in a model file beside the forest.
type Meta struct {
	Features []string          `json:"features"` // names of the columns
	From     time.Time         `json:"from"`     // training window
	To       time.Time         `json:"to"`
	Rows     int               `json:"rows"`
	Trained  time.Time         `json:"trained"`
	Notes    map[string]string `json:"notes,omitempty"`
	Tail     []float64         `json:"tail,omitempty"`  // ascending scores of training rows
	Usual    [][2]float64      `json:"usual,omitempty"` // of each column the range of most training rows
}

type fileHeader struct {
	Meta    Meta    `json:"meta"`
	Options Options `json:"options"`
	Columns int     `json:"columns"`
	Norm    float64 `json:"norm"`
	Mid     float64 `json:"mid"`
	Spread  float64 `json:"spread"`
	Trees   []int   `json:"trees"` // nodes of each
}

// ErrFile says that a file is no model, or none that this version can use.
var ErrFile = errors.New("not a usable model file")

// Encode returns the content of a model file.
func (f *Forest) Encode(m Meta) ([]byte, error) {
	h := fileHeader{Meta: m, Options: f.opts, Columns: f.columns, Norm: f.norm, Mid: f.mid, Spread: f.spread}
	h.Options.Workers = 0
	for i := range f.trees {
		h.Trees = append(h.Trees, len(f.trees[i].nodes))
	}
	head, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("encode model: %w", err)
	}
	var b bytes.Buffer
	b.WriteString(magic)
	le := binary.LittleEndian
	b.Write(le.AppendUint32(le.AppendUint32(nil, version), uint32(len(head))))
	b.Write(head)
	var rec []byte
	for i := range f.trees {
		t := &f.trees[i]
		for k, n := range t.nodes {
			rec = le.AppendUint32(rec[:0], math.Float32bits(n.split))
			rec = le.AppendUint16(le.AppendUint16(rec, n.f), n.g)
			rec = le.AppendUint32(rec, uint32(n.child))
			rec = le.AppendUint32(rec, math.Float32bits(t.value[k]))
			rec = le.AppendUint64(rec, t.extra[k].cats)
			rec = append(rec, boolByte(t.extra[k].nanRight))
			b.Write(rec)
			if t.pairs != nil {
				b.Write(le.AppendUint32(le.AppendUint32(nil, math.Float32bits(t.pairs[k].a)), math.Float32bits(t.pairs[k].b)))
			}
		}
	}
	sum := sha256.Sum256(b.Bytes())
	b.Write(sum[:])
	return b.Bytes(), nil
}

func boolByte(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// Decode reads what Encode wrote. Every index is checked: a damaged or hostile file gives
// an error, never a panic or an endless loop.
func Decode(r io.Reader) (*Forest, Meta, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxFile))
	if err != nil {
		return nil, Meta{}, fmt.Errorf("read model: %w", err)
	}
	body, h, err := decodeHeader(raw)
	if err != nil {
		return nil, Meta{}, err
	}
	f := &Forest{opts: h.Options.withDefaults(math.MaxInt32), columns: h.Columns, norm: h.Norm, mid: h.Mid, spread: h.Spread, slow: len(h.Options.Categorical) > 0}
	width := nodeBytes
	if h.Options.SplitFeatures == 2 {
		width += 8
	}
	for _, n := range h.Trees {
		if n < 1 || n > 2*maxSample || n*width > len(body) {
			return nil, Meta{}, fmt.Errorf("%w: its trees are cut", ErrFile)
		}
		t, err := decodeTree(body[:n*width], n, width, h)
		if err != nil {
			return nil, Meta{}, err
		}
		f.trees, body = append(f.trees, t), body[n*width:]
	}
	if len(f.trees) == 0 || len(body) != 0 {
		return nil, Meta{}, fmt.Errorf("%w: its trees do not fill it", ErrFile)
	}
	return f, h.Meta, nil
}

func decodeHeader(raw []byte) (body []byte, h fileHeader, err error) {
	fixed := len(magic) + 8
	if len(raw) < fixed+sha256.Size || string(raw[:len(magic)]) != magic {
		return nil, h, fmt.Errorf("%w: it does not begin like one", ErrFile)
	}
	if v := binary.LittleEndian.Uint32(raw[len(magic):]); v != version {
		return nil, h, fmt.Errorf("%w: format %d, this program reads format %d: train again", ErrFile, v, version)
	}
	content, sum := raw[:len(raw)-sha256.Size], raw[len(raw)-sha256.Size:]
	if want := sha256.Sum256(content); !bytes.Equal(sum, want[:]) {
		return nil, h, fmt.Errorf("%w: the checksum is wrong: it is damaged or cut", ErrFile)
	}
	n := int(binary.LittleEndian.Uint32(raw[len(magic)+4:]))
	if n > maxHeader || fixed+n > len(content) {
		return nil, h, fmt.Errorf("%w: its header is cut", ErrFile)
	}
	if err := json.Unmarshal(content[fixed:fixed+n], &h); err != nil {
		return nil, h, fmt.Errorf("%w: header: %w", ErrFile, err)
	}
	if h.Columns < 1 || h.Columns > maxColumns || len(h.Trees) > maxTrees || h.Options.SplitFeatures < 1 || h.Options.SplitFeatures > 2 || h.Options.Scoring > Mixed {
		return nil, h, fmt.Errorf("%w: its header makes no sense", ErrFile)
	}
	return content[fixed+n:], h, nil
}

func decodeTree(b []byte, n, width int, h fileHeader) (tree, error) {
	t := tree{nodes: make([]node, n), value: make([]float32, n), extra: make([]extra, n)}
	if width > nodeBytes {
		t.pairs = make([]oblique, n)
	}
	le := binary.LittleEndian
	depth := make([]int, n)
	for k := range n {
		r := b[k*width:]
		nd := node{split: math.Float32frombits(le.Uint32(r)), f: le.Uint16(r[4:]), g: le.Uint16(r[6:]), child: int32(le.Uint32(r[8:]))}
		t.value[k] = math.Float32frombits(le.Uint32(r[12:]))
		t.extra[k] = extra{cats: le.Uint64(r[16:]), nanRight: r[24] != 0}
		if t.pairs != nil {
			t.pairs[k] = oblique{math.Float32frombits(le.Uint32(r[25:])), math.Float32frombits(le.Uint32(r[29:]))}
		}
		// A leaf never sends anything to the right, and children come after their
		// parent, so a walk always ends inside the tree.
		leaf := int(nd.child) == k && math.IsInf(float64(nd.split), 1) && t.extra[k].cats == 0
		inner := int(nd.child) > k && int(nd.child)+1 < n
		if !leaf && !inner || int(nd.f) >= h.Columns || int(nd.g) >= h.Columns {
			return t, fmt.Errorf("%w: node %d leads nowhere", ErrFile, k)
		}
		if inner {
			depth[nd.child], depth[nd.child+1] = depth[k]+1, depth[k]+1
		}
		t.depth = max(t.depth, depth[k])
		t.nodes[k] = nd
	}
	return t, nil
}
