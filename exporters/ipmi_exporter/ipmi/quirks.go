package ipmi

import (
	"fmt"
	"slices"
)

// Quirks are deviations from the specification that are known of a BMC.
type Quirks struct {
	CountUp        bool // shared records named "Drive 0" mean Drive 0, Drive 1, ...
	AnyOwner       bool // every sensor is the BMC's own, whatever its SDR says
	IgnoreScanning bool // readings are good although the BMC says that scanning is off
	OneAtATime     bool // never more than one command in flight
	CPULevels      bool // OEM type c0h, event type 70h is Supermicro's processor temperature level
	Names          []string
}

// IANA enterprise numbers of manufacturers in the table.
const (
	makerDell        = 674
	makerSupermicro  = 10876
	makerSupermicro2 = 47488
)

// quirk is a row of the table. Rows without makers are only used when they are asked for.
type quirk struct {
	name   string
	makers []uint32
	set    func(*Quirks)
}

func quirkTable() []quirk {
	return []quirk{
		{"shared_names_count_up", []uint32{makerDell}, func(q *Quirks) { q.CountUp = true }},
		{"cpu_temperature_levels", []uint32{makerSupermicro, makerSupermicro2}, func(q *Quirks) { q.CPULevels = true }},
		{"assume_bmc_owner", nil, func(q *Quirks) { q.AnyOwner = true }},
		{"ignore_scanning_disabled", nil, func(q *Quirks) { q.IgnoreScanning = true }},
		{"one_at_a_time", nil, func(q *Quirks) { q.OneAtATime = true }},
	}
}

// QuirksFor collects the quirks of the BMC that answered id, and those named in extra.
func QuirksFor(id DeviceID, extra []string) (Quirks, error) {
	var q Quirks
	known := map[string]bool{}
	for _, row := range quirkTable() {
		known[row.name] = true
		if slices.Contains(row.makers, id.Manufacturer) || slices.Contains(extra, row.name) {
			row.set(&q)
			q.Names = append(q.Names, row.name)
		}
	}
	for _, name := range extra {
		if !known[name] {
			return q, fmt.Errorf("no quirk is named %q", name)
		}
	}
	return q, nil
}

// States is StatesOf with the OEM types that the quirks know.
func (q Quirks) States(t SensorType, e EventType) []State {
	if q.CPULevels && t == 0xc0 && e == 0x70 {
		return parseStates("medium high !overheat")
	}
	return StatesOf(t, e)
}
