package scorer

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sort"

	"github.com/inframind/inframind/anomaly-scorer/features"
	"github.com/inframind/inframind/anomaly-scorer/isoforest"
	"github.com/inframind/inframind/internal/zeek"
)

const (
	recentRows = 4096 // unflagged rows the forest is recalibrated on
	resortRows = 256  // after so many new ones
)

// Forest is a trained model in use: the forest, what its scores mean, and the scores of
// the traffic of late. A forest that was trained elsewhere finds much of a new site
// strange; the latter takes care of that.
type Forest struct {
	forest *isoforest.Forest
	meta   isoforest.Meta
	hash   string
	x      *features.Extractor
	row    []float32
	score  []float64
	recent []float64 // ring
	next   int
	sorted []float64 // of recent
}

// NewForest puts a model to use. maxEntries bounds the sources and pairs remembered.
func NewForest(f *isoforest.Forest, m isoforest.Meta, hash string, maxEntries int) (*Forest, error) {
	if !slices.Equal(m.Features, features.Names()) {
		return nil, fmt.Errorf("%w: it was trained on other features than this program computes: train again", isoforest.ErrFile)
	}
	if f.Columns() != features.Columns {
		return nil, fmt.Errorf("%w: %d columns, want %d", isoforest.ErrFile, f.Columns(), features.Columns)
	}
	return &Forest{forest: f, meta: m, hash: hash, x: features.New(maxEntries)}, nil
}

// LoadForest reads a model file. A file that does not exist gives nil and no error.
func LoadForest(path string, maxEntries int) (*Forest, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	f, m, err := isoforest.Decode(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", path, err)
	}
	out, err := NewForest(f, m, fileHash(raw), maxEntries)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", path, err)
	}
	return out, nil
}

// unusual is the share of usual connections that the forest finds less strange than c:
// of those it was trained on, or of the traffic of late, whichever is less alarming.
func (f *Forest) unusual(c *zeek.Conn, flagged bool) float64 {
	f.row = f.x.Append(f.row[:0], c)
	score, err := f.forest.Score(f.score[:0], isoforest.Data{Values: f.row, Columns: features.Columns})
	if err != nil {
		return 0 // cannot be: NewForest compared the columns
	}
	f.score = score
	s := score[0]
	u := below(f.meta.Tail, s)
	if len(f.sorted) >= resortRows {
		u = min(u, below(f.sorted, s))
	}
	if !flagged {
		f.learn(s)
	}
	return u
}

func (f *Forest) learn(s float64) {
	if len(f.recent) < recentRows {
		f.recent = append(f.recent, s)
	} else {
		f.recent[f.next%recentRows] = s
	}
	if f.next++; f.next%resortRows == 0 {
		f.sorted = append(f.sorted[:0], f.recent...)
		slices.Sort(f.sorted)
	}
}

// below is the share of sorted values under s, at most 1-1/(n+1): a sample cannot say more.
func below(sorted []float64, s float64) float64 {
	return float64(sort.SearchFloat64s(sorted, s)) / float64(len(sorted)+1)
}

// usualRange is where 98 of 100 training rows have the feature.
func (f *Forest) usualRange(column int) (low, high float64) {
	if column >= len(f.meta.Usual) {
		return 0, 0
	}
	return f.meta.Usual[column][0], f.meta.Usual[column][1]
}
