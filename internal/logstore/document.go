package logstore

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Limits that hold in every adapter.
const (
	MaxID      = 512     // bytes of Document.ID
	MaxMessage = 4 << 20 // bytes of Document.Message
	MaxFields  = 256     // fields of one document
	MaxLimit   = 10_000  // documents of one page
	MaxBuckets = 20_000  // buckets of one histogram
	defLimit   = 1000
)

var (
	indexName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,63}$`)
	fieldName = regexp.MustCompile(`^[A-Za-z_@][A-Za-z0-9_@-]*(\.[A-Za-z0-9_@-]+)*$`)
	firstTime = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	lastTime  = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

// CheckIndex says what is wrong with an index name. Lower-case letters, digits and hyphens
// are allowed, so that a name is a file name and an Elasticsearch index name as it stands.
func CheckIndex(name string) error {
	if !indexName.MatchString(name) {
		return fmt.Errorf("index name %q: want lower-case letters, digits and hyphens", name)
	}
	return nil
}

// CheckField says what is wrong with a field name.
func CheckField(name string) error {
	switch {
	case len(name) > 256 || !fieldName.MatchString(name):
		return fmt.Errorf("field name %.80q: want dotted words of letters, digits, _, @ and -", name)
	case name == "@timestamp" || name == "message":
		return fmt.Errorf("field name %q: is the document's own", name)
	}
	return nil
}

// Clean returns d as a store keeps it: valid UTF-8 and UTC. The error says why no store can
// ever keep it.
func (d Document) Clean() (Document, error) {
	switch {
	case d.ID == "" || len(d.ID) > MaxID:
		return d, fmt.Errorf("id has %d bytes, want 1 to %d", len(d.ID), MaxID)
	case d.Time.Before(firstTime) || !d.Time.Before(lastTime):
		return d, fmt.Errorf("time %s is not between 1970 and 2200", d.Time.UTC().Format(time.RFC3339))
	case len(d.Message) > MaxMessage:
		return d, fmt.Errorf("message has %d bytes, more than %d", len(d.Message), MaxMessage)
	case len(d.Fields) > MaxFields:
		return d, fmt.Errorf("%d fields, more than %d", len(d.Fields), MaxFields)
	}
	for name, v := range d.Fields {
		if err := CheckField(name); err != nil {
			return d, err
		}
		if err := checkValue(v); err != nil {
			return d, fmt.Errorf("field %s: %w", name, err)
		}
	}
	d.ID = strings.ToValidUTF8(d.ID, "\uFFFD")
	d.Message = strings.ToValidUTF8(d.Message, "\uFFFD")
	d.Time = d.Time.UTC()
	return d, nil
}

var errKind = errors.New("is not a string, number, boolean or list of them")

func checkValue(v any) error {
	rv := reflect.ValueOf(v)
	switch rv.Kind() {
	case reflect.Slice, reflect.Array:
		for i := range rv.Len() {
			if err := checkScalar(rv.Index(i)); err != nil {
				return err
			}
		}
		return nil
	default:
		return checkScalar(rv)
	}
}

func checkScalar(v reflect.Value) error {
	if v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	switch {
	case v.Kind() == reflect.String, v.Kind() == reflect.Bool, v.CanInt(), v.CanUint():
		return nil
	case v.CanFloat() && !math.IsNaN(v.Float()) && !math.IsInf(v.Float(), 0):
		return nil
	case v.CanFloat():
		return errors.New("is not a finite number")
	}
	return errKind
}

// DecodeFields reads a JSON object into Fields. Nested objects, which other writers use, get
// dotted names; lists of objects and nulls are left out, they have no place in a Document.
func DecodeFields(raw []byte) (map[string]any, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var m map[string]any
	if err := dec.Decode(&m); err != nil {
		return nil, fmt.Errorf("decode fields: %w", err)
	}
	out := make(map[string]any, len(m))
	flatten(out, "", m)
	return out, nil
}

func flatten(out map[string]any, prefix string, m map[string]any) {
	for k, v := range m {
		if sub, ok := v.(map[string]any); ok {
			flatten(out, prefix+k+".", sub)
		} else if s, ok := plain(v); ok {
			out[prefix+k] = s
		}
	}
}

func plain(v any) (any, bool) {
	switch v := v.(type) {
	case string, bool:
		return v, true
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i, true
		}
		f, err := v.Float64()
		if err == nil && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
			return int64(f), true // 3.0 and 3e2 are whole as well
		}
		return f, err == nil
	case []any:
		list := make([]any, 0, len(v))
		for _, e := range v {
			s, ok := plain(e)
			if !ok {
				return nil, false
			}
			list = append(list, s)
		}
		return list, true
	default:
		return nil, false
	}
}

// Max returns the number of documents a page of q may have.
func (q Query) Max() int {
	if q.Limit <= 0 {
		return defLimit
	}
	return min(q.Limit, MaxLimit)
}

// Selective says whether q leaves documents of its index out.
func (q Query) Selective() bool {
	return q.Text != "" || len(q.Match) > 0 || !q.From.IsZero() || !q.To.IsZero()
}

// Words splits q.Text into runs of letters, marks and digits.
func (q Query) Words() []string {
	return strings.FieldsFunc(strings.ToValidUTF8(q.Text, " "), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.Is(unicode.Co, r) && !unicode.IsMark(r)
	})
}

// Check says what is wrong with q.
func (q Query) Check() error {
	if err := CheckIndex(q.Index); err != nil {
		return err
	}
	for name := range q.Match {
		if err := CheckField(name); err != nil {
			return err
		}
	}
	if q.Text != "" && len(q.Words()) == 0 {
		return fmt.Errorf("text %.40q has no word to look for", q.Text)
	}
	return nil
}

// ErrTooManyBuckets is returned by Histogram.
var ErrTooManyBuckets = fmt.Errorf("histogram has more than %d buckets: use a longer step or a shorter time", MaxBuckets)

// CheckHistogram says what is wrong with Histogram's arguments. field may be empty.
func CheckHistogram(every time.Duration, field string) error {
	if every < time.Second {
		return fmt.Errorf("histogram step %s is shorter than a second", every)
	}
	if field == "" {
		return nil
	}
	return CheckField(field)
}

// SortBuckets puts b in the order that Histogram returns.
func SortBuckets(b []Bucket) {
	slices.SortFunc(b, func(a, b Bucket) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Value, b.Value))
	})
}
