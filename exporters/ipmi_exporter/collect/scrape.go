package collect

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/inframind/inframind/exporters/ipmi_exporter/ipmi"
	"github.com/inframind/inframind/internal/exporter"
	"github.com/inframind/inframind/internal/exporter/hw"
)

// keptAnswers is how soon a BMC answers in a session that it still knows.
const keptAnswers = 1500 * time.Millisecond

// retryAbsent is how long a command that the BMC does not have is left alone.
const retryAbsent = time.Hour

// scrape is one probe of one BMC.
type scrape struct {
	driver *Driver
	target *target
	module *Module
	probe  *exporter.Probe
	start  time.Time

	recorder *ipmi.Recorder
	chassis  ipmi.Chassis
	noChas   error       // why chassis is not known
	power    *ipmi.Power // by DCMI, for the sensors' families
	quirks   ipmi.Quirks
}

// conn is the session, recorded when diagnose asks for it.
func (s *scrape) conn() ipmi.Conn {
	if s.recorder != nil {
		return s.recorder
	}
	return s.target.conn
}

// open gets a session and shows that it works. A kept session that has died is replaced
// once: BMCs end idle sessions without a word.
func (s *scrape) open(ctx context.Context) error {
	opt, err := s.module.dialOptions(s.probe.Auth)
	if err != nil {
		return err
	}
	for {
		began := time.Now()
		kept, err := s.target.session(ctx, s.driver, opt)
		s.note("session", began, err)
		if err != nil {
			return err
		}
		if s.probe.Trace.Recording() {
			s.recorder = &ipmi.Recorder{Conn: s.target.conn}
		}
		err = s.hello(ctx, kept)
		if err == nil || !kept {
			return err
		}
		s.target.drop(s.driver)
	}
}

// hello reads what every scrape needs first: the chassis status, and the BMC's identity
// when it is not known or the session is new, because the BMC may be new as well.
func (s *scrape) hello(ctx context.Context, kept bool) error {
	if kept { // leave time for a new session
		limit := keptAnswers
		if deadline, ok := ctx.Deadline(); ok {
			limit = min(limit, time.Until(deadline)/3)
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	began := time.Now()
	s.chassis, s.noChas = ipmi.ChassisStatus(ctx, s.conn())
	s.note("chassis status", began, s.noChas)
	if s.noChas != nil && !answered(s.noChas) {
		return s.noChas
	}
	now := time.Now()
	if !kept || !s.target.device.fresh(now, time.Duration(s.module.Refresh)) {
		id, err := ipmi.GetDeviceID(ctx, s.conn())
		s.note("device id", now, err)
		if err != nil {
			return err
		}
		s.target.device = aged[ipmi.DeviceID]{id, now}
	}
	var err error
	s.quirks, err = ipmi.QuirksFor(s.target.device.v, s.module.Quirks)
	return err
}

// answered tells whether the BMC gave any answer, be it a refusal.
func answered(err error) bool {
	var code ipmi.CompletionCode
	return errors.As(err, &code) || errors.Is(err, ipmi.ErrMalformed)
}

// note adds a step to the trace of ?debug=true.
func (s *scrape) note(what string, since time.Time, err error) {
	result := "ok"
	if err != nil {
		result = err.Error()
	}
	s.probe.Trace.Add(what, since, result, 0)
}

// device lists the collectors in the order of their use.
func (s *scrape) device() *exporter.Device {
	dev := &exporter.Device{Serial: true, Close: s.close}
	all := map[string]func(context.Context, chan<- prometheus.Metric) error{
		colChassis: s.collectChassis, colDCMI: s.collectDCMI, colWatchdog: s.collectWatchdog,
		colBMC: s.collectBMC, colSEL: s.collectSEL, colFRU: s.collectFRU,
	}
	for _, name := range allCollectors() {
		if !s.module.enabled(name) {
			continue
		}
		c := exporter.Collector{Name: name}
		if name == colSensors {
			c.Write = s.writeSensors
		} else {
			collect := all[name]
			c.Collect = func(ctx context.Context, ch chan<- prometheus.Metric) error {
				began := time.Now()
				err := collect(ctx, ch)
				s.note(name, began, err)
				return reasoned(err)
			}
		}
		dev.Collectors = append(dev.Collectors, c)
	}
	return dev
}

func (s *scrape) close() {
	if s.recorder != nil {
		s.probe.Trace.Record("ipmi.jsonl", s.recorder.Bytes())
	}
	s.target.release(s.driver)
}

// optional runs a command that a BMC may lack. What it lacks is not asked for again for
// an hour, and is no failure.
func (s *scrape) optional(name string, f func() error) error {
	if since, ok := s.target.absent[name]; ok && s.start.Sub(since) < retryAbsent {
		return nil
	}
	err := f()
	if err != nil && ipmi.Absent(err) {
		s.target.absent[name] = s.start
		s.probe.Log.Debug("not supported by this BMC", "target", s.target.name, "command", name, "err", err)
		return nil
	}
	delete(s.target.absent, name)
	return err
}

// gauge makes a metric outside of the shared schema.
func gauge(name, help string, v float64, pairs ...string) prometheus.Metric {
	return constant(prometheus.GaugeValue, name, help, v, pairs...)
}

func constant(kind prometheus.ValueType, name, help string, v float64, pairs ...string) prometheus.Metric {
	var names, values []string
	for i := 0; i+1 < len(pairs); i += 2 {
		names, values = append(names, pairs[i]), append(values, hw.Label(pairs[i+1]))
	}
	return prometheus.MustNewConstMetric(prometheus.NewDesc(name, help, names, nil), kind, v, values...)
}

func asFloat(v bool) float64 {
	if v {
		return 1
	}
	return 0
}

func isSuite(err error) bool { return errors.Is(err, ipmi.ErrSuite) }

// age says how old slow data is.
func (s *scrape) age(ch chan<- prometheus.Metric, what string, read time.Time) {
	if !read.IsZero() {
		ch <- gauge("ipmi_data_age_seconds", "Age of data that is not read in every scrape.", max(0, time.Since(read).Seconds()), "data", what)
	}
}

func wrapf(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}
