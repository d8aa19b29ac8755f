package dashboards

// Hardware shows devices read by redfish_exporter, ipmi_exporter and snmp_exporter, which
// share the names hw_*.
func Hardware() Dashboard {
	panels := []Panel{
		stat("Devices down", "Devices that do not answer their exporter.", "none", 1, 2, `count({__name__=~"(redfish|ipmi|snmp)_up",instance=~"$instance"} == 0) or vector(0)`),
		stat("Devices up", "Devices that answer.", "none", 0, 0, `sum({__name__=~"(redfish|ipmi|snmp)_up",instance=~"$instance"})`),
		stat("Parts failed", "Parts that report themselves as failed.", "none", 1, 1, `count(hw_status{state="failed",instance=~"$instance"} == 1) or vector(0)`),
		stat("Parts degraded", "Parts that work with less than they should, or expect to fail.", "none", 1, 5,
			`count(hw_status{state=~"degraded|predicted_failure",instance=~"$instance"} == 1) or vector(0)`),
		stat("Power", "Drawn by all chassis.", "watt", 0, 0, `sum(max by (instance) (hw_power_watts{hw_type="enclosure",instance=~"$instance"}))`),
		stat("Slowest probe", "95th percentile of the probes' duration.", "s", 20, 30, `quantile(0.95, probe_duration_seconds{instance=~"$instance"})`),
		table("Parts that need attention", "Every part that is not ok.", "none", `max by (instance, hw_type, hw_name, hw_id, state, source) (hw_status{state=~"failed|degraded|predicted_failure",instance=~"$instance"} == 1)`),
		table("What could not be read", "Collectors that failed in the last scrape, and devices that are down, with the reason.", "none",
			`max by (instance, collector, reason) ({__name__=~"(probe|collector)_failure_info",instance=~"$instance"})`),
		series("Temperature, hottest by device", "", "celsius", query(`max by (instance) (hw_temperature_celsius{instance=~"$instance"})`, "{{instance}}")),
		series("Distance to the critical temperature", "The smallest distance of any sensor to its own limit.", "celsius",
			query(`min by (instance) (min by (job, instance, hw_id) (hw_temperature_limit_celsius{limit_type=~"high.critical|high.fatal",instance=~"$instance"} > 0) - on (job, instance, hw_id) hw_temperature_celsius)`, "{{instance}}")),
		series("Power by device", "", "watt", query(`max by (instance) (hw_power_watts{hw_type="enclosure",instance=~"$instance"})`, "{{instance}}")),
		series("Power supplies", "Output, or input where only that is told.", "watt",
			query(`hw_power_supply_output_watts{instance=~"$instance"} or hw_power_supply_input_watts{instance=~"$instance"}`, "{{instance}} {{hw_name}}")),
		series("Fans", "Slowest fan of each device.", "rotrpm", query(`min by (instance) (hw_fan_speed_rpm{instance=~"$instance"} > 0)`, "{{instance}}")),
		series("Memory and PCIe errors", "Per hour, as counted by the parts.", "none",
			query(`sum by (instance, error_type) (increase(hw_errors_total{instance=~"$instance"}[1h])) > 0`, "{{instance}} {{error_type}}")),
		table("Disks by life left", "Share of the write endurance that is left.", "percentunit", `sort(bottomk(20, hw_physical_disk_life_left_ratio{instance=~"$instance"}))`),
		table("Firmware", "Installed versions.", "none", `max by (instance, hw_name, version) (hw_firmware_info{instance=~"$instance"})`),
		series("Probe duration", "By device.", "s", query(`probe_duration_seconds{instance=~"$instance"}`, "{{job}} {{instance}}")),
		series("BMC event log", "Entries logged an hour, by class and severity.", "none",
			query(`sum by (instance, class, severity) (increase(ipmi_sel_events_total{instance=~"$instance"}[1h])) > 0`, "{{instance}} {{class}} {{severity}}"),
			query(`sum by (instance, severity) (increase(redfish_exporter_log_entries_total[1h])) > 0`, "{{instance}} {{severity}}")),
	}
	for i := range panels {
		panels[i].Devices = true
		if panels[i].Description == "" {
			panels[i].Description = "The highest value of any sensor of the device."
		}
	}
	d := base("inframind-hardware", "InfraMind hardware", "Servers, switches, UPSes and storage by Redfish, IPMI and SNMP.", panels)
	d.Templating.List = []Variable{
		source("datasource", "Data source"),
		many("instance", "Device", `label_values({__name__=~"(redfish|ipmi|snmp)_up"}, instance)`),
	}
	return d
}
