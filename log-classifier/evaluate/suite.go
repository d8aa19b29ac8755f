package evaluate

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/inframind/inframind/log-classifier/label"
	"github.com/inframind/inframind/log-classifier/mine"
	"github.com/inframind/inframind/log-classifier/model"
	"github.com/inframind/inframind/log-classifier/tfidf"
	"github.com/inframind/inframind/log-classifier/token"
)

// Result is one line of the report.
type Result struct {
	Name string
	Measure
}

// Grouping is the template mining of one system.
type Grouping struct {
	System      string
	Accuracy    float64 // with ids resolved through merges
	AtOnce      float64 // with the ids as they were given out
	Found, True int
}

// Report is everything that Run measured.
type Report struct {
	Results  []Result
	Tests    []TestResult
	Wrong    []Miss // leaving one system out, as the service labels: with site and levels
	Grouping []Grouping
	Imitated []Grouping // of imitated programs
}

// TestResult is how the corpus alone labels one of the project's own tests, each message as
// one that comes alone.
type TestResult struct {
	Name string
	Confusion
}

// Suite is what Run measures with.
type Suite struct {
	Systems  []System
	Base     []model.Row // the project's corpus
	Tests    []label.Test
	Programs []label.Example // of programs that Base does not hold, one message a template
	Imitated []System        // well-known programs, for Pipe and for their templates
	Params   model.Params
	Pipe     func(raw []string) ([]model.Prediction, error) // what pipe says of the lines of a log, with the shipped model; may be nil
	Progress func(done, total int)                          // may be nil
}

// learned returns a classifier that learns from the system's own messages, without their
// labels, as the service does; levels tells whether it may look at their levels.
func learned(m *model.Model, s System, levels bool) Predict {
	type beside struct {
		words   model.Prediction
		level   model.Evidence
		service string
	}
	words, known := model.NewPredictor(m).PredictAll(s.Lines), map[string]beside{}
	for i, l := range s.Lines {
		b := beside{words: words[i], service: s.Services[i]}
		if levels {
			b.level = model.EvidenceOf(s.Levels[i], l)
		}
		known[l] = b
	}
	var seen []model.Seen
	for _, t := range s.Templates {
		b := known[s.Lines[t.Lines[0]]]
		seen = append(seen, model.Seen{Probability: b.words.Probability, Evidence: b.level, Service: b.service})
	}
	site := model.LearnSite(seen)
	return func(msg string) (label.Category, float64) {
		b := known[msg]
		x := site.Predict(b.words, b.level, b.service)
		return x.Category, x.Confidence
	}
}

// lone labels the messages of a test one by one, without a site's mix.
func lone(m *model.Model, t label.Test) TestResult {
	out, p := TestResult{Name: t.Name}, model.NewPredictor(m)
	for _, e := range t.Examples {
		out.Add(e.Category, p.Predict(e.Message).Remix(model.LoneMix()).Category, 1)
	}
	return out
}

func plain(m *model.Model) Predict {
	p := model.NewPredictor(m)
	return func(msg string) (label.Category, float64) {
		x := p.Predict(msg)
		return x.Category, x.Confidence
	}
}

// textbook is TF-IDF and logistic regression on cleaned text.
func textbook(rows []model.Row) Predict {
	mask := token.NewMasker()
	texts, y := make([]string, len(rows)), make([]int, len(rows))
	for i, r := range rows {
		texts[i], y[i] = string(mask.Mask(r.Message)), int(r.Category)
	}
	c := tfidf.Train(texts, y, label.Count, tfidf.Options{})
	return func(msg string) (label.Category, float64) {
		p := c.Probabilities(string(mask.Mask(msg)))
		k := 0
		for i := range p {
			if p[i] > p[k] {
				k = i
			}
		}
		return label.Category(k), p[k]
	}
}

// budgets are how many templates of the left-out system a person labels in the curve.
var budgets = []int{10, 30, 100}

