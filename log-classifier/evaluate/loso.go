package evaluate

import (
	"github.com/inframind/inframind/log-classifier/label"
	"github.com/inframind/inframind/log-classifier/model"
)

// Predict labels a message and says how sure it is.
type Predict func(message string) (label.Category, float64)

// Trainer makes a classifier from examples.
type Trainer func(rows []model.Row) Predict

// Linear is the Trainer of the product's model.
func Linear(p model.Params) Trainer {
	return func(rows []model.Row) Predict {
		pr := model.NewPredictor(model.Train(rows, p))
		return func(m string) (label.Category, float64) {
			x := pr.Predict(m)
			return x.Category, x.Confidence
		}
	}
}

// Measure is what an evaluation found, over all lines and over distinct templates.
type Measure struct {
	Lines, Templates     Confusion
	LineRel, TemplateRel Reliability
	CriticalMissed       []Miss // every critical template called something else
}

// Miss is one template that was labelled wrongly.
type Miss struct {
	System, Event, Message string
	Truth, Got             label.Category
	Confidence             float64
}

// TemplateRows returns one example for each template of the systems.
func TemplateRows(systems ...System) []model.Row {
	var out []model.Row
	for _, s := range systems {
		for _, t := range s.Templates {
			out = append(out, model.Row{Example: label.Example{Category: t.Category, System: s.Name, Message: s.Lines[t.Lines[0]]}})
		}
	}
	return out
}

// Score labels every line of s and adds the outcome to m. A template's label is that of most
// of its lines.
func (m *Measure) Score(s System, predict Predict) []Miss {
	return m.score(s, func(i int) (label.Category, float64) { return predict(s.Lines[i]) })
}

// score is Score with a predictor for the i-th line.
func (m *Measure) score(s System, predict func(i int) (label.Category, float64)) []Miss {
	var wrong []Miss
	for _, t := range s.Templates {
		var votes, conf [label.Count]float64
		for _, i := range t.Lines {
			c, p := predict(i)
			m.Lines.Add(t.Category, c, 1)
			m.LineRel.Add(p, c == t.Category, 1)
			votes[c]++
			conf[c] += p
		}
		got := label.Category(0)
		for c := range votes {
			if votes[c] > votes[got] {
				got = label.Category(c)
			}
		}
		p := conf[got] / votes[got]
		m.Templates.Add(t.Category, got, 1)
		m.TemplateRel.Add(p, got == t.Category, 1)
		if got != t.Category {
			miss := Miss{s.Name, t.ID, s.Lines[t.Lines[0]], t.Category, got, p}
			wrong = append(wrong, miss)
			if t.Category == label.Critical {
				m.CriticalMissed = append(m.CriticalMissed, miss)
			}
		}
	}
	return wrong
}

// LeaveOneOut trains on base and all systems but one, and scores that one, for each in turn.
func LeaveOneOut(systems []System, base []model.Row, train Trainer) (total Measure, each []Measure, wrong []Miss) {
	for i, s := range systems {
		rows := append([]model.Row(nil), base...)
		for k, other := range systems {
			if k != i {
				rows = append(rows, TemplateRows(other)...)
			}
		}
		var m Measure
		predict := train(rows)
		m.Score(s, predict)
		each = append(each, m)
		wrong = append(wrong, total.Score(s, predict)...)
	}
	return total, each, wrong
}
