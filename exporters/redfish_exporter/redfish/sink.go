package redfish

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/inframind/inframind/internal/exporter/hw"
)

// sink takes what one collector finds. It is safe for concurrent use.
type sink struct {
	s  *scrape
	ch chan<- prometheus.Metric

	mu       sync.Mutex
	errs     []error
	failures int
	deferred int
	unparsed int
	age      time.Duration
}

// fail notes a resource that could not be read. What the service does not have, and what
// was left for a later scrape, is no failure.
func (o *sink) fail(err error) {
	if err == nil || absent(err) {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if errors.Is(err, errDeferred) {
		o.deferred++
		return
	}
	if o.failures++; len(o.errs) < 3 {
		o.errs = append(o.errs, err)
	}
}

func (o *sink) err() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failures == 0 {
		return nil
	}
	return fmt.Errorf("%d resources: %w", o.failures, errors.Join(o.errs...))
}

// get reads one resource; ok is false when there is none.
func (o *sink) get(ctx context.Context, link string, p priority) (n Node, ok bool) {
	if link == "" {
		return Node{}, false
	}
	n, age, err := o.s.get(ctx, link, p)
	o.noteAge(age)
	o.fail(err)
	return n, err == nil
}

// members reads the members of the collection at link; deep also what they hold.
func (o *sink) members(ctx context.Context, link string, p priority, deep bool) []Node {
	if link == "" {
		return nil
	}
	nodes, age, err := o.s.members(ctx, link, p, deep)
	o.noteAge(age)
	o.fail(err)
	return nodes
}

// linked reads the resources that the references at path point to.
func (o *sink) linked(ctx context.Context, n Node, path string, p priority) []Node {
	var refs []string
	for _, r := range n.list(path) {
		if id := r.id(); id != "" && len(refs) < maxMembers {
			refs = append(refs, id)
		}
	}
	nodes, age, err := o.s.all(ctx, refs, p)
	o.noteAge(age)
	o.fail(err)
	return nodes
}

// children reads what n holds under key: by the schema a collection or an array of
// references; services are known that have the one where the other belongs.
func (o *sink) children(ctx context.Context, n Node, key string, p priority) []Node {
	if _, array := n.find(key).([]any); array {
		return o.linked(ctx, n, key, p)
	}
	return o.members(ctx, n.link(key), p, false)
}

func (o *sink) noteAge(age time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.age = max(o.age, age)
}

// each runs f for every node at once; requests are bounded elsewhere.
func each(nodes []Node, f func(Node)) {
	var wg sync.WaitGroup
	for _, n := range nodes {
		wg.Go(func() { f(n) })
	}
	wg.Wait()
}

// part describes a resource as a part; parent is the hw_id of what holds it. The parent may
// be empty. A part that is already known under its type gets no second set of samples: ok
// is false.
func (o *sink) part(n Node, kind, parent string) (p hw.Part, ok bool) {
	id := n.id()
	if path, err := clean(id, o.s.c.base.Host); err == nil && !strings.Contains(id, "#") {
		id = short(path)
	} else {
		id = strings.Trim(parent+"/"+n.first("Id", "MemberId", "Name"), "/")
	}
	p = hw.Part{ID: id, Type: kind, Name: n.name(), Parent: parent}
	return p, o.s.claim(kind, id)
}

// element describes the i-th entry of an array such as Thermal.Temperatures.
func (o *sink) element(n Node, kind, parent, array string, i int) (p hw.Part, ok bool) {
	id := n.first("MemberId", "Id")
	if id == "" {
		id = fmt.Sprint(i)
	}
	p = hw.Part{ID: parent + "/" + array + "/" + id, Type: kind, Name: n.name(), Parent: parent}
	switch {
	case kind == hw.Temperature, kind == hw.Voltage, array == "PowerControl", array == "Redundancy":
		p.Name = n.title() // these have names of their own
	}
	if _, err := strconv.Atoi(p.Name); err == nil || p.Name == "" {
		p.Name = fmt.Sprintf("%s %d", array, i)
	}
	if !o.s.claim(kind, p.ID) { // seen in the field: two entries with one MemberId
		p.ID += fmt.Sprintf("#%d", i)
		ok = o.s.claim(kind, p.ID)
		return p, ok
	}
	return p, true
}

// claim says whether id was free.
func (s *scrape) claim(kind, id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := kind + "\x00" + hw.Label(id)
	if s.ids[key] {
		return false
	}
	s.ids[key] = true
	return true
}

