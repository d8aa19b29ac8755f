package classify

import "github.com/inframind/inframind/log-classifier/logline"

// maxTraces bounds the writers whose last line is remembered.
const maxTraces = 10_000

// traces gives the frames of a stack trace, which came as lines of their own, the category of
// the line they belong to. Their templates stay their own.
type traces struct{ last map[string]*Verdict } // by writer

func newTraces() traces { return traces{map[string]*Verdict{}} }

func (t traces) follow(v *Verdict, message, writer string) *Verdict {
	if logline.Frame(message) {
		if head := t.last[writer]; head != nil {
			shared := *v
			shared.Prediction, shared.Reviewed, shared.json = head.Prediction, head.Reviewed, nil
			return &shared
		}
		return v
	}
	if len(t.last) >= maxTraces {
		clear(t.last)
	}
	t.last[writer] = v
	return v
}
