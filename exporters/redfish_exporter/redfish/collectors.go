package redfish

import "context"

// unit is one collector.
type unit struct {
	name    string
	collect func(context.Context, *sink)
}

// collectors are all collectors, the most urgent first. A new one is a file with a function
// and a line here.
func collectors() []unit {
	return []unit{
		{"thermal", collectThermal},
		{"power", collectPower},
		{"sensors", collectSensors},
		{"system", collectSystems},
		{"chassis", collectChassis},
		{"manager", collectManagers},
		{"storage", collectStorage},
		{"memory", collectMemory},
		{"processors", collectProcessors},
		{"network", collectNetwork},
		{"pcie", collectPCIe},
		{"firmware", collectFirmware},
		{"facility", collectFacility},
		{"logs", collectLogs},
	}
}

func collectorNames() []string {
	var names []string
	for _, u := range collectors() {
		names = append(names, u.name)
	}
	return names
}
