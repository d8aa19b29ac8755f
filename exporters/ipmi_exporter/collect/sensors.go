package collect

import (
	"context"
	"errors"
	"io"
	"math/bits"
	"time"

	"github.com/inframind/inframind/exporters/ipmi_exporter/ipmi"
	"github.com/inframind/inframind/internal/exporter/hw"
)

// sensorText is the part of a sensor's exposition that stays the same.
type sensorText struct {
	part    string // labels of the part
	measure measure
	unit    string // label unit, when the family needs it
	states  []ipmi.State
	state   []string // labels by state bit, empty where the sensor cannot have the state
	info    string
	judged  bool // some state of it says whether the part is well
}

func newSensorText(s *ipmi.Sensor, q ipmi.Quirks) *sensorText {
	t := &sensorText{part: partLabels(hw.Part{ID: s.ID(), Type: sensorHWType(s), Name: s.Name, Parent: parent(s.Entity)})}
	t.info = label("sensor_type", s.Type.String())
	if s.Analog {
		t.measure = measureOf(s)
		if t.measure.unit != "" {
			t.unit = label("unit", t.measure.unit)
		}
		t.info += "," + label("unit", s.Unit.String())
	} else {
		t.info += "," + label("unit", "")
	}
	if s.Threshold() {
		t.judged = true
		return t
	}
	t.states = q.States(s.Type, s.Event)
	for n := range 15 {
		known := n < len(t.states) && t.states[n].Name != ""
		// A mask of 0 says nothing: then every named state is possible. States that the
		// specification reserves are shown only when they hold, whatever the mask says.
		possible := s.States&(1<<n) != 0 || s.States == 0
		if !possible || !known && (len(t.states) > 0 || s.States == 0) {
			t.state = append(t.state, "")
			continue
		}
		t.state = append(t.state, label("state", ipmi.StateName(t.states, n)))
		t.judged = t.judged || known && t.states[n].Severity > ipmi.Info
	}
	return t
}

// counts says how the sensors fared.
type counts struct{ read, unavailable, disabled, failed int }

// writeSensors is the collector of sensors.
func (s *scrape) writeSensors(ctx context.Context, w io.Writer) error {
	out := s.target.text // its buffers are as long as they were the last time
	out.reset()
	err := s.sensors(ctx, out)
	s.extras(out)
	if werr := out.write(w); err == nil {
		err = werr
	}
	return reasoned(err)
}

// sensors fills out with what could be read before the deadline.
func (s *scrape) sensors(ctx context.Context, out *text) error {
	repo, err := s.repository(ctx)
	if err != nil {
		return err
	}
	var n counts
	var shown []*ipmi.Sensor
	began := time.Now()
	err = ipmi.ReadSensors(ctx, s.conn(), repo.sensors, s.quirks, func(r ipmi.Reading) {
		s.put(out, repo.lines[r.Sensor], r, &n)
		if r.Usable() {
			shown = append(shown, r.Sensor)
		}
	})
	s.note("sensor readings", began, err)
	if err == nil {
		err = s.thresholds(ctx, repo)
	}
	if err == nil {
		err = s.readBridged(ctx, repo, out, &n)
	}
	for _, sensor := range shown {
		putThresholds(out, repo.lines[sensor], repo.thresholds.v[sensor])
	}
	putCounts(out, repo, n)
	return err
}

// bridgeLimit is how long other controllers may hold up a scrape.
const bridgeLimit = time.Second

// readBridged reads the sensors of controllers behind the BMC, such as Intel's management
// engine. One that does not answer is left alone for an hour.
func (s *scrape) readBridged(ctx context.Context, repo *repository, out *text, n *counts) error {
	if len(repo.bridged) == 0 {
		return nil
	}
	return s.optional("other controllers", func() error {
		began := time.Now()
		short, cancel := context.WithTimeout(ctx, bridgeLimit)
		defer cancel()
		err := ipmi.ReadSensors(short, s.conn(), repo.bridged, s.quirks, func(r ipmi.Reading) {
			s.put(out, repo.lines[r.Sensor], r, n)
			if r.Usable() {
				putThresholds(out, repo.lines[r.Sensor], r.Sensor.Thresholds())
			}
		})
		s.note("sensors of other controllers", began, err)
		if errors.Is(err, ipmi.ErrTimeout) && ctx.Err() == nil {
			return ipmi.CodeDestination
		}
		return err
	})
}

