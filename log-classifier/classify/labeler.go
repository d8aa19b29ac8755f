package classify

import (
	"fmt"
	"strings"

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
	Reviewed bool             // the category is a person's, given to the template
	byWords  model.Prediction // what the words alone say
	learnt   int              // of the labeler, when Prediction was made
	key      string           // masked line, evidence, service
	words    int              // length of the masked line in key
	why      []string         // reasons, once they were asked for
	json     []byte           // of the record, while the template's text is jsonText
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

// never is when a verdict was made whose words only were looked at.
const never = -1

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
	all := miner.All()
	for _, t := range all[:min(len(all), maxLearn)] {
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
// made before are judged again when they are next asked for.
func (l *Labeler) learnSite() {
	if len(l.seen) < l.learnAt {
		return
	}
	l.site = model.LearnSite(l.seen)
	l.learnt++
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
	return NewLabeler(m, miner, labels.byTemplate(miner)), nil
}

// Label returns the verdict on a line that a service wrote; isNew tells that its template was
// not known. The verdict is shared: callers do not change it.
func (l *Labeler) Label(x *logline.Line, service string) (v *Verdict, isNew bool) {
	ev := model.EvidenceOf(x.Level, x.Message)
	masked := l.mask.Mask(x.Message)
	service = l.services.value(service)
	key := append(append(masked, byte(ev)), service...) // no masked line has a byte like ev
	if v := l.young[string(key)]; v != nil {
		return l.Current(v), false
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
	return l.Current(v), isNew
}

// Current brings a verdict up to what the labeler has learnt since: it follows merges of the
// verdict's template, and what the site taught.
func (l *Labeler) Current(v *Verdict) *Verdict {
	moved := v.Template.Into != ""
	if moved {
		v.Template = l.miner.Resolve(v.Template)
	}
	if v.learnt != l.learnt {
		ev, service := model.Evidence(v.key[v.words]), v.key[v.words+1:]
		v.Prediction, v.learnt, v.why, v.json = l.site.Predict(v.byWords, ev, service), l.learnt, nil, nil
		moved = true
	}
	if moved {
		l.override(v)
	}
	return v
}

// judge makes the verdict on a line that is not known, without its key.
func (l *Labeler) judge(masked []byte, ev model.Evidence, service string) *Verdict {
	v := &Verdict{words: len(masked), byWords: l.pred.PredictMasked(masked), learnt: never}
	v.Template, l.isNew = l.miner.Find(masked)
	if l.isNew {
		l.see(v.byWords, ev, service)
		l.learnSite()
	}
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
