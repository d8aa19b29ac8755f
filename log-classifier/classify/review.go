package classify

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/inframind/inframind/internal/logstore"
	"github.com/inframind/inframind/log-classifier/label"
	"github.com/inframind/inframind/log-classifier/mine"
)

// Reviewed is one label a person gave.
type Reviewed struct {
	label.Example
	TemplateID string
	Predicted  string // what the model said then; "" if it was not asked
	Time       time.Time
	By         string
}

// Agreed tells whether the person and the model said the same.
func (r Reviewed) Agreed() bool { return r.Predicted == r.Category.String() }

var labelHeader = []string{"label", "system", "message", "template_id", "predicted", "time", "by"}

// labelStore is labels.csv in the state directory: the file is only ever appended to, so
// that a person at a terminal and the running job can share it.
type labelStore struct {
	path string
	size int64
	list []Reviewed
}

func labelPath(dir string) string { return filepath.Join(dir, "labels.csv") }

func openLabels(dir string) (*labelStore, error) {
	s := &labelStore{}
	if dir != "" {
		s.path = labelPath(dir)
	}
	_, err := s.refresh()
	return s, err
}

// refresh reads the file again when it has changed.
func (s *labelStore) refresh() (changed bool, err error) {
	if s.path == "" {
		return false, nil
	}
	st, err := os.Stat(s.path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && st.Size() == s.size {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("labels: %w", err)
	}
	list, err := ReadReviewed(s.path)
	if err != nil {
		return false, err
	}
	s.list, s.size = list, st.Size()
	return true, nil
}

// ReadReviewed reads a labels.csv.
func ReadReviewed(path string) ([]Reviewed, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("labels: %w", err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(raw))).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("labels %s: %w", path, err)
	}
	var out []Reviewed
	for i, r := range rows {
		if i == 0 {
			if !slices.Equal(r, labelHeader) {
				return nil, fmt.Errorf("labels %s: header %q, want %q", path, strings.Join(r, ","), strings.Join(labelHeader, ","))
			}
			continue
		}
		c, err := label.Parse(r[0])
		if err != nil {
			return nil, fmt.Errorf("labels %s: line %d: %w", path, i+1, err)
		}
		at, err := time.Parse(time.RFC3339, r[5])
		if err != nil {
			return nil, fmt.Errorf("labels %s: line %d: %w", path, i+1, err)
		}
		out = append(out, Reviewed{label.Example{Category: c, System: r[1], Message: r[2]}, r[3], r[4], at, r[6]})
	}
	return out, nil
}

