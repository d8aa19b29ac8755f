package redfish

import (
	"context"
	"path"
	"strings"
)

// collectSensors reads each chassis' Sensors. What the chassis' Thermal and Power show
// already, under the same name, is left out.
func collectSensors(ctx context.Context, o *sink) {
	each(o.s.chassis, func(ch Node) {
		link := ch.link("Sensors")
		if link == "" {
			return
		}
		known := o.shownElsewhere(ctx, ch)
		// Without $expand each sensor is a request: those that Thermal and Power show are
		// told by their address already, and the rest comes after them.
		p := sensors
		if len(known) > 0 {
			p = health
		}
		refs, age, err := o.s.references(ctx, link, sensors, false)
		o.noteAge(age)
		o.fail(err)
		var wanted []string
		for _, ref := range refs {
			base := path.Base(ref)
			_, bare, _ := strings.Cut(base, "_") // OpenBMC: temperature_CPU1_Temp
			if !known[normal(base)] && !known[normal(bare)] {
				wanted = append(wanted, ref)
			}
		}
		nodes := o.readSensors(ctx, wanted, p)
		for _, n := range nodes {
			o.sensor(n, short(ch.id()), known)
		}
	})
}

// readSensors reads sensors. Many of them that did not come with their collection are
// taken from metric reports where the service has such.
func (o *sink) readSensors(ctx context.Context, refs []string, p priority) []Node {
	var fromReports []Node
	many := len(refs) > manySensors && !o.s.adopted(refs[0]) && o.s.rootLink("TelemetryService") != ""
	if many {
		if readings := o.reportReadings(ctx); len(readings) > 0 {
			fromReports, refs = o.s.fromReports(refs, readings)
		}
	}
	nodes, age, err := o.s.all(ctx, refs, p)
	o.noteAge(age)
	o.fail(err)
	if many && !o.s.reportsUseless() {
		o.s.unplan(refs) // the next scrape asks for reports first
	}
	return append(nodes, fromReports...)
}

// shownElsewhere lists the normalised names of readings in Thermal and Power.
func (o *sink) shownElsewhere(ctx context.Context, ch Node) map[string]bool {
	known := map[string]bool{}
	for _, res := range []struct {
		collector, link string
		arrays          []string
	}{
		{"thermal", "Thermal", []string{"Temperatures", "Fans"}},
		{"power", "Power", []string{"Voltages"}},
	} {
		if !o.s.m.enabled(res.collector) || ch.link(res.link) == "" {
			continue
		}
		n, _, err := o.s.get(ctx, ch.link(res.link), sensors)
		if err != nil {
			continue // the other collector reports it
		}
		for _, array := range res.arrays {
			for _, e := range n.list(array) {
				if e.has("ReadingCelsius") || e.has("Reading") || e.has("ReadingVolts") {
					known[normal(e.title())] = true
				}
			}
		}
	}
	delete(known, "")
	return known
}

// sensor sends one Sensor.
func (o *sink) sensor(n Node, parent string, known map[string]bool) {
	q, ok := quantityOf(n)
	if !ok || missing(n) || known[normal(n.title())] {
		return
	}
	kind := q.kind
	if kind == "" {
		kind = kindOf(n.str("PhysicalContext"))
	}
	p, ok := o.part(n, kind, parent)
	if !ok {
		return
	}
	p.Name = n.title()
	factor, offset := scaleOf(n.str("ReadingType"), n.str("ReadingUnits"))
	if v, ok := o.num(n, "Reading"); ok {
		o.s.schema.Send(o.ch, q.metric, p, scaled(v+offset, factor))
	}
	o.status(p, n)
	if q.limit == "" {
		return
	}
	for _, t := range thresholds() {
		if v, ok := o.num(n, t.sensor); ok {
			o.s.schema.Send(o.ch, q.limit, p, scaled(v+offset, factor), t.limit)
		}
	}
}
