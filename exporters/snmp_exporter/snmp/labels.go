package snmp

import (
	"slices"
	"strings"

	"github.com/inframind/inframind/exporters/snmp_exporter/walk"
)

// pair is one label.
type pair struct{ name, value string }

// labelSet is the labels of one row, shared by the columns of its table.
type labelSet struct {
	pairs []pair // sorted by name
	text  string // as in the exposition, without braces
}

// table is what a device said to one module.
type table struct {
	m       *module
	columns map[string][]walk.Row
	byIndex map[string]map[string]walk.Value // of columns that are looked up, made when needed
	labels  []map[string]*labelSet           // by shape and index

	unreadable int // values that could not be decoded
}

func newTable(m *module) *table {
	t := &table{
		m: m, columns: map[string][]walk.Row{}, byIndex: map[string]map[string]walk.Value{}, labels: make([]map[string]*labelSet, m.shapes),
	}
	for i := range t.labels {
		t.labels[i] = map[string]*labelSet{}
	}
	return t
}

// add takes in the rows of a walked column, which may be a part of a wanted one.
func (t *table) add(w walk.Walked) {
	t.unreadable += w.Unreadable
	if len(w.Rows) == 0 {
		return
	}
	if t.m.wanted[w.OID] && t.columns[w.OID] == nil {
		t.columns[w.OID] = w.Rows
		return
	}
	for _, r := range w.Rows {
		oid := w.OID
		if r.Index != "" {
			oid += "." + r.Index
		}
		t.addInstance(walk.Instance{OID: oid, Value: r.Value})
	}
}

func (t *table) addInstance(in walk.Instance) {
	if col, index, ok := t.m.columnOf(in.OID); ok {
		t.columns[col] = append(t.columns[col], walk.Row{Index: index, Value: in.Value})
	}
}

// lookup finds one value of a column.
func (t *table) lookup(column, index string) (walk.Value, bool) {
	rows, ok := t.byIndex[column]
	if !ok {
		rows = make(map[string]walk.Value, len(t.columns[column]))
		for _, r := range t.columns[column] {
			rows[r.Index] = r.Value
		}
		t.byIndex[column] = rows
	}
	v, ok := rows[index]
	return v, ok
}

// labelsOf are the labels of the row with this index.
func (t *table) labelsOf(me *metric, index string) *labelSet {
	if ls, ok := t.labels[me.shape][index]; ok {
		return ls
	}
	values, arcs := map[string]string{}, map[string]string{}
	rest := parseArcs(index)
	for _, ix := range me.Indexes {
		var text string
		var used []uint32
		text, used, rest = indexText(rest, ix)
		values[ix.Labelname], arcs[ix.Labelname] = text, dotted(used)
	}
	for _, l := range me.Lookups {
		if len(l.Labels) == 0 {
			delete(values, l.Labelname)
			continue
		}
		parts := make([]string, len(l.Labels))
		for i, n := range l.Labels {
			parts[i] = arcs[n]
		}
		at := strings.Join(parts, ".")
		oid := trimOID(l.OID)
		v, ok := t.lookup(oid, at)
		if !ok {
			values[l.Labelname] = ""
			continue
		}
		typ := l.Type
		if forms, ok := combined[typ]; ok {
			typ = "OctetString"
			if left, ok := t.lookup(leftColumn(oid), at); ok && forms[int64(left.Num)] != "" {
				typ = forms[int64(left.Num)]
			}
		}
		if name, ok := l.EnumValues[int(int64(v.Num))]; ok && typ == "EnumAsInfo" && v.IsNumber() {
			values[l.Labelname] = name
		} else {
			values[l.Labelname] = valueText(v, typ, l.DisplayHint)
		}
		// A later lookup may go on from the number found here.
		arcs[l.Labelname] = "0"
		if v.IsNumber() {
			arcs[l.Labelname] = v.Text()
		}
	}
	ls := newLabelSet(values)
	t.labels[me.shape][index] = ls
	return ls
}

func newLabelSet(values map[string]string) *labelSet {
	ls := &labelSet{pairs: make([]pair, 0, len(values))}
	for n, v := range values {
		ls.pairs = append(ls.pairs, pair{n, v})
	}
	slices.SortFunc(ls.pairs, func(a, b pair) int { return strings.Compare(a.name, b.name) })
	ls.text = string(appendPairs(nil, ls.pairs))
	return ls
}

// with is the text of ls and one label more.
func (ls *labelSet) with(name, value string) string {
	i, found := slices.BinarySearchFunc(ls.pairs, name, func(p pair, n string) int { return strings.Compare(p.name, n) })
	pairs := slices.Clone(ls.pairs)
	if found {
		pairs[i].value = value
	} else {
		pairs = slices.Insert(pairs, i, pair{name, value})
	}
	return string(appendPairs(nil, pairs))
}

func appendPairs(b []byte, pairs []pair) []byte {
	for i, p := range pairs {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, p.name...)
		b = append(b, '=', '"')
		b = appendEscaped(b, p.value, true)
		b = append(b, '"')
	}
	return b
}

// appendEscaped escapes s as the exposition format asks; quotes only within labels.
func appendEscaped(b []byte, s string, quotes bool) []byte {
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\\':
			b = append(b, '\\', '\\')
		case c == '\n':
			b = append(b, '\\', 'n')
		case c == '"' && quotes:
			b = append(b, '\\', '"')
		default:
			b = append(b, c)
		}
	}
	return b
}
