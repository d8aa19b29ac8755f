package classify

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/inframind/inframind/internal/job"
	"github.com/inframind/inframind/log-classifier/corpus"
	"github.com/inframind/inframind/log-classifier/evaluate"
	"github.com/inframind/inframind/log-classifier/label"
	"github.com/inframind/inframind/log-classifier/model"
)

// minPerClass is how few own labels of a category are worth a warning.
const minPerClass = 5

// ownWeight is how much more one label of the site counts than a line of the corpus.
const ownWeight = evaluate.OwnWeight

// TrainShipped trains the model on the project's corpus alone and returns its file. Equal
// corpora give equal bytes.
func TrainShipped() ([]byte, error) {
	rows, err := corpus.Rows()
	if err != nil {
		return nil, err
	}
	m := model.Train(rows, model.DefaultParams())
	m.Name = "shipped"
	if err := measure(m, nil); err != nil {
		return nil, err
	}
	return m.Encode()
}

// measure sets the metrics of m: macro-F1 and critical recall on messages it was not trained
// on, the project's test messages and the held-out labels of the site.
func measure(m *model.Model, held []label.Example) error {
	tests, err := corpus.Tests()
	if err != nil {
		return err
	}
	p := model.NewPredictor(m)
	var all, site evaluate.Confusion
	for _, t := range tests {
		for _, e := range t.Examples {
			all.Add(e.Category, p.Predict(e.Message).Remix(model.LoneMix()).Category, 1)
		}
	}
	for _, e := range held {
		site.Add(e.Category, p.Predict(e.Message).Category, 1)
	}
	precision, recall, _ := all.Class(label.Critical)
	m.Metrics = map[string]float64{"macro_f1": all.Macro(), "critical_recall": recall, "critical_precision": precision}
	if site.Total() > 0 {
		m.Metrics["site_macro_f1"] = site.Macro()
	}
	return nil
}

// TrainReport says what a training did.
type TrainReport struct {
	Model    string
	Rows     int
	Own      int
	Metrics  map[string]float64
	Promoted bool
	Reason   string
	Warnings []string
}

func (r TrainReport) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "model %s: %d examples, %d of them the site's own\n", r.Model, r.Rows, r.Own)
	names := make([]string, 0, len(r.Metrics))
	for n := range r.Metrics {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		if !strings.HasSuffix(n, "_unix") {
			fmt.Fprintf(&b, "  %-20s %.3f\n", n, r.Metrics[n])
		}
	}
	for _, w := range r.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", w)
	}
	if r.Promoted {
		b.WriteString("now in service")
	} else {
		b.WriteString("not put into service: " + r.Reason)
	}
	return b.String()
}

// Train trains on the corpus, the labels below stateDir and own, and puts the model into
// service unless it is worse on held-out labels than the one there. Every fifth own label is
// held out for that comparison and then trained on in the model that is kept.
func Train(stateDir string, own []label.Example, output string) (TrainReport, error) {
	reviewed, err := ReadReviewed(labelPath(stateDir))
	if err != nil {
		return TrainReport{}, err
	}
	for _, r := range reviewed {
		own = append(own, r.Example)
	}
	rows, err := corpus.Rows()
	if err != nil {
		return TrainReport{}, err
	}
	rep := TrainReport{Own: len(own), Warnings: tooFew(own), Promoted: true}
	current, err := LoadModel("", stateDir)
	if errors.Is(err, model.ErrFormat) { // training is the remedy
		rep.Warnings = append(rep.Warnings, err.Error()+"; compared with the built-in model instead")
		current, err = corpus.Shipped()
	}
	if err != nil {
		return rep, err
	}
	fit, held := split(own)
	cur, cand := *current, model.Train(append(slices.Clone(rows), ownRows(fit)...), model.DefaultParams())
	if err := measure(&cur, held); err != nil {
		return rep, err
	}
	if err := measure(cand, held); err != nil {
		return rep, err
	}
	for _, k := range []string{"site_macro_f1", "macro_f1"} {
		if cand.Metrics[k] < cur.Metrics[k]-0.02 {
			rep.Promoted, rep.Reason = false, fmt.Sprintf("%s %.3f is below %.3f of the model in service", k, cand.Metrics[k], cur.Metrics[k])
		}
	}
	m := model.Train(append(rows, ownRows(own)...), model.DefaultParams())
	now := time.Now().UTC()
	m.Metrics = cand.Metrics
	m.Metrics["trained_unix"] = float64(now.Unix())
	m.Name = now.Format("20060102-150405")
	rep.Model, rep.Rows, rep.Metrics = m.Name, m.Rows, m.Metrics
	return rep, store(stateDir, output, m, rep, now)
}

