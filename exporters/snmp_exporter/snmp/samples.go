package snmp

import (
	"math"
	"strconv"
	"strings"

	"github.com/gosnmp/gosnmp"

	"github.com/inframind/inframind/exporters/snmp_exporter/walk"
)

// mantissa is the first integer that a float64 cannot tell from its neighbour.
const mantissa = 1 << 53

// number reads a value as a number. A Counter64 is wrapped at 2^53 if wrap is set: a rate over
// it stays exact. Octets count only if they spell a number.
func number(v walk.Value, wrap bool) (float64, bool) {
	switch {
	case v.Tag == gosnmp.Counter64 && wrap:
		return float64(v.Num % mantissa), true
	case v.IsNumber():
		return v.Float(), true
	case v.Tag == gosnmp.OctetString:
		f, err := strconv.ParseFloat(strings.TrimSpace(v.Str), 64)
		return f, err == nil && !math.IsNaN(f) && !math.IsInf(f, 0)
	}
	return 0, false
}

// convert turns every row of every metric of t into samples.
func (t *table) convert(out *exposition, wrap bool) (unusable int) {
	unusable = t.unreadable
	for _, me := range t.m.metrics {
		oid := trimOID(me.OID)
		for _, r := range t.columns[oid] {
			if !t.sample(out, me, r, wrap) {
				unusable++
			}
		}
		if !t.m.lookedUp[oid] {
			delete(t.columns, oid)
		}
	}
	return unusable
}

// sample turns one row into samples; it reports whether the value was usable.
func (t *table) sample(out *exposition, me *metric, r walk.Row, wrap bool) bool {
	ls := t.labelsOf(me, r.Index)
	switch me.Type {
	case "EnumAsInfo", "EnumAsStateSet":
		n, ok := number(r.Value, wrap)
		if ok {
			out.enum(me, ls, int(n))
		}
		return ok
	case "Bits":
		return out.bits(me, ls, r.Value)
	}
	if isText(me.Type) {
		return t.textSample(out, me, ls, r)
	}
	v, ok := t.numberSample(me, r.Value, wrap)
	if !ok {
		return false
	}
	kind := "gauge"
	if me.Type == "counter" {
		kind = "counter"
	}
	out.family(me, me.Name, me.Help, kind, me.collides).add(ls.text, me.scaled(v))
	return true
}

// numberSample reads a value as the type of its metric says.
func (t *table) numberSample(me *metric, v walk.Value, wrap bool) (float64, bool) {
	var f float64
	var err error
	switch me.Type {
	case "DateAndTime":
		f, err = dateAndTime([]byte(v.Str))
	case "NTPTimeStamp":
		f, err = ntpTime([]byte(v.Str))
	case "ParseDateAndTime":
		f, err = parseTime(valueText(v, "DisplayString", ""), me.DateTimePattern)
	default:
		return number(v, wrap)
	}
	return f, err == nil
}

func (me *metric) scaled(v float64) float64 {
	if me.Scale != 0 {
		v *= me.Scale
	}
	return v + me.Offset
}

// textSample puts the value into a label called like the metric, or extracts numbers of it.
func (t *table) textSample(out *exposition, me *metric, ls *labelSet, r walk.Row) bool {
	typ := me.Type
	if forms, ok := combined[typ]; ok {
		typ = "OctetString"
		if left, ok := t.lookup(me.left, r.Index); ok && forms[int64(left.Num)] != "" {
			typ = forms[int64(left.Num)]
		}
	}
	text := valueText(r.Value, typ, me.DisplayHint)
	if len(me.RegexpExtracts) > 0 {
		return out.extract(me, ls, text)
	}
	labels := ls.text
	if me.ownLabel {
		labels = ls.with(me.Name, text)
	}
	out.family(me, me.Name, me.Help, "gauge", me.collides).add(labels, me.scaled(1))
	return true
}

// extract makes numbers of a text; of the expressions for one name the first that matches counts.
func (e *exposition) extract(me *metric, ls *labelSet, text string) (any bool) {
	for _, suffix := range me.suffixes {
		for _, x := range me.RegexpExtracts[suffix] {
			at := x.Regex.FindStringSubmatchIndex(text)
			if at == nil {
				continue
			}
			v, err := strconv.ParseFloat(string(x.Regex.ExpandString(nil, x.Value, text, at)), 64)
			if err != nil {
				continue
			}
			e.family(me, me.Name+suffix, me.Help+" (regex extracted)", "gauge", true).add(ls.text, v)
			any = true
			break
		}
	}
	return any
}

func (e *exposition) enum(me *metric, ls *labelSet, n int) {
	state, ok := me.EnumValues[n]
	if !ok {
		state = strconv.Itoa(n)
	}
	if me.Type == "EnumAsInfo" {
		e.family(me, me.Name+"_info", me.Help+" (EnumAsInfo)", "gauge", me.collides).add(ls.with(me.Name, state), 1)
		return
	}
	f := e.family(me, me.Name, me.Help+" (EnumAsStateSet)", "gauge", true)
	f.add(ls.with(me.Name, state), 1)
	for _, k := range me.enums {
		// Two numbers may have one name: the state that is set must stay so.
		if k != n && me.EnumValues[k] != state {
			f.add(ls.with(me.Name, me.EnumValues[k]), 0)
		}
	}
}

// bits makes a sample of each named bit; bit 0 is the most significant of the first octet.
func (e *exposition) bits(me *metric, ls *labelSet, v walk.Value) bool {
	if v.Tag != gosnmp.OctetString && v.Tag != gosnmp.BitString {
		return false
	}
	f := e.family(me, me.Name, me.Help+" (Bits)", "gauge", true)
	for _, k := range me.enums {
		set := 0.0
		if k >= 0 && k/8 < len(v.Str) && v.Str[k/8]&(128>>(k%8)) != 0 {
			set = 1
		}
		f.add(ls.with(me.Name, me.EnumValues[k]), set)
	}
	return true
}
