package evaluate

import (
	"strconv"

	"github.com/inframind/inframind/log-classifier/imitate"
	"github.com/inframind/inframind/log-classifier/logline"
)

// Imitated returns n lines of each imitated program. Their headers are taken off as the
// service does it; nothing else that tells the truth is used.
func Imitated(n int, seed uint64) ([]System, error) {
	programs, err := imitate.Systems()
	if err != nil {
		return nil, err
	}
	var out []System
	for _, p := range programs {
		s, at := System{Name: p.Name}, map[int]int{}
		for i, l := range p.Lines(n, seed) {
			x := logline.Parse(l.Raw, "")
			s.Raw, s.Lines = append(s.Raw, l.Raw), append(s.Lines, x.Message)
			s.Levels, s.Services = append(s.Levels, x.Level), append(s.Services, x.Service)
			s.Event = append(s.Event, strconv.Itoa(l.Statement))
			k, ok := at[l.Statement]
			if !ok {
				k = len(s.Templates)
				at[l.Statement] = k
				s.Templates = append(s.Templates, Template{ID: s.Event[i], Category: p.Statements[l.Statement].Category})
			}
			s.Templates[k].Lines = append(s.Templates[k].Lines, i)
		}
		out = append(out, s)
	}
	return out, nil
}
