package classify

import (
	"fmt"
	"strings"

	"github.com/inframind/inframind/log-classifier/corpus"
	"github.com/inframind/inframind/log-classifier/label"
	"github.com/inframind/inframind/log-classifier/logline"
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
	learnt   int      // of the labeler, when it was made
	key      string   // masked line, evidence, and service if it has a mix of its own
	words    int      // length of the masked line in key
	why      []string // reasons, once they were asked for
	json     []byte   // of the record, while the template's text is jsonText
	jsonText string
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
	site     *model.Site
	services *bounded
	seen     []model.Seen // distinct templates
	learnAt  int          // how many of them make the site be learnt again
	learnt   int          // how often it was
}

// The site is learnt at firstLearn templates, and each time they have grown by half again,
// up to maxLearn. Services beyond maxServices share one mix.
const (
	firstLearn  = 5
	maxLearn    = 5000
	maxServices = 1000
)

// NewLabeler returns a labeler that uses m and keeps templates in miner. reviewed holds the
// categories that people gave to templates, by template id.
func NewLabeler(m *model.Model, miner *mine.Miner, reviewed map[string]label.Category) *Labeler {
	l := &Labeler{
		mask: token.NewMasker(), pred: model.NewPredictor(m), explain: model.NewExplainer(m), miner: miner,
		reviewed: reviewed, young: map[string]*Verdict{}, site: model.LoneSite(), services: newBounded(maxServices), learnAt: firstLearn,
	}
	for _, t := range miner.All() {
		l.see(l.pred.PredictMasked([]byte(t.Text)), model.EvidenceOf(t.Level, t.Example), t.Service)
	}
	l.learnSite()
	return l
}

// see remembers a distinct template for learnSite.
func (l *Labeler) see(p model.Prediction, ev model.Evidence, service string) {
	if len(l.seen) < maxLearn {
		l.seen = append(l.seen, model.Seen{Probability: p.Probability, Evidence: ev, Service: l.services.value(service)})
	}
}

// learnSite learns what the site's templates teach once enough of them were seen. Verdicts
// made before are forgotten.
func (l *Labeler) learnSite() {
	if len(l.seen) < l.learnAt {
		return
	}
	l.site = model.LearnSite(l.seen)
	l.learnt++
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

// Label returns the verdict on a line that a service wrote; isNew tells that its template was
// not known. The verdict is shared: callers do not change it.
func (l *Labeler) Label(x *logline.Line, service string) (v *Verdict, isNew bool) {
	ev := model.EvidenceOf(x.Level, x.Message)
	masked := l.mask.Mask(x.Message)
	key := append(masked, byte(ev)) // no masked line has such a byte
	if service = l.services.value(service); l.site.Knows(service) {
		key = append(key, service...)
	}
	if v := l.young[string(key)]; v != nil {
		return l.current(v), false
	}
	v = l.old[string(key)]
	if v == nil {
		v = l.judge(masked, ev, service)
		v.key = string(key)
		isNew = l.isNew
	}
	if len(l.young) >= cacheSize {
		l.old, l.young = l.young, map[string]*Verdict{}
	}
	l.young[v.key] = v
	return l.current(v), isNew
}

// Again returns the verdict on x, which was v before, as it is now.
func (l *Labeler) Again(x *logline.Line, service string, v *Verdict) *Verdict {
	if v.learnt != l.learnt {
		v, _ = l.Label(x, service)
	}
	return l.current(v)
}

// current follows merges of the verdict's template.
func (l *Labeler) current(v *Verdict) *Verdict {
	if v.Template.Into != "" {
		v.Template = l.miner.Resolve(v.Template)
		l.override(v)
	}
	return v
}

func (l *Labeler) judge(masked []byte, ev model.Evidence, service string) *Verdict {
	words := l.pred.PredictMasked(masked)
	v := &Verdict{words: len(masked)}
	v.Template, l.isNew = l.miner.Find(masked)
	if l.isNew {
		l.see(words, ev, service)
		l.learnSite()
	}
	v.Prediction, v.learnt = l.site.Predict(words, ev, service), l.learnt
	l.override(v)
	return v
}

// reasons says of critical and warning lines what decided.
func (l *Labeler) reasons(v *Verdict) []string {
	if !v.Category.Alarm() {
		return nil
	}
	if v.why == nil {
		if v.Reviewed {
			v.why = append(v.why, "reviewed: a person labelled this template")
		}
		if e := model.Evidence(v.key[v.words]); e != 0 {
			v.why = append(v.why, e.String())
		}
		v.why = append(v.why, l.explain.Reasons([]byte(v.key[:v.words]), v.Category)...)
	}
	return v.why
}

// override puts a person's label on a verdict.
func (l *Labeler) override(v *Verdict) {
	c, ok := l.reviewed[v.Template.ID]
	if !ok {
		return
	}
	v.Category, v.Confidence, v.Reviewed = c, 1, true
}

// Line explains one message in words, for people.
func (l *Labeler) Line(message string) string {
	x := logline.Parse(message, "")
	v, _ := l.Label(&x, x.Service)
	var b strings.Builder
	fmt.Fprintf(&b, "%s (confidence %.2f)\n", v.Category, v.Confidence)
	for c := range label.Category(label.Count) {
		fmt.Fprintf(&b, "  %-14s %5.1f %%\n", c, 100*v.Probability[c])
	}
	fmt.Fprintf(&b, "template %s: %s\n", v.Template.ID, v.Template.Text)
	for _, r := range l.explain.Reasons([]byte(v.key[:v.words]), v.Category) {
		fmt.Fprintf(&b, "  %s\n", r)
	}
	return b.String()
}
