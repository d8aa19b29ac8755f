package walk

import (
	"slices"
	"strings"

	"github.com/gosnmp/gosnmp"
)

// Column is one thing to walk: the instances below OID.
type Column struct {
	OID    string
	Scalar bool // at most the instance .0 is expected
}

// Row is one instance of a column. Index has no leading dot; it is empty for an instance at
// the column's own OID.
type Row struct {
	Index string
	Value Value
}

// Walked is what became of one column. Err says why rows may be missing; Unreadable counts rows
// whose value could not be decoded.
type Walked struct {
	OID        string
	Rows       []Row
	Unreadable int
	Err        error
}

// column is a Column under way.
type column struct {
	Column
	table   string // OID of the table entry the column belongs to
	prefix  string // "." + OID + "."
	next    string // the last OID seen, from which to go on
	rows    []Row
	bad     int // values that could not be decoded
	err     error
	started bool
	busy    bool
	done    bool
}

// group is a request under way: columns that are asked for together.
type group struct {
	cols  []*column
	reps  int
	first bool // finds out what exists; the columns are walked in earnest afterwards
}

// maxReps is how many rows of a long table are asked for at once.
const maxReps = 25

// plan holds the columns of a walk in OID order.
type plan struct {
	cols   []*column
	tables map[string][]*column
	device *Device
	rows   map[string]int    // of the longest column of each table so far
	index  map[string]string // one copy of each index: the columns of a table share them
}

func newPlan(cols []Column, d *Device) *plan {
	p := &plan{tables: map[string][]*column{}, device: d, rows: map[string]int{}, index: map[string]string{}}
	for _, c := range cols {
		c.OID = strings.TrimPrefix(c.OID, ".")
		table := c.OID
		if i := strings.LastIndexByte(c.OID, '.'); i > 0 && !c.Scalar {
			table = c.OID[:i]
		}
		p.cols = append(p.cols, &column{Column: c, table: table, prefix: "." + c.OID + ".", next: "." + c.OID})
	}
	slices.SortFunc(p.cols, func(a, b *column) int { return CompareOID(a.OID, b.OID) })
	p.cols = slices.CompactFunc(p.cols, func(a, b *column) bool { return a.OID == b.OID })
	for _, c := range p.cols {
		if !c.Scalar {
			p.tables[c.table] = append(p.tables[c.table], c)
		}
	}
	return p
}

// pick chooses the columns of the next request, nil if none is waiting. Scalars and the first
// column of each table come first, many in one request with one repetition: an answer that
// lies beyond a table shows that the table is empty.
func (p *plan) pick(budget int, getNext bool) *group {
	g := &group{reps: 1, first: true}
	for _, c := range p.cols {
		first := c.Scalar || p.tables[c.table][0] == c
		if first && !c.started && !c.done && !c.busy {
			if g.cols = append(g.cols, c); len(g.cols) >= min(budget, maxGet) {
				break
			}
		}
	}
	if len(g.cols) == 0 {
		g = p.pickTable(budget, getNext)
	}
	if g == nil {
		return nil
	}
	for _, c := range g.cols {
		c.started, c.busy = true, true
	}
	return g
}

// pickTable takes columns of one table, so many that a response holds budget varbinds: few
// columns of a long table, many of a short one. With getNext (SNMPv1) a response has one row.
func (p *plan) pickTable(budget int, getNext bool) *group {
	for _, c := range p.cols {
		if c.done || c.busy {
			continue
		}
		reps := min(maxReps, budget)
		width := max(1, budget/reps)
		if n, known := p.device.tableRows(c.table); known && !c.Scalar && n+1 < reps {
			reps = n + 1
			width = min(budget/reps, 40)
		}
		if getNext {
			reps, width = 1, budget
		}
		g := &group{reps: reps}
		if c.Scalar {
			g.cols = []*column{c}
			return g
		}
		for _, o := range p.tables[c.table] {
			if !o.done && !o.busy && len(g.cols) < width {
				g.cols = append(g.cols, o)
			}
		}
		return g
	}
	return nil
}

// ended notes how long the table of c is. A column without rows says nothing about the others.
func (p *plan) ended(c *column) {
	if n := len(c.rows); c.err == nil && !c.Scalar && n > p.rows[c.table] {
		p.rows[c.table] = n
		p.device.setTableRows(c.table, n)
	}
}

// passed marks as empty the columns not yet asked for that lie between from and the OID the
// device gave as the next one after it; "" stands for the end of everything.
func (p *plan) passed(from *column, next string) {
	i, _ := slices.BinarySearchFunc(p.cols, from, func(a, b *column) int { return CompareOID(a.OID, b.OID) })
	for _, c := range p.cols[min(i+1, len(p.cols)):] {
		if next != "" && (strings.HasPrefix(next, c.prefix) || CompareOID(next, c.OID) <= 0) {
			return
		}
		if !c.started {
			c.done = true
		}
	}
}

func (p *plan) intern(index string) string {
	if s, ok := p.index[index]; ok {
		return s
	}
	s := strings.Clone(index) // without the OID it was cut from
	p.index[s] = s
	return s
}

// take adds one varbind to c; it reports whether the column goes on.
func (c *column) take(p *plan, v *gosnmp.SnmpPDU, params Params, limit int) (goesOn bool) {
	switch {
	case v.Type == gosnmp.EndOfMibView || v.Type == gosnmp.NoSuchObject || v.Type == gosnmp.NoSuchInstance:
		c.done = true
		if v.Type == gosnmp.EndOfMibView && !params.AllowNonIncreasing {
			p.passed(c, "")
		}
		return false
	case !strings.HasPrefix(v.Name, c.prefix):
		c.done = true
		if v.Name == c.next {
			c.err = ErrNotIncreasing
		} else if CompareOID(v.Name, c.next) > 0 && !params.AllowNonIncreasing {
			p.passed(c, v.Name)
		}
		return false
	case CompareOID(v.Name, c.next) <= 0 && !params.AllowNonIncreasing, v.Name == c.next:
		c.done, c.err = true, ErrNotIncreasing
		return false
	case len(c.rows)+c.bad >= limit:
		c.done, c.err = true, ErrEndless
		return false
	}
	c.next = v.Name
	if v.Type == gosnmp.Null || v.Type == gosnmp.UnknownType {
		c.bad++
		return true
	}
	c.rows = append(c.rows, Row{Index: p.intern(v.Name[len(c.prefix):]), Value: valueOf(v)})
	if c.Scalar && v.Name[len(c.prefix):] == "0" {
		c.done = true
		return false
	}
	return true
}
