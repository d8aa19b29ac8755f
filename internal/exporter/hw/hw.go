// Package hw is the hardware schema that all exporters share: the OpenTelemetry hardware
// semantic conventions in Prometheus form. The same part has the same metric names whether
// Redfish, IPMI, SNMP or SMART reported it; the label source says which.
package hw

import (
	"math"
	"strings"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
)

// Values of the label hw_type.
const (
	Battery        = "battery"
	CPU            = "cpu"
	DiskController = "disk_controller"
	Enclosure      = "enclosure"
	Fan            = "fan"
	GPU            = "gpu"
	LogicalDisk    = "logical_disk"
	Memory         = "memory"
	Network        = "network"
	PhysicalDisk   = "physical_disk"
	PowerSupply    = "power_supply"
	Temperature    = "temperature"
	Voltage        = "voltage"
)

// Values of the label state of hw_status.
const (
	OK               = "ok"
	Degraded         = "degraded"
	Failed           = "failed"
	PredictedFailure = "predicted_failure"
	Unknown          = "unknown"
)

// Values of the label limit_type.
const (
	LowFatal     = "low.fatal"
	LowCritical  = "low.critical"
	LowDegraded  = "low.degraded"
	HighDegraded = "high.degraded"
	HighCritical = "high.critical"
	HighFatal    = "high.fatal"
	Max          = "max"
)

// Part is one physical or logical component.
type Part struct {
	ID     string // unique within the target and Type
	Type   string // one of the hw_type values
	Name   string // for people
	Parent string // ID of the part that holds it; empty at the top
}

// Metric names a family of the schema. The suffix is its unit.
type Metric string

// The schema. Status, and those with further labels, say so in the table below.
const (
	Info   Metric = "hw_info"
	Status Metric = "hw_status"
	Errors Metric = "hw_errors_total"

	TemperatureCelsius      Metric = "hw_temperature_celsius"
	TemperatureLimitCelsius Metric = "hw_temperature_limit_celsius"
	FanSpeedRPM             Metric = "hw_fan_speed_rpm"
	FanSpeedRatio           Metric = "hw_fan_speed_ratio"
	FanSpeedLimitRPM        Metric = "hw_fan_speed_limit_rpm"
	VoltageVolts            Metric = "hw_voltage_volts"
	VoltageLimitVolts       Metric = "hw_voltage_limit_volts"
	CurrentAmperes          Metric = "hw_current_amperes"
	CurrentLimitAmperes     Metric = "hw_current_limit_amperes"
	PowerWatts              Metric = "hw_power_watts"
	PowerLimitWatts         Metric = "hw_power_limit_watts"
	EnergyJoules            Metric = "hw_energy_joules_total"
	FrequencyHertz          Metric = "hw_frequency_hertz"
	HumidityRatio           Metric = "hw_humidity_ratio"
	PressurePascals         Metric = "hw_pressure_pascals"
	FlowCubicMeters         Metric = "hw_flow_cubic_meters_per_second"

	PSUInputWatts      Metric = "hw_power_supply_input_watts"
	PSUOutputWatts     Metric = "hw_power_supply_output_watts"
	PSUInputVolts      Metric = "hw_power_supply_input_volts"
	PSUOutputVolts     Metric = "hw_power_supply_output_volts"
	PSULimitWatts      Metric = "hw_power_supply_limit_watts"
	PSUEfficiencyRatio Metric = "hw_power_supply_efficiency_ratio"

	BatteryChargeRatio     Metric = "hw_battery_charge_ratio"
	BatteryTimeLeftSeconds Metric = "hw_battery_time_left_seconds"
	OpticalPowerWatts      Metric = "hw_optical_power_watts"

	CPUCores          Metric = "hw_cpu_cores"
	CPUThreads        Metric = "hw_cpu_threads"
	CPUFrequencyHertz Metric = "hw_cpu_frequency_hertz"
	UtilizationRatio  Metric = "hw_utilization_ratio"
	ThrottledSeconds  Metric = "hw_throttled_seconds_total"

	MemorySizeBytes      Metric = "hw_memory_size_bytes"
	MemoryFrequencyHertz Metric = "hw_memory_frequency_hertz"

	DiskSizeBytes      Metric = "hw_physical_disk_size_bytes"
	DiskLifeLeftRatio  Metric = "hw_physical_disk_life_left_ratio"
	DiskPowerOnSeconds Metric = "hw_physical_disk_power_on_seconds_total"

	VolumeSizeBytes Metric = "hw_logical_disk_size_bytes"
	VolumeOperation Metric = "hw_logical_disk_operation_progress_ratio"
	VolumeUsedBytes Metric = "hw_logical_disk_used_bytes"

	NetworkUp             Metric = "hw_network_up"
	NetworkBandwidthBytes Metric = "hw_network_bandwidth_limit_bytes_per_second"
	NetworkIOBytes        Metric = "hw_network_io_bytes_total"

	PowerState       Metric = "hw_power_on"
	IndicatorLED     Metric = "hw_indicator_led_on"
	LeakDetected     Metric = "hw_leak_detected"
	IntrusionAlarm   Metric = "hw_intrusion_detected"
	RedundancyStatus Metric = "hw_redundancy_status"
	FirmwareInfo     Metric = "hw_firmware_info"
	LogEntries       Metric = "hw_log_entries"
)