// send sends the number at path times scale. Nothing there sends nothing; something that is
// no number, or lies outside [low, high] where given, is counted.
func (o *sink) send(m hw.Metric, p hw.Part, n Node, path string, scale float64, extra ...string) bool {
	v, ok := o.num(n, path)
	if ok {
		o.s.schema.Send(o.ch, m, p, scaled(v, scale), extra...)
	}
	return ok
}

// scaled multiplies; fractions such as 0.01 divide, so that 94 % is 0.94 to the last digit.
func scaled(v, scale float64) float64 {
	if scale < 1 && scale > 0 {
		return v / (1 / scale)
	}
	return v * scale
}

// within is send for values that only mean something inside [low, high], before scaling.
func (o *sink) within(low, high float64, m hw.Metric, p hw.Part, n Node, path string, scale float64, extra ...string) bool {
	v, ok := o.num(n, path)
	if ok && (v < low || v > high) {
		o.odd()
		return false
	}
	if ok {
		o.s.schema.Send(o.ch, m, p, scaled(v, scale), extra...)
	}
	return ok
}

// sendFirst sends the first of several paths that holds a number.
func (o *sink) sendFirst(m hw.Metric, p hw.Part, n Node, scale float64, paths ...string) bool {
	for _, path := range paths {
		if n.has(path) {
			if o.send(m, p, n, path, scale) {
				return true
			}
		}
	}
	return false
}

// num reads a number, or a sensor excerpt {"Reading": number}.
func (o *sink) num(n Node, path string) (float64, bool) {
	if n.obj(path).m != nil {
		path += ".Reading"
	}
	v, ok, err := n.num(path)
	if err != nil {
		o.odd()
	}
	return v, ok
}

// odd counts a value that cannot be understood.
func (o *sink) odd() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.unparsed++
}

// flag sends a truth value.
func (o *sink) flag(m hw.Metric, p hw.Part, v, ok bool) {
	if !ok {
		return
	}
	x := 0.0
	if v {
		x = 1
	}
	o.s.schema.Send(o.ch, m, p, x)
}

// info sends what the part is.
func (o *sink) info(p hw.Part, n Node) {
	vendor, model := n.first("Manufacturer", "Vendor"), n.first("Model", "PartNumber")
	serial, firmware := n.str("SerialNumber"), n.first("FirmwareVersion", "Revision", "BiosVersion")
	if vendor+model+serial+firmware == "" {
		return
	}
	o.s.schema.Send(o.ch, hw.Info, p, 1, vendor, model, serial, firmware)
}

// status sends the part's state when the resource tells one.
func (o *sink) status(p hw.Part, n Node) {
	if state := stateOf(n); state != "" {
		o.s.schema.SendStatus(o.ch, p, state)
	}
}

// missing says that nothing is installed there.
func missing(n Node) bool { return strings.EqualFold(n.str("Status.State"), "Absent") }

// stateOf maps Redfish's Status to hw_status; empty when there is none.
func stateOf(n Node) string {
	if !n.has("Status") {
		return ""
	}
	predicted := false
	for _, path := range []string{"FailurePredicted", "PredictedMediaLifeLeftAlert"} {
		if v, ok := n.truth(path); ok && v {
			predicted = true
		}
	}
	health := strings.ToLower(n.first("Status.Health", "Status.HealthRollup", "Status.HealthRollUp", "Status"))
	switch {
	case health == "critical" || health == "failed":
		return hw.Failed
	case predicted:
		return hw.PredictedFailure
	case health == "warning" || health == "degraded":
		return hw.Degraded
	case health == "ok" || health == "good":
		return hw.OK
	}
	return hw.Unknown
}

// close sends what the collector says about itself.
func (o *sink) close(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	gauge := func(metric, help string, v float64) {
		o.ch <- prometheus.MustNewConstMetric(prometheus.NewDesc(metric, help, []string{"collector"}, nil), prometheus.GaugeValue, v, name)
	}
	gauge("redfish_unparsed_values", "Values that could not be understood and are therefore absent.", float64(o.unparsed))
	if o.deferred > 0 {
		gauge("redfish_deferred_resources", "Slow-changing resources left for a later scrape, to keep this one short.", float64(o.deferred))
	}
	if o.age > 0 {
		gauge("redfish_data_age_seconds", "Age of the oldest resource that was taken from memory.", o.age.Seconds())
	}
}