// store writes the model as a version of its own, promotes it and logs the training.
func store(stateDir, output string, m *model.Model, rep TrainReport, now time.Time) error {
	raw, err := m.Encode()
	if err != nil {
		return err
	}
	path := filepath.Join(stateDir, "models", m.Name+".model")
	if err := job.SaveFile(path, raw); err != nil {
		return err
	}
	if output != "" {
		if err := job.SaveFile(output, raw); err != nil {
			return err
		}
	}
	if rep.Promoted {
		if err := job.SaveFile(filepath.Join(stateDir, "models", "current.model"), raw); err != nil {
			return err
		}
	}
	sum := sha256.Sum256(raw)
	return job.AppendTraining(stateDir, job.Training{
		Time: now, Rows: rep.Rows, Params: map[string]string{"own": fmt.Sprint(rep.Own), "C": fmt.Sprint(model.DefaultParams().C)},
		Metrics: rep.Metrics, Model: filepath.Base(path), Hash: hex.EncodeToString(sum[:8]), Promoted: rep.Promoted, Reason: rep.Reason,
	})
}

// split holds out every fifth label.
func split(own []label.Example) (fit, held []label.Example) {
	for i, e := range own {
		if i%5 == 4 {
			held = append(held, e)
		} else {
			fit = append(fit, e)
		}
	}
	return fit, held
}

func ownRows(own []label.Example) []model.Row {
	out := make([]model.Row, 0, len(own))
	for _, e := range own {
		out = append(out, model.Row{Example: e, Weight: [model.Heads]float64{ownWeight, ownWeight, ownWeight}})
	}
	return out
}

func tooFew(own []label.Example) (warnings []string) {
	if len(own) == 0 {
		return nil
	}
	var n [label.Count]int
	for _, e := range own {
		n[e.Category]++
	}
	for c, k := range n {
		if k < minPerClass {
			warnings = append(warnings, fmt.Sprintf("only %d labels of %s: its figures rest on the corpus", k, label.Category(c)))
		}
	}
	return warnings
}

// Versions lists the model versions below stateDir, newest first.
func Versions(stateDir string) ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(stateDir, "models", "2*.model"))
	if err != nil {
		return nil, err
	}
	for i, p := range paths {
		paths[i] = strings.TrimSuffix(filepath.Base(p), ".model")
	}
	slices.Sort(paths)
	slices.Reverse(paths)
	return paths, nil
}

// Rollback puts an earlier version into service; "shipped" is the shipped model.
func Rollback(stateDir, version string) error {
	current := filepath.Join(stateDir, "models", "current.model")
	if version == "shipped" {
		if err := os.Remove(current); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("roll back: %w", err)
		}
		return nil
	}
	if version != filepath.Base(version) {
		return fmt.Errorf("version %q is not a name", version)
	}
	raw, err := os.ReadFile(filepath.Join(stateDir, "models", version+".model"))
	if err != nil {
		return fmt.Errorf("roll back: %w", err)
	}
	if _, err := model.Decode(raw); err != nil {
		return fmt.Errorf("roll back to %s: %w", version, err)
	}
	return job.SaveFile(current, raw)
}
