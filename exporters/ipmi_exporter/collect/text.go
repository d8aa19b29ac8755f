package collect

import (
	"bytes"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/inframind/inframind/internal/exporter/hw"
)

// text builds exposition text by family. The sensors are hundreds of samples a scrape;
// written this way they cost a fifth of what client_golang's registry takes.
type text struct {
	families map[string]*family
}

type family struct {
	head string
	body bytes.Buffer
}

func newText() *text { return &text{families: map[string]*family{}} }

func (t *text) family(name, help string, counter bool) *family {
	f := t.families[name]
	if f == nil {
		kind := "gauge"
		if counter {
			kind = "counter"
		}
		f = &family{head: "# HELP " + name + " " + help + "\n# TYPE " + name + " " + kind + "\n"}
		t.families[name] = f
	}
	return f
}

// hw is the family of a metric of the shared schema.
func (t *text) hw(m hw.Metric) *family {
	if f := t.families[string(m)]; f != nil {
		return f
	}
	help, counter, _ := hw.Describe(m)
	return t.family(string(m), help, counter)
}

// add writes one sample. labels are finished text, in braces or empty.
func (f *family) add(name, labels, more string, v float64) {
	b := f.body.AvailableBuffer()
	b = append(b, name...)
	b = append(b, '{')
	b = append(b, labels...)
	if more != "" {
		b = append(b, ',')
		b = append(b, more...)
	}
	b = append(b, '}', ' ')
	b = strconv.AppendFloat(b, v, 'g', -1, 64)
	f.body.Write(append(b, '\n'))
}

// put adds one sample of the shared schema.
func (t *text) put(m hw.Metric, labels, more string, v float64) {
	t.hw(m).add(string(m), labels, more, v)
}

// status adds hw_status as a StateSet.
func (t *text) status(labels, state string) {
	f := t.hw(hw.Status)
	for _, known := range hw.States() {
		v := 0.0
		if known == state {
			v = 1
		}
		f.add(string(hw.Status), labels, `state="`+known+`"`, v)
	}
}

// write writes every family that has samples, sorted by name.
func (t *text) write(w io.Writer) error {
	names := make([]string, 0, len(t.families))
	for name, f := range t.families {
		if f.body.Len() > 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		f := t.families[name]
		if _, err := io.WriteString(w, f.head); err != nil {
			return err
		}
		if _, err := w.Write(f.body.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// reset empties all families and keeps their buffers.
func (t *text) reset() {
	for _, f := range t.families {
		f.body.Reset()
	}
}

// partLabels are the labels of a part as text.
func partLabels(p hw.Part) string {
	var b strings.Builder
	for i, kv := range [][2]string{{"hw_id", p.ID}, {"hw_name", p.Name}, {"hw_parent", p.Parent}, {"hw_type", p.Type}, {"source", "ipmi"}} {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(label(kv[0], kv[1]))
	}
	return b.String()
}

// label is one label pair as text, its value escaped.
func label(name, value string) string {
	value = hw.Label(value)
	if strings.ContainsAny(value, `\"`) { // Label has removed line ends
		value = strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value)
	}
	return name + `="` + value + `"`
}
