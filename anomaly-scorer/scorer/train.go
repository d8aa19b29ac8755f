package scorer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/inframind/inframind/anomaly-scorer/evidence"
	"github.com/inframind/inframind/anomaly-scorer/features"
	"github.com/inframind/inframind/anomaly-scorer/isoforest"
	"github.com/inframind/inframind/anomaly-scorer/measure"
	"github.com/inframind/inframind/internal/job"
	"github.com/inframind/inframind/internal/zeek"
)

const (
	maxTrainRows = 100_000 // kept of the training window, at random
	tailPoints   = 1000
	minTrainRows = 100
	// tolerated is by how much a new model may separate worse than the one in service:
	// less is noise of the sample.
	tolerated = 0.01
)

// TrainOptions say what to train on and where the model goes.
type TrainOptions struct {
	Dir    string        // Zeek logs
	Model  string        // file to write; the one before is kept as Model.previous
	Window time.Duration // of log time, back from the newest connection; 0: all
	Log    *slog.Logger
	Now    func() time.Time
	Force  bool // promote even a worse model
	Seed   uint64
}

// Trained is what came of it.
type Trained struct {
	Rows, Used int // read, and usual enough to learn from
	From, To   time.Time
	Separation float64 // AUROC of artificial outliers against held-out rows
	InService  float64 // that of the model before; NaN without one
	HeldOut    float64 // share of held-out rows beyond the training's 99th percentile
	Promoted   bool
	Reason     string
}

// ErrTooFew says that the logs hold too few connections to learn from.
var ErrTooFew = errors.New("too few connections to train on")

// Train learns what is usual from the connections that do not look like probing, and puts
// the model into service unless it is worse than the one that is.
func Train(ctx context.Context, c Config, o TrainOptions) (Trained, error) {
	if err := c.Validate(); err != nil {
		return Trained{}, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	set, err := collect(ctx, c, o)
	if err != nil {
		return Trained{}, err
	}
	out := set.trained
	if out.Used < minTrainRows {
		return out, fmt.Errorf("%w: %d usable of %d in %s; at least %d are needed", ErrTooFew, out.Used, out.Rows, o.Dir, minTrainRows)
	}
	train, held := set.split()
	f, err := isoforest.Fit(train, modelOptions(o.Seed))
	if err != nil {
		return out, fmt.Errorf("train: %w", err)
	}
	scores, err := f.Score(nil, train)
	if err != nil {
		return out, fmt.Errorf("train: %w", err)
	}
	slices.Sort(scores)
	meta := isoforest.Meta{Features: features.Names(), From: out.From, To: out.To, Rows: out.Used, Trained: o.Now().UTC(), Tail: thin(scores, tailPoints), Usual: usual(train)}
	out.HeldOut = share(f, held, measure.Quantile(scores, .99))
	out.Separation, out.InService = separation(f, held), math.NaN()
	old, err := LoadForest(o.Model, 0)
	switch {
	case err != nil:
		out.Reason = "the model in service cannot be used: " + err.Error()
	case old != nil:
		out.InService = separation(old.forest, held)
	}
	out.Promoted = o.Force || math.IsNaN(out.InService) || out.Separation >= out.InService-tolerated
	if !out.Promoted {
		out.Reason = fmt.Sprintf("it separates worse than the model in service (%.4f < %.4f)", out.Separation, out.InService)
	}
	return out, install(f, meta, o, out)
}

func modelOptions(seed uint64) isoforest.Options {
	// Connections are scored one at a time, in a stream: the fast kind of forest.
	return isoforest.Options{Scoring: isoforest.Blend, Seed: seed}
}

// install writes the model and the line of the training log.
func install(f *isoforest.Forest, m isoforest.Meta, o TrainOptions, t Trained) error {
	raw, err := f.Encode(m)
	if err != nil {
		return err
	}
	opts := f.Options()
	line := job.Training{
		Time: m.Trained, From: t.From, To: t.To, Rows: t.Used, Model: filepath.Base(o.Model), Hash: fileHash(raw), Promoted: t.Promoted, Reason: t.Reason,
		Params:  map[string]string{"trees": strconv.Itoa(opts.Trees), "sample": strconv.Itoa(opts.Sample), "seed": strconv.FormatUint(o.Seed, 10)},
		Metrics: map[string]float64{"separation_auroc": t.Separation, "held_out_beyond_p99_ratio": t.HeldOut},
	}
	if t.Promoted {
		if err := keepPrevious(o.Model); err != nil {
			return err
		}
		if err := job.SaveFile(o.Model, raw); err != nil {
			return err
		}
	}
	return job.AppendTraining(filepath.Dir(o.Model), line)
}

// keepPrevious copies the model in service aside, for `train --rollback`.
func keepPrevious(path string) error {
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("keep the model in service: %w", err)
	}
	return job.SaveFile(path+".previous", raw)
}

// Rollback puts the model that was in service before back.
func Rollback(path string) error {
	raw, err := os.ReadFile(path + ".previous")
	if err != nil {
		return fmt.Errorf("no earlier model: %w", err)
	}
	return job.SaveFile(path, raw)
}

func fileHash(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:8])
}

// trainSet is a random sample of the usable connections' features, in log order of arrival.
type trainSet struct {
	trained Trained
	data    []float32
	rng     *rand.Rand
	order   []int // arrival number of each kept row
}

