package model

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"

	"github.com/inframind/inframind/log-classifier/feature"
)

// magic starts a model file; the last byte is the version of its form.
const magic = "IMLC\x04"

// maxFile bounds what is read of a model file.
const maxFile = 64 << 20

// ErrFormat is wrapped by every error about a file that is no usable model.
var ErrFormat = errors.New("not a usable model file")

// header is the readable part of a model file.
type header struct {
	Name        string
	Features    feature.Options
	Bias        [Heads]float32
	Scale       [Heads]float32 // of the 16-bit weights
	Calibration Calibration
	Rows        int
	Metrics     map[string]float64
	Dim, Used   int
	Examples    int
	Votes       [][Heads]float32 // that examples have
}

// Encode returns the file of m: magic, flate-compressed header and weights, checksum. Equal
// models give equal bytes.
func (m *Model) Encode() ([]byte, error) {
	h := header{
		Name: m.Name, Features: m.Features, Bias: m.Bias, Calibration: m.Calibration,
		Rows: m.Rows, Metrics: m.Metrics, Dim: feature.Dim,
	}
	var used []uint32
	for j := range feature.Dim {
		row := m.W[j*Heads : (j+1)*Heads]
		any := false
		for c, v := range row {
			any = any || v != 0
			h.Scale[c] = max(h.Scale[c], float32(math.Abs(float64(v))))
		}
		if any {
			used = append(used, uint32(j))
		}
	}
	h.Used, h.Examples, h.Votes = len(used), len(m.Near.examples), m.Near.votes()
	raw, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("encode model: %w", err)
	}
	body := binary.LittleEndian.AppendUint32(nil, uint32(len(raw)))
	body = append(body, raw...)
	last := uint32(0)
	for _, j := range used {
		body = binary.AppendUvarint(body, uint64(j-last))
		last = j
	}
	for c := range Heads {
		for _, j := range used {
			q := int16(0)
			if h.Scale[c] > 0 {
				q = int16(math.Round(float64(m.W[int(j)*Heads+c] / h.Scale[c] * math.MaxInt16)))
			}
			body = binary.LittleEndian.AppendUint16(body, uint16(q))
		}
	}
	return pack(m.Near.appendTo(body, h.Votes))
}

func pack(body []byte) ([]byte, error) {
	out := bytes.NewBufferString(magic)
	z, err := flate.NewWriter(out, flate.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(body); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return binary.LittleEndian.AppendUint32(out.Bytes(), crc32.ChecksumIEEE(body)), nil
}

// Decode reads a model file. A file of another version, one that was cut short or changed is
// an error that says so.
func Decode(raw []byte) (*Model, error) {
	if len(raw) < len(magic)+4 || string(raw[:len(magic)-1]) != magic[:len(magic)-1] {
		return nil, fmt.Errorf("%w: it does not start as one", ErrFormat)
	}
	if raw[len(magic)-1] != magic[len(magic)-1] {
		return nil, fmt.Errorf("%w: form %d, this program reads form %d: train it anew", ErrFormat, raw[len(magic)-1], magic[len(magic)-1])
	}
	end := len(raw) - 4
	body, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(raw[len(magic):end])), maxFile))
	if err != nil {
		return nil, fmt.Errorf("%w: cut short or damaged: %w", ErrFormat, err)
	}
	if crc32.ChecksumIEEE(body) != binary.LittleEndian.Uint32(raw[end:]) {
		return nil, fmt.Errorf("%w: cut short or damaged (checksum)", ErrFormat)
	}
	return decodeBody(body)
}

func decodeBody(body []byte) (*Model, error) {
	if len(body) < 4 || uint64(len(body)-4) < uint64(binary.LittleEndian.Uint32(body)) {
		return nil, fmt.Errorf("%w: no header", ErrFormat)
	}
	n := int(binary.LittleEndian.Uint32(body))
	var h header
	if err := json.Unmarshal(body[4:4+n], &h); err != nil {
		return nil, fmt.Errorf("%w: header: %w", ErrFormat, err)
	}
	body = body[4+n:]
	if h.Dim != feature.Dim || h.Used < 0 || h.Used > h.Dim {
		return nil, fmt.Errorf("%w: %d features, this program has %d: train it anew", ErrFormat, h.Dim, feature.Dim)
	}
	used := make([]int, h.Used)
	last := uint64(0)
	for k := range used {
		d, w := binary.Uvarint(body)
		if last += d; w <= 0 || last >= feature.Dim {
			return nil, fmt.Errorf("%w: feature list", ErrFormat)
		}
		body = body[w:]
		used[k] = int(last)
	}
	if len(body) < 2*h.Used*Heads {
		return nil, fmt.Errorf("%w: %d bytes of weights, want %d", ErrFormat, len(body), 2*h.Used*Heads)
	}
	near, err := readNeighbours(body[2*h.Used*Heads:], h.Examples, h.Votes)
	if err != nil {
		return nil, err
	}
	m := &Model{
		Name: h.Name, Features: h.Features, Bias: h.Bias, Calibration: h.Calibration,
		Rows: h.Rows, Metrics: h.Metrics, W: make([]float32, feature.Dim*Heads), Near: near,
	}
	for c := range Heads {
		for k, j := range used {
			q := int16(binary.LittleEndian.Uint16(body[2*(c*h.Used+k):]))
			m.W[j*Heads+c] = float32(q) / math.MaxInt16 * h.Scale[c]
		}
	}
	return m, nil
}
