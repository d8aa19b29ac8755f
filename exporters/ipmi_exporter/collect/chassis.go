package collect

import (
	"context"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/inframind/inframind/exporters/ipmi_exporter/ipmi"
	"github.com/inframind/inframind/internal/exporter/hw"
)

// collectChassis sends what the scrape's first command has told.
func (s *scrape) collectChassis(_ context.Context, ch chan<- prometheus.Metric) error {
	if s.noChas != nil {
		return s.noChas
	}
	c, part, schema := s.chassis, chassisPart(), s.driver.schema
	schema.Send(ch, hw.PowerState, part, asFloat(c.PowerOn))
	schema.Send(ch, hw.IntrusionAlarm, part, asFloat(c.Intrusion))
	if c.IdentifyKnown {
		schema.Send(ch, hw.IndicatorLED, part, asFloat(c.Identify != 0))
	}
	for _, f := range []struct {
		name string
		on   bool
	}{
		{"power_overload", c.Overload},
		{"power_interlock", c.Interlock},
		{"power", c.PowerFault},
		{"power_control", c.ControlFault},
		{"drive", c.DriveFault},
		{"cooling", c.CoolingFault},
	} {
		ch <- gauge("ipmi_chassis_fault", "Faults that the chassis reports.", asFloat(f.on), "fault", f.name)
	}
	ch <- gauge("ipmi_chassis_info", "Settings of the chassis; the value is always 1.", 1, "power_restore_policy", c.RestorePolicy)
	return nil
}

// collectDCMI reads power draw and temperatures. BMCs without DCMI are common.
func (s *scrape) collectDCMI(ctx context.Context, ch chan<- prometheus.Metric) error {
	refresh := time.Duration(s.module.Refresh)
	if !s.target.dcmi.fresh(s.start, refresh) {
		has, err := ipmi.HasDCMI(ctx, s.conn())
		if err != nil {
			return err
		}
		s.target.dcmi = aged[bool]{has, s.start}
	}
	if !s.target.dcmi.v {
		return nil
	}
	err := s.optional("DCMI power", func() error {
		p, err := ipmi.DCMIPower(ctx, s.conn())
		if err != nil || !p.Active {
			return err
		}
		s.power = &p
		ch <- gauge("ipmi_dcmi_power_watts", "Power drawn now, by DCMI.", float64(p.Current))
		ch <- gauge("ipmi_dcmi_power_minimum_watts", "Least power drawn in the BMC's statistics period, by DCMI.", float64(p.Minimum))
		ch <- gauge("ipmi_dcmi_power_maximum_watts", "Most power drawn in the BMC's statistics period, by DCMI.", float64(p.Maximum))
		ch <- gauge("ipmi_dcmi_power_average_watts", "Mean power drawn in the BMC's statistics period, by DCMI.", float64(p.Average))
		ch <- gauge("ipmi_dcmi_power_period_seconds", "Statistics period of DCMI power.", p.Period.Seconds())
		return nil
	})
	if err != nil {
		return err
	}
	err = s.optional("DCMI power limit", func() error {
		limit, active, err := ipmi.DCMIPowerLimit(ctx, s.conn())
		if err == nil && active {
			ch <- gauge("ipmi_dcmi_power_limit_watts", "Power cap in force, by DCMI.", float64(limit))
		}
		return err
	})
	if err != nil {
		return err
	}
	return s.optional("DCMI temperatures", func() error {
		list, err := ipmi.DCMITemperatures(ctx, s.conn())
		for _, t := range list {
			ch <- gauge("ipmi_dcmi_temperature_celsius", "Temperature, by DCMI.", float64(t.Celsius), "entity", t.Entity, "instance", strconv.Itoa(int(t.Instance)))
		}
		return err
	})
}

// collectWatchdog reads the BMC's watchdog timer.
func (s *scrape) collectWatchdog(ctx context.Context, ch chan<- prometheus.Metric) error {
	return s.optional("watchdog", func() error {
		w, err := ipmi.GetWatchdog(ctx, s.conn())
		if err != nil {
			return err
		}
		ch <- gauge("ipmi_watchdog_running", "Whether the watchdog timer runs.", asFloat(w.Running), "use", w.Use, "action", w.Action)
		ch <- gauge("ipmi_watchdog_expired", "Whether the watchdog timer has expired since its flags were cleared.", asFloat(w.Expired))
		if w.Remaining >= 0 {
			ch <- gauge("ipmi_watchdog_remaining_seconds", "Time until the watchdog timer expires.", w.Remaining.Seconds())
		}
		return nil
	})
}
