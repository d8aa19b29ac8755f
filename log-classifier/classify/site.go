package classify

import (
	"cmp"
	"fmt"
	"time"

	"github.com/inframind/inframind/log-classifier/label"
	"github.com/inframind/inframind/log-classifier/logline"
	"github.com/inframind/inframind/log-classifier/mine"
	"github.com/inframind/inframind/log-classifier/token"
)

// Site is what a service has learnt, opened beside it for people: its templates, the
// questions it has, the labels it got. It is read as of the last save; labels go to the file
// that the service reads before each run.
type Site struct {
	dir    string
	st     *state
	miner  *mine.Miner
	labels *labelStore
}

// OpenSite reads the state below dir.
func OpenSite(dir string) (*Site, error) {
	st, err := loadState(dir, "")
	if err != nil {
		return nil, err
	}
	m, err := mine.Restore(st.Mined, mine.Options{})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", statePath(dir), err)
	}
	l, err := openLabels(dir)
	return &Site{dir, st, m, l}, err
}

// Pending returns up to n questions. With byTemplate they are the templates without a
// person's label that most lines have, whether the model is sure of them or not.
func (s *Site) Pending(n int, byTemplate bool, l *Labeler) []Pending {
	done := s.labels.byTemplate(s.miner)
	if !byTemplate {
		return pending(s.st, done, n)
	}
	var out []Pending
	for _, t := range s.miner.All() {
		if _, ok := done[t.ID]; ok || len(out) == n {
			continue
		}
		x := logline.Parse(t.Example, "")
		x.Level = cmp.Or(x.Level, t.Level)
		v, _ := l.Label(&x, t.Service)
		out = append(out, Pending{t.ID, Asked{Template: t.Text, Message: t.Example, Category: v.Category.String(), Confidence: v.Confidence, Lines: t.Count, Since: t.First}})
	}
	return out
}

// Answer stores a person's label.
func (s *Site) Answer(p Pending, c label.Category, by string) error {
	return AppendReviewed(s.dir, Reviewed{label.Example{Category: c, System: "site", Message: p.Message}, p.ID, p.Category, time.Now(), by})
}

// Templates returns the templates, most frequent first.
func (s *Site) Templates() []*mine.Template { return s.miner.All() }

// Labels returns the labels people gave.
func (s *Site) Labels() []Reviewed { return s.labels.list }

// TemplateOf returns the id of the template of a message: ids are made from the message, so
// that it holds for one that is yet to come as well.
func (s *Site) TemplateOf(message string) string {
	t, _ := s.miner.Find(token.NewMasker().Mask(message))
	return t.ID
}