type row struct {
	metric  Metric
	help    string
	counter bool
	labels  []string // besides those of the part
}

func table() []row {
	limit := []string{"limit_type"}
	return []row{
		{Info, "What the part is; the value is always 1.", false, []string{"vendor", "model", "serial_number", "firmware_version"}},
		{Status, "State of the part: 1 for the state that holds, 0 for the others.", false, []string{"state"}},
		{Errors, "Errors counted by the part itself, by kind.", true, []string{"error_type"}},
		{TemperatureCelsius, "Temperature.", false, nil},
		{TemperatureLimitCelsius, "Threshold of a temperature.", false, limit},
		{FanSpeedRPM, "Fan speed.", false, nil},
		{FanSpeedRatio, "Fan speed as a share of its maximum, where the device tells no rpm.", false, nil},
		{FanSpeedLimitRPM, "Threshold of a fan speed.", false, limit},
		{VoltageVolts, "Voltage.", false, nil},
		{VoltageLimitVolts, "Threshold of a voltage.", false, limit},
		{CurrentAmperes, "Electric current.", false, nil},
		{CurrentLimitAmperes, "Threshold of a current.", false, limit},
		{PowerWatts, "Power drawn.", false, nil},
		{PowerLimitWatts, "Limit of power: max is the capacity or cap, the others are thresholds.", false, limit},
		{EnergyJoules, "Energy used.", true, nil},
		{FrequencyHertz, "Frequency.", false, nil},
		{HumidityRatio, "Relative humidity.", false, nil},
		{PressurePascals, "Pressure of air or liquid.", false, nil},
		{FlowCubicMeters, "Flow of air or liquid.", false, nil},
		{PSUInputWatts, "Power that the supply takes from the line.", false, nil},
		{PSUOutputWatts, "Power that the supply delivers.", false, nil},
		{PSUInputVolts, "Line voltage at the supply.", false, nil},
		{PSUOutputVolts, "Voltage that the supply delivers.", false, nil},
		{PSULimitWatts, "Power that the supply can deliver.", false, nil},
		{PSUEfficiencyRatio, "Output power by input power, as rated or measured.", false, nil},
		{BatteryChargeRatio, "Charge of the battery.", false, nil},
		{BatteryTimeLeftSeconds, "How long the battery lasts at the present load.", false, nil},
		{OpticalPowerWatts, "Optical power that a transceiver sends or receives.", false, nil},
		{CPUCores, "Cores of the processor.", false, nil},
		{CPUThreads, "Threads of the processor.", false, nil},
		{CPUFrequencyHertz, "Clock of the processor.", false, nil},
		{UtilizationRatio, "How busy the part is.", false, nil},
		{ThrottledSeconds, "Time that the part ran slower than it could, by cause.", true, []string{"cause"}},
		{MemorySizeBytes, "Size of the memory.", false, nil},
		{MemoryFrequencyHertz, "Clock of the memory.", false, nil},
		{DiskSizeBytes, "Size of the drive.", false, nil},
		{DiskLifeLeftRatio, "Share of the drive's write endurance that is left.", false, nil},
		{DiskPowerOnSeconds, "Time that the drive has been powered.", true, nil},
		{VolumeSizeBytes, "Size of the volume.", false, nil},
		{VolumeOperation, "Progress of a running operation on the volume, e.g. Rebuild.", false, []string{"operation"}},
		{VolumeUsedBytes, "Space of the volume in use.", false, nil},
		{NetworkUp, "Whether the link is up.", false, nil},
		{NetworkBandwidthBytes, "Link speed.", false, nil},
		{NetworkIOBytes, "Bytes through the port.", true, []string{"direction"}},
		{PowerState, "Whether the part is powered on.", false, nil},
		{IndicatorLED, "Whether the locating LED is lit or blinks.", false, nil},
		{LeakDetected, "Whether a leak detector reports a leak.", false, nil},
		{IntrusionAlarm, "Whether the chassis reports an intrusion.", false, nil},
		{RedundancyStatus, "State of a redundancy group: 1 for the state that holds, 0 for the others.", false, []string{"state"}},
		{FirmwareInfo, "Installed firmware or software; the value is always 1.", false, []string{"version"}},
		{LogEntries, "Entries in the device's event log, by severity.", false, []string{"severity"}},
	}
}