// AppendReviewed adds labels to the labels.csv in dir, in one write.
func AppendReviewed(dir string, list ...Reviewed) (err error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("labels: %w", err)
	}
	f, err := os.OpenFile(labelPath(dir), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640)
	if err != nil {
		return fmt.Errorf("labels: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	st, err := f.Stat()
	if err != nil {
		return fmt.Errorf("labels: %w", err)
	}
	var b strings.Builder
	w := csv.NewWriter(&b)
	rows := make([][]string, 0, len(list)+1)
	if st.Size() == 0 {
		rows = append(rows, labelHeader)
	}
	for _, r := range list {
		rows = append(rows, []string{r.Category.String(), r.System, r.Message, r.TemplateID, r.Predicted, r.Time.UTC().Format(time.RFC3339), r.By})
	}
	if err := w.WriteAll(rows); err != nil {
		return fmt.Errorf("labels: %w", err)
	}
	_, err = f.WriteString(b.String())
	return err
}

// byTemplate returns the last label of each template.
func (s *labelStore) byTemplate(m *mine.Miner) map[string]label.Category {
	out := map[string]label.Category{}
	for _, r := range s.list {
		id := r.TemplateID
		if t := m.Get(id); t != nil {
			id = t.ID
		}
		if id != "" {
			out[id] = r.Category
		}
	}
	return out
}

// Agreement is the share of the last 500 reviewed predictions that people confirmed; n is 0
// when there is none.
func Agreement(list []Reviewed) (ratio float64, n int) {
	agreed := 0
	for i := len(list) - 1; i >= 0 && n < 500; i-- {
		if list[i].Predicted == "" {
			continue
		}
		n++
		if list[i].Agreed() {
			agreed++
		}
	}
	if n == 0 {
		return 0, 0
	}
	return float64(agreed) / float64(n), n
}

// ask decides whether a line goes to review, and if so files its template: lines the model
// is unsure of, and a few random ones each week.
func (e *Engine) ask(l *line, v *Verdict) bool {
	random := e.st.Random.draw(l.Document, e.cfg.Review.Weekly)
	unsure := v.Confidence < e.cfg.Review.Confidence
	if v.Reviewed || !random && !unsure {
		return false
	}
	id := v.Template.ID
	if a := e.st.Queue[id]; a != nil {
		a.Lines++
		return true
	}
	if len(e.st.Queue) < e.cfg.Review.Backlog {
		e.st.Queue[id] = &Asked{
			Template: v.Template.Text, Message: cut(l.parsed.Message, 1000), Category: v.Category.String(),
			Confidence: v.Confidence, Lines: 1, Random: random && !unsure, Since: l.Time,
		}
	}
	return true
}

// cut returns the first n bytes of s at most, whole characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

// draw picks about n lines a week, by the hash of their id so that a repeated run picks the
// same, at a rate set by last week's volume.
func (w *weekly) draw(d logstore.Document, n int) bool {
	week := d.Time.Unix() / (7 * 86400)
	if week > w.Week {
		*w = weekly{Week: week, Last: w.Lines}
	}
	w.Lines++
	every := uint64(max(w.Last, w.Lines, int64(n)*100)) / uint64(max(n, 1))
	if w.Sent >= n || xxhash.Sum64String(d.ID)%max(every, 1) != 0 {
		return false
	}
	w.Sent++
	return true
}

// Pending is one question for a person.
type Pending struct {
	ID string `json:"template_id"`
	Asked
}

// Pending returns up to n templates to review: those that matter most first. What matters is
// how many lines the answer settles, and how unsure the model is.
func (e *Engine) Pending(n int) []Pending {
	e.mu.Lock()
	defer e.mu.Unlock()
	return pending(e.st, e.labels.byTemplate(e.miner), n)
}

func pending(st *state, done map[string]label.Category, n int) []Pending {
	out := make([]Pending, 0, len(st.Queue))
	for id, a := range st.Queue {
		if _, ok := done[id]; !ok {
			out = append(out, Pending{id, *a})
		}
	}
	value := func(p Pending) float64 { return float64(p.Lines) * (1.05 - p.Confidence) }
	slices.SortFunc(out, func(a, b Pending) int { return cmp.Or(cmp.Compare(value(b), value(a)), cmp.Compare(a.ID, b.ID)) })
	return out[:min(n, len(out))]
}

// Review stores a person's label of a template; later lines of it get the label at once.
func (e *Engine) Review(templateID string, c label.Category, by string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	t := e.miner.Get(templateID)
	if t == nil {
		return fmt.Errorf("template %q is unknown", templateID)
	}
	r := Reviewed{label.Example{Category: c, System: "site", Message: t.Example}, t.ID, "", e.opt.Now(), by}
	if a := e.st.Queue[t.ID]; a != nil {
		r.Predicted, r.Message = a.Category, a.Message
		delete(e.st.Queue, t.ID)
	}
	if e.opt.StateDir == "" {
		e.labels.list = append(e.labels.list, r)
	} else if err := AppendReviewed(e.opt.StateDir, r); err != nil {
		return err
	} else if _, err := e.labels.refresh(); err != nil {
		return err
	}
	e.reload()
	return nil
}

// known returns the template with an id, or nil.
func (e *Engine) known(id string) *mine.Template {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.miner.Get(id)
}
