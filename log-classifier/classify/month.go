package classify

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/inframind/inframind/internal/job"
	"github.com/inframind/inframind/log-classifier/label"
	"github.com/inframind/inframind/log-classifier/mine"
)

// tally is what a month's lines add up to.
type tally struct {
	Lines      [label.Count]int64 `json:"lines"` // by category
	Confidence float64            `json:"confidence_sum"`
	Unseen     float64            `json:"unseen_sum"`
	New        int64              `json:"new_templates"`
}

func (t *tally) add(v *Verdict, isNew bool) {
	t.Lines[v.Category]++
	t.Confidence += v.Confidence
	t.Unseen += v.Unseen
	if isNew {
		t.New++
	}
}

func (t tally) total() (n int64) {
	for _, k := range t.Lines {
		n += k
	}
	return n
}

// maxMonths is how many months are kept.
const maxMonths = 36

// tallyOf returns the tally of the month of at, made if need be; the oldest makes room.
func (s *state) tallyOf(at time.Time) *tally {
	key := at.UTC().Format(monthForm)
	if s.Months == nil {
		s.Months = map[string]*tally{}
	}
	t := s.Months[key]
	if t != nil {
		return t
	}
	for len(s.Months) >= maxMonths {
		oldest := key
		for k := range s.Months {
			oldest = min(oldest, k)
		}
		if oldest == key {
			return &tally{} // older than all that is kept
		}
		delete(s.Months, oldest)
	}
	t = &tally{}
	s.Months[key] = t
	return t
}

const monthForm = "2006-01"

// Month is what one month was like.
type Month struct {
	Name string // 2026-11
	tally
	Reviewed  int     // labels people gave
	Agreement float64 // share of them that the model had said before
	F1        float64 // macro, of the model on them
	Asked     int     // of them, the model was asked about
	Models    []string
	Found     []*mine.Template // first seen in the month, most frequent first
}

// Month returns what the month that at lies in was like.
func (s *Site) Month(at time.Time) (Month, error) {
	m := Month{Name: at.UTC().Format(monthForm)}
	if t := s.st.Months[m.Name]; t != nil {
		m.tally = *t
	}
	within := func(r Reviewed) bool { return r.Time.UTC().Format(monthForm) == m.Name }
	agreed := 0
	for _, r := range s.labels.list {
		if !within(r) {
			continue
		}
		m.Reviewed++
		if r.Predicted != "" {
			m.Asked++
			if r.Agreed() {
				agreed++
			}
		}
	}
	if m.Asked > 0 {
		m.Agreement = float64(agreed) / float64(m.Asked)
	}
	m.F1, _ = reviewedF1(s.labels.list, within)
	for _, t := range s.miner.All() {
		if t.First.UTC().Format(monthForm) == m.Name {
			m.Found = append(m.Found, t)
		}
	}
	var err error
	m.Models, err = trainings(s.dir, m.Name)
	return m, err
}

// trainings returns a line for each training of a month.
func trainings(dir, month string) (out []string, err error) {
	list, err := job.ReadTrainings(dir)
	for _, t := range list {
		if t.Time.UTC().Format("2006-01") != month {
			continue
		}
		outcome := "in service"
		if !t.Promoted {
			outcome = "not promoted: " + t.Reason
		}
		out = append(out, fmt.Sprintf("%s  %s  %s  %s", t.Time.Format(time.RFC3339), t.Model, t.MetricsText(), outcome))
	}
	return out, err
}

// foundShown is how many new templates a review names.
const foundShown = 10

// WriteMonths compares a month with the one before it.
func WriteMonths(w io.Writer, last, this Month) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(tw, "\t%s\t%s\tchange\t\n", last.Name, this.Name)
	count := func(name string, a, b int64) { fmt.Fprintf(tw, "%s\t%d\t%d\t%s\t\n", name, a, b, percent(a, b)) }
	ratio := func(name string, a, b float64, hasA, hasB bool) {
		change := ""
		if hasA && hasB {
			change = fmt.Sprintf("%+.3f", b-a)
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t\n", name, figure(a, hasA), figure(b, hasB), change)
	}
	a, b := last.total(), this.total()
	count("lines", a, b)
	for c := range label.Category(label.Count) {
		count(c.String(), last.Lines[c], this.Lines[c])
	}
	for c := range label.Category(label.Count) {
		ratio("share "+c.String(), share(float64(last.Lines[c]), a), share(float64(this.Lines[c]), b), a > 0, b > 0)
	}
	ratio("mean confidence", share(last.Confidence, a), share(this.Confidence, b), a > 0, b > 0)
	ratio("unseen features", share(last.Unseen, a), share(this.Unseen, b), a > 0, b > 0)
	count("new templates", last.New, this.New)
	count("labels people gave", int64(last.Reviewed), int64(this.Reviewed))
	ratio("agreement", last.Agreement, this.Agreement, last.Asked > 0, this.Asked > 0)
	ratio("macro-F1 of reviewed lines", last.F1, this.F1, last.Asked > 0, this.Asked > 0)
	if err := tw.Flush(); err != nil {
		return err
	}
	for _, m := range this.Models {
		fmt.Fprintf(w, "model trained: %s\n", m)
	}
	slices.SortStableFunc(this.Found, func(a, b *mine.Template) int { return cmp.Compare(b.Count, a.Count) })
	for _, t := range this.Found[:min(len(this.Found), foundShown)] {
		fmt.Fprintf(w, "new: %d lines since %s, %s %.120s\n", t.Count, t.First.UTC().Format("2006-01-02 15:04"), t.ID, t.Text)
	}
	return nil
}

func share(sum float64, n int64) float64 { return sum / float64(max(n, 1)) }

func figure(v float64, has bool) string {
	if !has {
		return "-"
	}
	return fmt.Sprintf("%.3f", v)
}

func percent(a, b int64) string {
	if a == 0 {
		return ""
	}
	return fmt.Sprintf("%+.0f %%", 100*float64(b-a)/float64(a))
}