// Schema makes the metrics of one source. It is safe for concurrent use.
type Schema struct {
	source string
	descs  map[Metric]desc
}

type desc struct {
	*prometheus.Desc
	kind   prometheus.ValueType
	labels int
}

// New returns the schema with the label source set to "redfish", "ipmi" and the like.
func New(source string) *Schema {
	s := &Schema{source: source, descs: map[Metric]desc{}}
	for _, r := range table() {
		kind := prometheus.GaugeValue
		if r.counter {
			kind = prometheus.CounterValue
		}
		labels := append([]string{"hw_id", "hw_type", "hw_name", "hw_parent", "source"}, r.labels...)
		s.descs[r.metric] = desc{prometheus.NewDesc(string(r.metric), r.help, labels, nil), kind, len(labels)}
	}
	return s
}

// Send sends one sample; extra are the values of the metric's further labels. Values that
// are no number are not sent.
func (s *Schema) Send(ch chan<- prometheus.Metric, m Metric, p Part, v float64, extra ...string) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return
	}
	d := s.descs[m]
	values := append([]string{p.ID, p.Type, p.Name, p.Parent, s.source}, extra...)
	for i := range values {
		values[i] = Label(values[i])
	}
	metric, err := prometheus.NewConstMetric(d.Desc, d.kind, v, values...)
	if err != nil {
		metric = prometheus.NewInvalidMetric(d.Desc, err)
	}
	ch <- metric
}

// SendStatus sends the part's state as one series a state.
func (s *Schema) SendStatus(ch chan<- prometheus.Metric, p Part, state string) {
	for _, known := range []string{OK, Degraded, Failed, PredictedFailure, Unknown} {
		v := 0.0
		if known == state {
			v = 1
		}
		s.Send(ch, Status, p, v, known)
	}
}

// maxLabel bounds a label value that a device chose, in bytes.
const maxLabel = 200

// Label makes text of a device fit for a label: valid UTF-8, no control characters, no
// surrounding space, bounded.
func Label(s string) string {
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return -1
		}
		return r
	}, s))
	if len(s) > maxLabel {
		s = strings.ToValidUTF8(s[:maxLabel], "")
	}
	return s
}
