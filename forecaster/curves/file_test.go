package curves

import (
	"encoding/binary"
	"hash/crc32"
	"testing"
	"time"

	pmodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
)

// FuzzDecode gives decode any content with a right checksum: it errs, or what it gives can
// be written again.
func FuzzDecode(f *testing.F) {
	raw, err := encode(Curve{
		Labels: labels.FromStrings(pmodel.MetricNameLabel, MetricPrefix+"cpu", "instance", "a"), Start: time.UnixMilli(0), Step: time.Hour,
		Lines: []Line{{Quantile: "0.5", Values: []float32{1, 2}}, {Quantile: "0.9", Values: []float32{3, 4}}},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw[:len(raw)-4])
	huge := `{"step_ms":1,"points":4611686018427387904,"quantiles":["a","b","c","d"]}`
	f.Add(append(binary.LittleEndian.AppendUint32([]byte(magic), uint32(len(huge))), huge...))
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := decode(binary.LittleEndian.AppendUint32(body[:len(body):len(body)], crc32.ChecksumIEEE(body)))
		if err != nil {
			return
		}
		if _, err := encode(c); err != nil && len(c.Lines) > 0 {
			t.Error(err)
		}
	})
}
