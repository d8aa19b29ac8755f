package redfish

import (
	"context"
	"path"
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
		// Without $expand each sensor is a request; those that are likely shown elsewhere
		// already must not crowd out the rest.
		p := sensors
		if len(known) > 0 {
			p = lazy
		}
		refs, age, err := o.s.references(ctx, link, sensors, false)
		o.noteAge(age)
		o.fail(err)
		var wanted []string
		for _, ref := range refs {
			if !known[normal(path.Base(ref))] {
				wanted = append(wanted, ref)
			}
		}
		nodes, age, err := o.s.all(ctx, wanted, p)
		o.noteAge(age)
		o.fail(err)
		for _, n := range nodes {
			o.sensor(n, short(ch.id()), known)
		}
	})
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
					known[normal(e.name())] = true
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
	if !ok || missing(n) || known[normal(n.name())] {
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
	factor, offset := scaleOf(n.str("ReadingType"), n.str("ReadingUnits"))
	if v, ok := o.num(n, "Reading"); ok {
		o.s.schema.Send(o.ch, q.metric, p, (v+offset)*factor)
	}
	o.status(p, n)
	if q.limit == "" {
		return
	}
	for _, t := range thresholds() {
		if v, ok := o.num(n, t.sensor); ok {
			o.s.schema.Send(o.ch, q.limit, p, (v+offset)*factor, t.limit)
		}
	}
}