// names of the results, in the order of the report.
const (
	resTextbook = "textbook TF-IDF + LogReg, other systems"
	resCorpus   = "project's corpus alone"
	resCorpusM  = "project's corpus alone, site"
	resCorpusL  = "project's corpus alone, site, levels"
	resLOSOL    = "leave one system out, site, levels"
	resLOSO     = "leave one system out"
	resLOSOM    = "leave one system out, site"
	resStrict   = "leave one kind out, site"
	resStrictL  = "leave one kind out, site, levels"
	resPrograms = "project's corpus alone, own programs it does not hold, site"
	resRandom   = "random 80/20 of the lines (leaks templates)"
	resPipe     = "shipped model, raw lines through pipe"
	resImitated = "shipped model, raw lines of imitated programs through pipe"
	resDisjoint = "template-disjoint 80/20"
)

// Run measures everything. It ends early with ctx.
func (s Suite) Run(ctx context.Context) (*Report, error) {
	byName := map[string]*Measure{}
	get := func(name string) *Measure {
		if byName[name] == nil {
			byName[name] = &Measure{}
		}
		return byName[name]
	}
	rep := &Report{}
	total, done := len(s.Systems)+2, 0
	step := func() {
		if done++; s.Progress != nil {
			s.Progress(done, total)
		}
	}
	corpusModel := model.Train(s.Base, s.Params)
	for _, t := range s.Tests {
		rep.Tests = append(rep.Tests, lone(corpusModel, t))
	}
	for _, sys := range programSystems(s.Programs) {
		get(resPrograms).Score(sys, learned(corpusModel, sys, false))
	}
	step()
	for i, sys := range s.Systems {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		others := slices.Concat(s.Systems[:i:i], s.Systems[i+1:])
		rows := TemplateRows(others...)
		get(resTextbook).Score(sys, textbook(rows))
		get(resCorpus).Score(sys, plain(corpusModel))
		get(resCorpusM).Score(sys, learned(corpusModel, sys, false))
		get(resCorpusL).Score(sys, learned(corpusModel, sys, true))
		m := model.Train(append(slices.Clone(s.Base), rows...), s.Params)
		get(resLOSO).Score(sys, plain(m))
		get(resLOSOM).Score(sys, learned(m, sys, false))
		rep.Wrong = append(rep.Wrong, get(resLOSOL).Score(sys, learned(m, sys, true))...)
		strict := model.Train(append(WithoutKind(s.Base, sys.Name), rows...), s.Params)
		get(resStrict).Score(sys, learned(strict, sys, false))
		get(resStrictL).Score(sys, learned(strict, sys, true))
		for _, n := range budgets {
			get(budgetName(n)).Score(sys, s.taught(append(slices.Clone(s.Base), rows...), sys, n))
		}
		if err := s.throughPipe(get(resPipe), sys); err != nil {
			return nil, err
		}
		step()
	}
	for _, sys := range s.Imitated {
		if err := s.throughPipe(get(resImitated), sys); err != nil {
			return nil, err
		}
	}
	s.splits(get)
	rep.Grouping, rep.Imitated = Group(s.Systems), Group(s.Imitated)
	step()
	for _, name := range []string{resTextbook, resCorpus, resCorpusM, resCorpusL, resPipe, resImitated, resLOSO, resLOSOM, resLOSOL, resStrict, resStrictL, budgetName(10), budgetName(30), budgetName(100), resDisjoint, resRandom, resPrograms} {
		rep.Results = append(rep.Results, Result{name, *get(name)})
	}
	return rep, nil
}

// throughPipe adds to m what pipe says of the raw lines of a system, where there are any.
func (s Suite) throughPipe(m *Measure, sys System) error {
	if s.Pipe == nil || sys.Raw == nil {
		return nil
	}
	got, err := s.Pipe(sys.Raw)
	if err != nil {
		return fmt.Errorf("system %s: %w", sys.Name, err)
	}
	m.score(sys, func(i int) (label.Category, float64) { return got[i].Category, got[i].Confidence })
	return nil
}

// programSystems makes a system of the messages of each program.
func programSystems(examples []label.Example) (out []System) {
	at := map[string]int{}
	for _, e := range examples {
		k, ok := at[e.System]
		if !ok {
			k = len(out)
			at[e.System] = k
			out = append(out, System{Name: e.System})
		}
		s := &out[k]
		i := len(s.Lines)
		s.Templates = append(s.Templates, Template{ID: strconv.Itoa(i), Category: e.Category, Lines: []int{i}})
		s.Lines, s.Levels, s.Services = append(s.Lines, e.Message), append(s.Levels, ""), append(s.Services, "")
	}
	return out
}

