package forecast

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"

	"github.com/prometheus/prometheus/promql/parser"
)

// Units of a target.
const (
	UnitRatio          = "ratio" // 0 to 1
	UnitBytes          = "bytes"
	UnitBytesPerSecond = "bytes_per_second"
	UnitCount          = "count"
	UnitOther          = "" // may be negative
)

// Target is a PromQL expression whose every series is forecast.
type Target struct {
	// Name becomes part of the metric: forecast_<name>.
	Name  string `yaml:"name"`
	Query string `yaml:"query"`
	Unit  string `yaml:"unit,omitempty"`
	// Direction that hurts: up (default) or down, e.g. for free space.
	Direction string `yaml:"direction,omitempty"`
	// Capacity is what thresholds are fractions of: 1 for ratios. CapacityQuery gives it
	// per series instead, matched by the labels both have.
	Capacity      float64   `yaml:"capacity,omitempty"`
	CapacityQuery string    `yaml:"capacity_query,omitempty"`
	Thresholds    []float64 `yaml:"thresholds,omitempty"` // default 0.85 and 0.95
	// MAPETarget is the error the owner can live with; the metric shows it for rules.
	MAPETarget float64 `yaml:"mape_target,omitempty"`
	// BatchBy is the label by which large queries are cut into batches; every selector of
	// the query has to have it. Empty: never cut.
	BatchBy *string `yaml:"batch_by,omitempty"`
}

// DefaultTargets are what node_exporter gives. Each asks for the recording rule's series
// and falls back to the raw expression on sites without our rules.
func DefaultTargets() []Target {
	return []Target{
		{
			Name: "node_cpu_utilisation_ratio", Unit: UnitRatio, MAPETarget: 0.10,
			Query: `instance:node_cpu_utilisation:ratio or on (instance) 1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[5m]))`,
		},
		{
			Name: "node_memory_used_ratio", Unit: UnitRatio, MAPETarget: 0.10,
			Query: `instance:node_memory_used:ratio or on (instance) max by (instance) (1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes)`,
		},
		{
			Name: "node_filesystem_used_ratio", Unit: UnitRatio, MAPETarget: 0.10,
			Query: `instance_mountpoint:node_filesystem_used:ratio or on (instance, mountpoint) max by (instance, mountpoint) (1 - node_filesystem_avail_bytes{fstype!~"tmpfs|ramfs|overlay|squashfs|iso9660"} / node_filesystem_size_bytes)`,
		},
		{
			Name: "node_disk_io_utilisation_ratio", Unit: UnitRatio, MAPETarget: 0.15,
			Query: `instance_device:node_disk_io_utilisation:ratio or on (instance, device) max by (instance, device) (rate(node_disk_io_time_seconds_total[5m]))`,
		},
		{
			Name: "node_network_receive_bytes_per_second", Unit: UnitBytesPerSecond, MAPETarget: 0.15, CapacityQuery: networkCapacity,
			Query: `instance_device:node_network_receive_bytes:rate5m or on (instance, device) max by (instance, device) (rate(node_network_receive_bytes_total{device!~"lo|veth.*"}[5m]))`,
		},
		{
			Name: "node_network_transmit_bytes_per_second", Unit: UnitBytesPerSecond, MAPETarget: 0.15, CapacityQuery: networkCapacity,
			Query: `instance_device:node_network_transmit_bytes:rate5m or on (instance, device) max by (instance, device) (rate(node_network_transmit_bytes_total{device!~"lo|veth.*"}[5m]))`,
		},
	}
}

// networkCapacity is the speed of the interface; virtual ones report 0 or less.
const networkCapacity = `max by (instance, device) (node_network_speed_bytes > 0)`

var nameRE = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// reserved would make a target's gauges collide with the forecaster's own.
var reserved = []string{
	"exhaustion_seconds", "exhaustion_probability_ratio", "backtest_mape_ratio", "backtest_smape_ratio",
	"backtest_mase_ratio", "interval_coverage_ratio", "model_info", "event", "corrections", "target_mape_ratio", "last_made_timestamp_seconds",
}

func (t *Target) validate() error {
	switch {
	case !nameRE.MatchString(t.Name):
		return errors.New("name: want lower-case letters, digits and _")
	case slices.Contains(reserved, t.Name):
		return errors.New("name: is reserved")
	case t.Query == "":
		return errors.New("query: is empty")
	case !slices.Contains([]string{UnitRatio, UnitBytes, UnitBytesPerSecond, UnitCount, UnitOther}, t.Unit):
		return fmt.Errorf("unit: %q is none of ratio, bytes, bytes_per_second, count", t.Unit)
	case t.Capacity < 0 || math.IsNaN(t.Capacity) || math.IsInf(t.Capacity, 0):
		return errors.New("capacity: want a positive number")
	case t.Capacity > 0 && t.CapacityQuery != "":
		return errors.New("capacity and capacity_query: give one of them")
	case t.MAPETarget < 0:
		return errors.New("mape_target: must not be negative")
	}
	for field, q := range map[string]string{"query": t.Query, "capacity_query": t.CapacityQuery} {
		if q == "" {
			continue
		}
		if _, err := parser.NewParser(parser.Options{}).ParseExpr(q); err != nil {
			return fmt.Errorf("%s: %w", field, err)
		}
	}
	return t.fill()
}

func (t *Target) fill() error {
	if t.Direction == "" {
		t.Direction = "up"
	}
	if t.Direction != "up" && t.Direction != "down" {
		return fmt.Errorf("direction: %q is neither up nor down", t.Direction)
	}
	if t.Capacity == 0 && t.CapacityQuery == "" && t.Unit == UnitRatio {
		t.Capacity = 1
	}
	if t.MAPETarget == 0 {
		t.MAPETarget = 0.15
	}
	if t.Thresholds == nil {
		t.Thresholds = []float64{0.85, 0.95}
		if t.Direction == "down" {
			t.Thresholds = []float64{0.15, 0.05}
		}
	}
	for _, th := range t.Thresholds {
		if !(th > 0 && th < 10) {
			return fmt.Errorf("thresholds: %g is not a fraction of the capacity", th)
		}
	}
	if t.BatchBy == nil {
		by := "instance"
		t.BatchBy = &by
	}
	return nil
}

// bounds are what is physically possible in the target's unit; NaN: no bound.
func (t *Target) bounds() (lower, upper float64) {
	switch t.Unit {
	case UnitRatio:
		return 0, 1
	case UnitOther:
		return math.NaN(), math.NaN()
	default:
		return 0, math.NaN()
	}
}
