// Package exporter is the frame of every multi-target exporter: /probe with its parameters,
// credentials, allow-list, deadline, merging of concurrent scrapes, limits, debug output,
// discovery, reload and the commands of the binary. A protocol brings a Driver.
//
// # Writing an exporter
//
// A Driver is made from the configuration, and made anew at every reload:
//
//	type Driver interface {
//		Names() (modules, auths []string) // what ?module= and, beyond auths:, ?auth= accept
//		Open(ctx, *Probe) (*Device, error) // an error means "target down": Fail(reason, err)
//		Close(ctx) error                   // end kept sessions
//	}
//
// Open returns the Device's collectors, which share whatever Open connected:
//
//	return &exporter.Device{
//		Collectors: []exporter.Collector{
//			{Name: "sensors", Collect: d.sensors},   // func(ctx, ch chan<- prometheus.Metric) error
//			{Name: "inventory", Collect: d.inventory},
//		},
//		Serial: true,     // run in this order, one at a time; false runs all at once
//		Close:  d.Close,  // after the last collector; nil is fine
//	}, nil
//
// A Driver that is also a Classifier lets /discover find devices in a network by class.
//
// A Collector has Write instead of Collect when it writes exposition text itself (very large
// scrapes). When the deadline passes, what was sent so far is served and the collector
// counts as failed with reason "timeout".
//
// main.go:
//
//	a := cli.New("x_exporter", "...")
//	exporter.AddCommands(a, exporter.Spec{Namespace: "x", Listen: ":9999", Load: load})
//	a.Main()
//
// AddCommands gives the commands serve (default), check-config and diagnose. For a `probe`
// command call ProbeOnce. Load reads the exporter's own YAML, in which this package's
// Config is inlined:
//
//	type Config struct {
//		exporter.Config `yaml:",inline"`
//		Modules map[string]Module `yaml:"modules"`
//	}
//
// # Metrics of every probe
//
//	<namespace>_up                        1 when the target answered and Open succeeded
//	probe_failure_info{reason}            only when down; reasons are the Reason constants
//	probe_duration_seconds                whole probe
//	probe_rejected_samples                samples refused as duplicate or malformed
//	collector_success{collector}          1, or 0 with
//	collector_failure_info{collector,reason}
//	collector_duration_seconds{collector}
//
// Hardware exporters send their metrics through the subpackage hw, so that names, labels
// and help texts are the same from every source.
package exporter
