package curves

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/prometheus/prometheus/model/labels"
)

// A curve file is: magic, length of the header, header (JSON), the values of every line as
// little-endian float32, and the CRC-32 of all before it.
const (
	magic     = "FCV1"
	suffix    = ".curve"
	maxFile   = 64 << 20
	maxHeader = 1 << 20
	maxStepMS = 1 << 40 // 35 years
)

type header struct {
	Labels    map[string]string `json:"labels"`
	StartMS   int64             `json:"start_ms"`
	StepMS    int64             `json:"step_ms"`
	Points    int               `json:"points"`
	Quantiles []string          `json:"quantiles"`
	Events    []Event           `json:"events,omitempty"`
}

var errDamaged = errors.New("damaged curve file")

func fileName(ls labels.Labels) string {
	return fmt.Sprintf("%016x%s", xxhash.Sum64String(ls.String()), suffix)
}

func encode(c Curve) ([]byte, error) {
	h := header{Labels: c.Labels.Map(), StartMS: c.Start.UnixMilli(), StepMS: c.Step.Milliseconds(), Events: c.Events}
	for i, l := range c.Lines {
		if i > 0 && len(l.Values) != h.Points {
			return nil, fmt.Errorf("curve %s: lines of %d and %d points", c.Labels, h.Points, len(l.Values))
		}
		h.Points = len(l.Values)
		h.Quantiles = append(h.Quantiles, l.Quantile)
	}
	if h.StepMS <= 0 {
		return nil, fmt.Errorf("curve %s: step %s", c.Labels, c.Step)
	}
	head, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString(magic)
	b.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(head))))
	b.Write(head)
	for _, l := range c.Lines {
		for _, v := range l.Values {
			b.Write(binary.LittleEndian.AppendUint32(b.AvailableBuffer(), math.Float32bits(v)))
		}
	}
	b.Write(binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE(b.Bytes())))
	return b.Bytes(), nil
}

func decode(raw []byte) (Curve, error) {
	if len(raw) < len(magic)+8 || string(raw[:4]) != magic {
		return Curve{}, errDamaged
	}
	body, sum := raw[:len(raw)-4], binary.LittleEndian.Uint32(raw[len(raw)-4:])
	if crc32.ChecksumIEEE(body) != sum {
		return Curve{}, errDamaged
	}
	n := binary.LittleEndian.Uint32(body[4:])
	if n > maxHeader || int(n) > len(body)-8 {
		return Curve{}, errDamaged
	}
	var h header
	if err := json.Unmarshal(body[8:8+n], &h); err != nil {
		return Curve{}, fmt.Errorf("%w: %w", errDamaged, err)
	}
	data := body[8+n:]
	if h.Points < 0 || h.Points > maxFile || h.StepMS <= 0 || h.StepMS > maxStepMS || len(data)%4 != 0 || len(h.Quantiles)*h.Points != len(data)/4 {
		return Curve{}, errDamaged
	}
	c := Curve{Labels: labels.FromMap(h.Labels), Start: time.UnixMilli(h.StartMS), Step: time.Duration(h.StepMS) * time.Millisecond, Events: h.Events}
	for _, q := range h.Quantiles {
		vals := make([]float32, h.Points)
		for i := range vals {
			vals[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
		data = data[4*h.Points:]
		c.Lines = append(c.Lines, Line{Quantile: q, Values: vals})
	}
	return c, nil
}

func readFile(path string) (Curve, error) {
	st, err := os.Stat(path)
	if err != nil {
		return Curve{}, err
	}
	if st.Size() > maxFile {
		return Curve{}, fmt.Errorf("%s: %w: %d bytes", path, errDamaged, st.Size())
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return Curve{}, err
	}
	c, err := decode(raw)
	if err != nil {
		return Curve{}, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// writeFile replaces the file in one step. It does not wait for the disk: a curve lost in
// a power cut is computed again within the hour, and a torn one fails its checksum.
func writeFile(dir, name string, raw []byte) (err error) {
	f, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if _, err := f.Write(raw); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Chmod(0o640); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), filepath.Join(dir, name))
}
