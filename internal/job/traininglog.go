package job

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

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
	path := filepath.Join(dir, "training_log.csv")
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
	metrics := map[string]string{}
	for k, v := range t.Metrics {
		metrics[k] = strconv.FormatFloat(v, 'g', 6, 64)
	}
	err = w.Write([]string{
		stamp(t.Time), stamp(t.From), stamp(t.To), strconv.Itoa(t.Rows), pairs(t.Params), pairs(metrics),
		t.Model, t.Hash, strconv.FormatBool(t.Promoted), t.Reason,
	})
	if err != nil {
		return fmt.Errorf("training log: %w", err)
	}
	w.Flush()
	return w.Error()
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