// putCounts says what became of the sensors.
func putCounts(out *text, repo *repository, n counts) {
	f := out.family("ipmi_sensors", "Sensors of the repository by what became of them in this scrape.", false)
	unread := len(repo.sensors) + len(repo.bridged) - n.read - n.unavailable - n.disabled - n.failed
	for _, c := range []struct {
		result string
		n      int
	}{{"read", n.read}, {"unavailable", n.unavailable}, {"disabled", n.disabled}, {"failed", n.failed}, {"not_reached", unread}, {"system_software", repo.software}} {
		f.add("ipmi_sensors", label("result", c.result), "", float64(c.n))
	}
	out.family("ipmi_sdr_records_damaged", "Records of the SDR repository that contradict themselves or each other.", false).
		add("ipmi_sdr_records_damaged", "", "", float64(repo.decoded.Damaged))
}

// thresholds refreshes the thresholds in force.
func (s *scrape) thresholds(ctx context.Context, repo *repository) error {
	if repo.thresholds.fresh(s.start, time.Duration(s.module.Refresh)) {
		return nil
	}
	began := time.Now()
	list, err := ipmi.ReadThresholds(ctx, s.conn(), repo.sensors)
	s.note("thresholds", began, err)
	m := map[*ipmi.Sensor]ipmi.Thresholds{}
	for i, sensor := range repo.sensors {
		m[sensor] = list[i]
	}
	repo.thresholds.v = m
	if err == nil {
		repo.thresholds.read = s.start
	}
	return err
}

// put writes one reading.
func (s *scrape) put(out *text, t *sensorText, r ipmi.Reading, n *counts) {
	switch {
	case ipmi.Absent(r.Err):
		n.unavailable++
		return
	case r.Err != nil:
		n.failed++
		if t.judged {
			out.status(t.part, hw.Unknown)
		}
		return
	case r.Disabled:
		n.disabled++
		return
	case r.Missing:
		n.unavailable++
		return
	}
	n.read++
	out.family("ipmi_sensor_info", "What the sensor is; the value is always 1.", false).add("ipmi_sensor_info", t.part, t.info, 1)
	if r.HasValue {
		unit := ""
		if t.measure.value == otherReading {
			unit = t.unit
			out.family(string(otherReading), "Reading in a unit that has no family of its own.", false)
		}
		out.put(t.measure.value, t.part, unit, t.measure.convert(r.Value))
	}
	if !r.HasState {
		return
	}
	if r.Sensor.Threshold() {
		out.status(t.part, thresholdStatus(r.States))
		return
	}
	worst := ipmi.Info
	f := out.family("ipmi_discrete_state", "States of a discrete sensor: 1 for those that hold, 0 for the others that it can have.", false)
	for i, l := range t.state {
		on := r.States&(1<<i) != 0
		if l == "" {
			if !on {
				continue
			}
			l = label("state", ipmi.StateName(t.states, i)) // a state its SDR does not announce
		}
		f.add("ipmi_discrete_state", t.part, l, asFloat(on))
		if on && i < len(t.states) {
			worst = max(worst, t.states[i].Severity)
		}
	}
	if t.judged {
		out.status(t.part, severityStatus(worst))
	}
}

// thresholdStatus reads the comparison bits of a threshold sensor.
func thresholdStatus(states uint16) string {
	const degraded = 1<<ipmi.LNC | 1<<ipmi.UNC
	switch {
	case states == 0:
		return hw.OK
	case states&^degraded == 0:
		return hw.Degraded
	}
	return hw.Failed
}

func severityStatus(s ipmi.Severity) string {
	return [...]string{hw.OK, hw.PredictedFailure, hw.Degraded, hw.Failed}[s&3]
}

func putThresholds(out *text, t *sensorText, th ipmi.Thresholds) {
	if t.measure.limit == otherLimit {
		out.family(string(otherLimit), "Threshold of a reading whose family has no limits of its own.", false)
	}
	for mask := th.Mask; mask != 0; mask &= mask - 1 {
		k := bits.TrailingZeros8(mask)
		more := `limit_type="` + limitType(k) + `"`
		if t.measure.limit == otherLimit {
			more += "," + t.unit
		}
		out.put(t.measure.limit, t.part, more, t.measure.convert(th.Value[k]))
	}
}

// chassisPart is the enclosure as a part.
func chassisPart() hw.Part {
	return hw.Part{ID: "chassis", Type: hw.Enclosure, Name: "Chassis"}
}

// extras adds what other collectors know to the families that this one writes.
func (s *scrape) extras(out *text) {
	labels := partLabels(chassisPart())
	if s.noChas == nil && s.module.enabled(colChassis) {
		c := s.chassis
		state := hw.OK
		switch {
		case c.PowerFault || c.ControlFault || c.DriveFault || c.CoolingFault || c.Overload:
			state = hw.Failed
		case c.Intrusion || c.Interlock:
			state = hw.Degraded
		}
		out.status(labels, state)
	}
	if s.power != nil {
		out.put(hw.PowerWatts, labels, "", float64(s.power.Current))
	}
}
