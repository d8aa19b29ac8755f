package classify

import (
	"fmt"
	"strings"

	"github.com/inframind/inframind/log-classifier/corpus"
	"github.com/inframind/inframind/log-classifier/label"
	"github.com/inframind/inframind/log-classifier/mine"
	"github.com/inframind/inframind/log-classifier/model"
	"github.com/inframind/inframind/log-classifier/token"
)

// cacheSize is how many distinct masked lines one generation of the cache remembers.
const cacheSize = 1 << 15

// Verdict is what the labeler says of all lines with one masked form.
type Verdict struct {
	model.Prediction
	Template *mine.Template
	Reviewed bool     // the category is a person's, given to the template
	Reasons  []string // for critical and warning: what decided
}

// Labeler labels messages: it masks a line and looks the masked form up, so that the model
// and the template search run once per form. It is not safe for concurrent use.
type Labeler struct {
	mask     *token.Masker
	pred     *model.Predictor
	explain  *model.Explainer
	miner    *mine.Miner
	reviewed map[string]label.Category // by template id
	young    map[string]*Verdict
	old      map[string]*Verdict
	isNew    bool
	mix      model.Mix
	seen     [][label.Count]float64 // predictions for distinct templates, for the even mix
	learnAt  int                    // how many of them make the mix be learnt again
}

// The mix of categories is learnt at firstMix templates, and each time they have grown by
// half again, up to maxMix.
const (
	firstMix = 5
	maxMix   = 5000
)

// NewLabeler returns a labeler that uses m and keeps templates in miner. reviewed holds the
// categories that people gave to templates, by template id.
func NewLabeler(m *model.Model, miner *mine.Miner, reviewed map[string]label.Category) *Labeler {
	l := &Labeler{
		mask: token.NewMasker(), pred: model.NewPredictor(m), explain: model.NewExplainer(m), miner: miner,
		reviewed: reviewed, young: map[string]*Verdict{}, mix: model.LoneMix(), learnAt: firstMix,
	}
	for _, t := range miner.All() {
		if len(l.seen) == maxMix {
			break
		}
		l.seen = append(l.seen, l.pred.PredictMasked([]byte(t.Text)).Probability)
	}
	l.learnMix()
	return l
}

// learnMix learns how common each category is here once enough templates were seen. Verdicts
// made before are forgotten.
func (l *Labeler) learnMix() {
	if len(l.seen) < l.learnAt {
		return
	}
	l.mix = model.LearnMix(l.seen)
	clear(l.young)
	l.old = nil
	for l.learnAt <= len(l.seen) {
		l.learnAt += max(l.learnAt/2, 1)
	}
}

// OpenLabeler returns a labeler that knows the templates and labels below stateDir, which it
// leaves as they are; "" means none.
func OpenLabeler(m *model.Model, stateDir string) (*Labeler, error) {
	st, err := loadState(stateDir, "")
	if err != nil {
		return nil, err
	}
	miner, err := mine.Restore(st.Mined, mine.Options{})
	if err != nil {
		return nil, err
	}
	labels, err := openLabels(stateDir)
	if err != nil {
		return nil, err
	}
	rows, err := corpus.Rows()
	if err != nil {
		return nil, err
	}
	l := NewLabeler(m, miner, labels.byTemplate(miner))
	l.learn(rows, labels.examples())
	return l, nil
}

// learn gives the explanations the examples they name: the corpus and the user's own.
func (l *Labeler) learn(rows []model.Row, own []label.Example) {
	examples := make([]label.Example, 0, len(rows)+len(own))
	for _, r := range rows {
		examples = append(examples, r.Example)
	}
	l.explain.Learn(append(examples, own...))
}

// Label returns the verdict on a message; isNew tells that its template was not known. The
// verdict is shared: callers do not change it.
func (l *Labeler) Label(message string) (v *Verdict, isNew bool) {
	masked := l.mask.Mask(message)
	if v := l.young[string(masked)]; v != nil {
		return l.current(v), false
	}
	v = l.old[string(masked)]
	if v == nil {
		v = l.judge(masked)
		isNew = l.isNew
	}
	if len(l.young) >= cacheSize {
		l.old, l.young = l.young, map[string]*Verdict{}
	}
	l.young[string(masked)] = v
	return l.current(v), isNew
}

// current follows merges of the verdict's template.
func (l *Labeler) current(v *Verdict) *Verdict {
	if v.Template.Into != "" {
		v.Template = l.miner.Resolve(v.Template)
		l.override(v)
	}
	return v
}

func (l *Labeler) judge(masked []byte) *Verdict {
	raw := l.pred.PredictMasked(masked)
	v := &Verdict{}
	v.Template, l.isNew = l.miner.Find(masked)
	if l.isNew && len(l.seen) < maxMix {
		l.seen = append(l.seen, raw.Probability)
		l.learnMix()
	}
	v.Prediction = raw.Remix(l.mix)
	l.override(v)
	if v.Category.Alarm() {
		v.Reasons = l.explain.Reasons(masked, v.Category)
		if v.Reviewed {
			v.Reasons = append([]string{"reviewed: a person labelled this template"}, v.Reasons...)
		}
	}
	return v
}

// override puts a person's label on a verdict.
func (l *Labeler) override(v *Verdict) {
	c, ok := l.reviewed[v.Template.ID]
	if !ok {
		return
	}
	v.Category, v.Confidence, v.Reviewed = c, 1, true
}

// Record is one labelled line as pipe prints it and the documents hold it.
type Record struct {
	Category   string   `json:"ml_category"`
	Confidence float64  `json:"ml_confidence"`
	Template   string   `json:"ml_template"`
	TemplateID string   `json:"ml_template_id"`
	Reasons    []string `json:"ml_reasons,omitempty"`
	Review     bool     `json:"ml_review,omitempty"`
}

// record rounds the confidence to three digits, so that documents are stable and small.
func (v *Verdict) record(review bool) Record {
	return Record{
		Category: v.Category.String(), Confidence: float64(int(v.Confidence*1000+0.5)) / 1000,
		Template: v.Template.Text, TemplateID: v.Template.ID, Reasons: v.Reasons, Review: review,
	}
}

// Line explains one message in words, for people.
func (l *Labeler) Line(message string) string {
	v, _ := l.Label(message)
	var b strings.Builder
	fmt.Fprintf(&b, "%s (confidence %.2f)\n", v.Category, v.Confidence)
	for c := range label.Category(label.Count) {
		fmt.Fprintf(&b, "  %-14s %5.1f %%\n", c, 100*v.Probability[c])
	}
	fmt.Fprintf(&b, "template %s: %s\n", v.Template.ID, v.Template.Text)
	for _, r := range l.explain.Reasons(l.mask.Mask(message), v.Category) {
		fmt.Fprintf(&b, "  %s\n", r)
	}
	return b.String()
}