func collect(ctx context.Context, c Config, o TrainOptions) (*trainSet, error) {
	from := int64(math.MinInt64)
	if o.Window > 0 {
		newest, err := newest(ctx, o)
		if err != nil {
			return nil, err
		}
		from = newest - int64(o.Window)
	}
	set := &trainSet{rng: rand.New(rand.NewPCG(o.Seed, 2))}
	ev, x := evidence.New(evidence.Options{MaxEntries: c.MaxEntries}), features.New(c.MaxEntries)
	var row []float32
	err := each(ctx, o, func(conn *zeek.Conn) {
		if conn.Time < from {
			return
		}
		t := &set.trained
		t.Rows++
		if when := conn.When(); t.From.IsZero() || when.Before(t.From) {
			t.From = when
		}
		if when := conn.When(); when.After(t.To) {
			t.To = when
		}
		e := ev.Score(conn)
		row = x.Append(row[:0], conn)
		if !e.Flagged() {
			set.add(row)
		}
	})
	return set, err
}

func newest(ctx context.Context, o TrainOptions) (int64, error) {
	last := int64(0)
	o.Log = slog.New(slog.DiscardHandler) // what is malformed is told once, by collect
	err := each(ctx, o, func(c *zeek.Conn) { last = max(last, c.Time) })
	return last, err
}

// each reads all connections of o.Dir. Malformed lines are logged as a count.
func each(ctx context.Context, o TrainOptions, fn func(*zeek.Conn)) error {
	bad := 0
	_, err := zeek.Scanner{Dir: o.Dir, Final: true}.Scan(ctx, zeek.KindConn, nil, zeek.Handler{
		Conn: func(c *zeek.Conn, _ zeek.Origin) error { fn(c); return nil },
		Bad: func(at zeek.Origin, _ []byte, err error) error {
			if bad++; at.Line == 0 || bad <= 5 {
				o.Log.Warn("skipped", "at", at.String(), "err", err)
			}
			return nil
		},
	})
	return err
}

// add keeps row with the probability that makes the kept ones a fair sample.
func (s *trainSet) add(row []float32) {
	n := s.trained.Used
	s.trained.Used++
	if n < maxTrainRows {
		s.data, s.order = append(s.data, row...), append(s.order, n)
		return
	}
	if i := s.rng.IntN(n + 1); i < maxTrainRows {
		copy(s.data[i*features.Columns:], row)
		s.order[i] = n
	}
}

// split holds out the newest fifth.
func (s *trainSet) split() (train, held isoforest.Data) {
	sorted := slices.Sorted(slices.Values(s.order))
	cut := sorted[len(sorted)*4/5]
	train.Columns, held.Columns = features.Columns, features.Columns
	for i, at := range s.order {
		row := s.data[i*features.Columns : (i+1)*features.Columns]
		if at < cut {
			train.Values = append(train.Values, row...)
		} else if held.Rows() < 10_000 {
			held.Values = append(held.Values, row...)
		}
	}
	return train, held
}

func share(f *isoforest.Forest, d isoforest.Data, limit float64) float64 {
	scores, err := f.Score(nil, d)
	if err != nil || len(scores) == 0 {
		return math.NaN()
	}
	n := 0
	for _, s := range scores {
		if s > limit {
			n++
		}
	}
	return float64(n) / float64(len(scores))
}

// separation is the AUROC of artificial outliers against held: rows in which a third of
// the numbers come from other rows of their column's range. It needs no labels and
// compares models on the same rows.
func separation(f *isoforest.Forest, held isoforest.Data) float64 {
	rng := rand.New(rand.NewPCG(1, 2))
	n, cols := held.Rows(), held.Columns
	low, high := slices.Clone(held.Row(0)), slices.Clone(held.Row(0))
	for i := range n {
		for k, v := range held.Row(i) {
			low[k], high[k] = min(low[k], v), max(high[k], v)
		}
	}
	fake := isoforest.Data{Values: slices.Clone(held.Values), Columns: cols}
	for i := range fake.Values {
		if rng.IntN(3) == 0 {
			k := i % cols
			fake.Values[i] = low[k] + rng.Float32()*(high[k]-low[k])
		}
	}
	scores, err := f.Score(nil, held)
	if err != nil {
		return math.NaN()
	}
	if scores, err = f.Score(scores, fake); err != nil {
		return math.NaN()
	}
	truth := make([]bool, len(scores))
	for i := n; i < len(truth); i++ {
		truth[i] = true
	}
	return measure.AUROC(scores, truth)
}

// usual is, for each column, the range that holds 98 of 100 rows.
func usual(d isoforest.Data) [][2]float64 {
	out := make([][2]float64, d.Columns)
	col := make([]float64, d.Rows())
	for k := range out {
		for i := range col {
			col[i] = float64(d.Row(i)[k])
		}
		slices.Sort(col)
		out[k] = [2]float64{measure.Quantile(col, .01), measure.Quantile(col, .99)}
	}
	return out
}

// thin keeps n quantiles of sorted.
func thin(sorted []float64, n int) []float64 {
	if len(sorted) <= n {
		return sorted
	}
	out := make([]float64, n)
	for i := range out {
		out[i] = measure.Quantile(sorted, float64(i)/float64(n-1))
	}
	return out
}
