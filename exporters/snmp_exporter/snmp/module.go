package snmp

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/inframind/inframind/exporters/snmp_exporter/conf"
	"github.com/inframind/inframind/exporters/snmp_exporter/walk"
)

// module is a conf.Module made ready for use; it is safe for concurrent use.
type module struct {
	name    string
	conf    *conf.Module
	metrics []*metric
	columns []walk.Column
	gets    []string
	byOID   map[string]*metric // of each column that makes samples
	wanted  map[string]bool    // columns that are read, for samples or lookups
	labels  map[string]bool    // columns that are read for lookups only
	shapes  int

	lookedUp map[string]bool // columns whose rows other columns refer to
}

// metric is a conf.Metric with what can be known before a scrape.
type metric struct {
	*conf.Metric
	shape    int    // metrics of one shape have the same labels for the same index
	left     string // column that says the form of a combined type
	collides bool   // its label sets may repeat
	ownLabel bool   // a string metric adds a label of its own name
	enums    []int  // keys of EnumValues, sorted
	suffixes []string
}

func trimOID(oid string) string { return strings.TrimPrefix(oid, ".") }

// compile plans a module: instead of the subtrees it names, the columns in them that metrics
// or labels are made of are walked.
func compile(name string, c *conf.Module) *module {
	m := &module{name: name, conf: c, byOID: map[string]*metric{}, wanted: map[string]bool{}, labels: map[string]bool{}, lookedUp: map[string]bool{}}
	shapes := map[string]int{}
	for _, cm := range c.Metrics {
		me := newMetric(cm, shapes)
		m.byOID[trimOID(cm.OID)] = me // of two with one OID the later one counts
	}
	m.dropShadowed()
	for _, oid := range slices.SortedFunc(maps.Keys(m.byOID), walk.CompareOID) {
		m.metrics = append(m.metrics, m.byOID[oid])
	}
	m.shapes = len(shapes)
	m.want()
	for _, oid := range c.Get {
		m.gets = append(m.gets, trimOID(oid))
	}
	m.planColumns()
	return m
}

func newMetric(cm *conf.Metric, shapes map[string]int) *metric {
	me := &metric{Metric: cm, enums: slices.Sorted(maps.Keys(cm.EnumValues)), suffixes: slices.Sorted(maps.Keys(cm.RegexpExtracts))}
	key, names := shapeOf(cm)
	id, ok := shapes[key]
	if !ok {
		id = len(shapes)
		shapes[key] = id
	}
	me.shape = id
	_, isCombined := combined[cm.Type]
	if isCombined {
		me.left = leftColumn(trimOID(cm.OID))
	}
	me.ownLabel = isText(cm.Type) && len(cm.RegexpExtracts) == 0 && !names[cm.Name]
	for _, ix := range cm.Indexes {
		// A name can stand for two numbers, and a lookup may have taken the index away.
		if !names[ix.Labelname] || ix.Type == "EnumAsInfo" {
			me.collides = true
		}
	}
	for _, l := range cm.Lookups {
		if len(l.Labels) > 0 && slices.ContainsFunc(cm.Indexes, func(ix *conf.Index) bool { return ix.Labelname == l.Labelname }) {
			me.collides = true
		}
	}
	if len(cm.Indexes) == 0 {
		me.collides = true // a scalar with several instances
	}
	return me
}

// shapeOf names what the labels of a metric are made from, and which there are in the end.
func shapeOf(cm *conf.Metric) (key string, names map[string]bool) {
	var b strings.Builder
	names = map[string]bool{}
	for _, ix := range cm.Indexes {
		names[ix.Labelname] = true
		b.WriteString(ix.Labelname + "|" + ix.Type + "|" + strconv.Itoa(ix.FixedSize) + "|" + strconv.FormatBool(ix.Implied) + "|" + ix.DisplayHint + "|" + strconv.Itoa(len(ix.EnumValues)) + ";")
	}
	for _, l := range cm.Lookups {
		if len(l.Labels) == 0 {
			delete(names, l.Labelname)
		} else {
			names[l.Labelname] = true
		}
		b.WriteString(l.Labelname + "|" + l.OID + "|" + l.Type + "|" + l.DisplayHint + "|" + strings.Join(l.Labels, ",") + ";")
	}
	return b.String(), names
}

// isText tells whether a metric of this type shows its value as a label.
func isText(typ string) bool {
	switch typ {
	case "gauge", "counter", "Float", "Double", "DateAndTime", "ParseDateAndTime", "NTPTimeStamp", "EnumAsInfo", "EnumAsStateSet", "Bits":
		return false
	}
	return true
}

// leftColumn is the column before oid in its table.
func leftColumn(oid string) string {
	i := strings.LastIndexByte(oid, '.')
	n, err := strconv.Atoi(oid[i+1:])
	if i < 0 || err != nil {
		return ""
	}
	return oid[:i+1] + strconv.Itoa(n-1)
}

// dropShadowed removes metrics below another metric: the upper one takes all instances.
func (m *module) dropShadowed() {
	for oid := range m.byOID {
		for up := oid; ; {
			i := strings.LastIndexByte(up, '.')
			if i < 0 {
				break
			}
			up = up[:i]
			if _, ok := m.byOID[up]; ok {
				delete(m.byOID, oid)
				break
			}
		}
	}
}

// want lists the columns to read.
func (m *module) want() {
	for oid, me := range m.byOID {
		m.wanted[oid] = true
		if me.left != "" {
			m.wanted[me.left], m.lookedUp[me.left] = true, true
		}
		for _, l := range me.Lookups {
			if len(l.Labels) == 0 {
				continue
			}
			oids := []string{trimOID(l.OID)}
			if _, ok := combined[l.Type]; ok {
				oids = append(oids, leftColumn(oids[0]))
			}
			for _, o := range oids {
				m.wanted[o], m.lookedUp[o] = true, true
				if m.byOID[o] == nil {
					m.labels[o] = true
				}
			}
		}
	}
}

// planColumns maps the subtrees of walk to columns.
func (m *module) planColumns() {
	seen := map[string]bool{}
	add := func(oid string, scalar bool) {
		if !seen[oid] {
			seen[oid] = true
			m.columns = append(m.columns, walk.Column{OID: oid, Scalar: scalar})
		}
	}
	for _, root := range m.conf.Walk {
		root = trimOID(root)
		for oid := range m.wanted {
			me := m.byOID[oid]
			scalar := me != nil && len(me.Indexes) == 0
			switch {
			case walk.Under(oid, root):
				add(oid, scalar)
			case walk.Under(root, oid):
				add(root, false)
			}
		}
	}
	slices.SortFunc(m.columns, func(a, b walk.Column) int { return walk.CompareOID(a.OID, b.OID) })
}

// columnOf finds the wanted column that an instance belongs to, and its index there.
func (m *module) columnOf(oid string) (column, index string, ok bool) {
	for i := len(oid); i > 0; i = strings.LastIndexByte(oid[:i], '.') {
		if m.wanted[oid[:i]] {
			return oid[:i], strings.TrimPrefix(oid[i:], "."), true
		}
	}
	return "", "", false
}
