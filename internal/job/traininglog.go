package job

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

const trainingLog = "training_log.csv"

// Training is one line of training_log.csv: what was trained on what, how good it is, and
// whether it was promoted to service.
type Training struct {
	Time     time.Time
	From, To time.Time // the data window
	Rows     int
	Params   map[string]string  // hyperparameters
	Metrics  map[string]float64 // measured quality
	Model    string             // file
	Hash     string             // of the file
	Promoted bool
	Reason   string
}

var trainingHeader = []string{"time", "data_from", "data_to", "rows", "hyperparameters", "metrics", "model", "hash", "promoted", "reason"}

// AppendTraining adds t to the training_log.csv in dir.
func AppendTraining(dir string, t Training) (err error) {
	path := filepath.Join(dir, trainingLog)
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640)
	if err != nil {
		return fmt.Errorf("training log: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	st, err := f.Stat()
	if err != nil {
		return fmt.Errorf("training log: %w", err)
	}
	w := csv.NewWriter(f)
	if st.Size() == 0 {
		if err := w.Write(trainingHeader); err != nil {
			return fmt.Errorf("training log: %w", err)
		}
	}
	err = w.Write([]string{
		stamp(t.Time), stamp(t.From), stamp(t.To), strconv.Itoa(t.Rows), pairs(t.Params), t.MetricsText(),
		t.Model, t.Hash, strconv.FormatBool(t.Promoted), t.Reason,
	})
	if err != nil {
		return fmt.Errorf("training log: %w", err)
	}
	w.Flush()
	return w.Error()
}

// ReadTrainings reads the training_log.csv in dir, oldest first. Without the file there are none.
func ReadTrainings(dir string) (out []Training, err error) {
	path := filepath.Join(dir, trainingLog)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("training log: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	r := csv.NewReader(f)
	r.FieldsPerRecord = len(trainingHeader)
	for {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("training log %s: %w", path, err)
		}
		if rec[0] == trainingHeader[0] {
			continue
		}
		t, err := parseTraining(rec)
		if err != nil {
			line, _ := r.FieldPos(0)
			return nil, fmt.Errorf("training log %s:%d: %w", path, line, err)
		}
		out = append(out, t)
	}
}

func parseTraining(rec []string) (t Training, err error) {
	t = Training{Params: unpair(rec[4]), Metrics: map[string]float64{}, Model: rec[6], Hash: rec[7], Reason: rec[9]}
	var errs [5]error
	t.Time, errs[0] = unstamp(rec[0])
	t.From, errs[1] = unstamp(rec[1])
	t.To, errs[2] = unstamp(rec[2])
	t.Rows, errs[3] = strconv.Atoi(rec[3])
	t.Promoted, errs[4] = strconv.ParseBool(rec[8])
	for k, v := range unpair(rec[5]) {
		if t.Metrics[k], err = strconv.ParseFloat(v, 64); err != nil {
			return t, err
		}
	}
	return t, errors.Join(errs[:]...)
}

// MetricsText is the metrics as "name=value" by name, as in the log.
func (t Training) MetricsText() string {
	metrics := map[string]string{}
	for k, v := range t.Metrics {
		metrics[k] = strconv.FormatFloat(v, 'g', 6, 64)
	}
	return pairs(metrics)
}

func unstamp(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	return time.Parse(time.RFC3339, s)
}

func unpair(s string) map[string]string {
	out := map[string]string{}
	for kv := range strings.FieldsSeq(s) {
		k, v, _ := strings.Cut(kv, "=")
		out[k] = v
	}
	return out
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func pairs(m map[string]string) string {
	out := make([]string, 0, len(m))
	for k, v := range m {
		out = append(out, k+"="+v)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}