func budgetName(n int) string {
	return map[int]string{10: "with 10 labelled templates of the system", 30: "with 30 labelled templates of the system", 100: "with 100 labelled templates of the system"}[n]
}

// taught is the classifier after a person labelled the n most frequent templates of the
// system: they are trained on, and lines of those templates, as the miner finds them, get
// the person's label.
func (s Suite) taught(rows []model.Row, sys System, n int) Predict {
	order := slices.Clone(sys.Templates)
	slices.SortStableFunc(order, func(a, b Template) int { return cmp.Compare(len(b.Lines), len(a.Lines)) })
	miner, mask := mine.New(mine.Options{}), token.NewMasker()
	for _, l := range sys.Lines {
		miner.Find(mask.Mask(l))
	}
	known := map[string]label.Category{}
	for _, t := range order[:min(n, len(order))] {
		msg := sys.Lines[t.Lines[0]]
		rows = append(rows, model.Row{Example: label.Example{Category: t.Category, System: sys.Name, Message: msg}, Weight: [model.Heads]float64{OwnWeight, OwnWeight, OwnWeight}})
		tpl, _ := miner.Find(mask.Mask(msg))
		known[tpl.ID] = t.Category
	}
	rest := learned(model.Train(rows, s.Params), sys, true)
	return func(msg string) (label.Category, float64) {
		tpl, _ := miner.Find(mask.Mask(msg))
		if c, ok := known[tpl.ID]; ok {
			return c, 1
		}
		return rest(msg)
	}
}

// OwnWeight is how much more a label of the site itself counts in training than a line of
// the corpus.
const OwnWeight = 4

// splits measures the two splits within the systems: by line, which leaks templates, and by
// template.
func (s Suite) splits(get func(string) *Measure) {
	var byLine, byTemplate []model.Row
	for _, sys := range s.Systems {
		for k, t := range sys.Templates {
			row := func(i int) model.Row {
				return model.Row{Example: label.Example{Category: t.Category, System: sys.Name, Message: sys.Lines[i]}}
			}
			if k%5 != 4 {
				byTemplate = append(byTemplate, row(t.Lines[0]))
			}
			for _, i := range t.Lines {
				if i%5 != 4 {
					byLine = append(byLine, row(i))
					break // further lines of the template add nothing: they mask to the same
				}
			}
		}
	}
	line := plain(model.Train(append(slices.Clone(s.Base), byLine...), s.Params))
	tmpl := plain(model.Train(append(slices.Clone(s.Base), byTemplate...), s.Params))
	for _, sys := range s.Systems {
		held, left := sys, sys
		held.Templates, left.Templates = nil, nil
		for k, t := range sys.Templates {
			if k%5 == 4 {
				left.Templates = append(left.Templates, t)
			}
			t.Lines = slices.DeleteFunc(slices.Clone(t.Lines), func(i int) bool { return i%5 != 4 })
			if len(t.Lines) > 0 {
				held.Templates = append(held.Templates, t)
			}
		}
		get(resRandom).Score(held, line)
		get(resDisjoint).Score(left, tmpl)
	}
}

// Group mines each system's log line by line, all with one configuration.
func Group(systems []System) []Grouping {
	var out []Grouping
	for _, s := range systems {
		mask, m := token.NewMasker(), mine.New(mine.Options{})
		found := make([]*mine.Template, len(s.Lines))
		atOnce, resolved := make([]string, len(s.Lines)), make([]string, len(s.Lines))
		for i, l := range s.Lines {
			found[i], _ = m.Find(mask.Mask(l))
			atOnce[i] = found[i].ID
		}
		for i, t := range found {
			resolved[i] = m.Resolve(t).ID
		}
		out = append(out, Grouping{s.Name, GroupingAccuracy(s.Event, resolved), GroupingAccuracy(s.Event, atOnce), m.Len(), len(s.Templates)})
	}
	return out
}
