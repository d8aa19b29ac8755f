package classify

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"github.com/inframind/inframind/log-classifier/logline"
)

// Record is what the labeler says of one line, as pipe prints it and the documents hold it.
type Record struct {
	Category   string   `json:"ml_category"`
	Confidence float64  `json:"ml_confidence"`
	Template   string   `json:"ml_template"`
	TemplateID string   `json:"ml_template_id"`
	Reasons    []string `json:"ml_reasons,omitempty"`
	Review     bool     `json:"ml_review,omitempty"`
}

// record rounds the confidence to three digits, so that documents are stable and small.
func (l *Labeler) record(v *Verdict, review bool) Record {
	return Record{
		Category: v.Category.String(), Confidence: float64(int(v.Confidence*1000+0.5)) / 1000,
		Template: v.Template.Text, TemplateID: v.Template.ID, Reasons: l.reasons(v), Review: review,
	}
}

// appendAnswer appends the JSON of a verdict and of the parts of its line, and a line end.
// What depends on the verdict only is kept with it.
func (l *Labeler) appendAnswer(dst []byte, v *Verdict, review bool, x *logline.Line) []byte {
	if v.json == nil || v.jsonText != v.Template.Text {
		v.json, v.jsonText = encode(l.record(v, review)), v.Template.Text
	}
	dst = append(dst, v.json...)
	for _, f := range [...]struct{ name, value string }{
		{`,"time":`, x.Time}, {`,"host":`, x.Host}, {`,"service":`, x.Service}, {`,"pid":`, x.PID}, {`,"level":`, x.Level}, {`,"message":`, x.Message},
	} {
		if f.value != "" {
			dst = appendString(append(dst, f.name...), f.value)
		}
	}
	return append(dst, "}\n"...)
}

// encode returns the JSON of a record without its closing brace.
func encode(r Record) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(r); err != nil { // strings and numbers can be encoded
		return []byte("{")
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("}\n"))
}

// appendString appends s as a JSON string. Broken UTF-8 becomes U+FFFD.
func appendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
		}
		dst = append(dst, s[start:i]...)
		switch {
		case c >= utf8.RuneSelf:
			dst = append(dst, "\ufffd"...)
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
		start = i
	}
	return append(append(dst, s[start:]...), '"')
}
