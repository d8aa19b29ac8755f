package dashboards

// Forecasts shows each resource of one machine: the last 30 days, the forecast of the next 30
// and its 80 % and 95 % intervals, with how far the forecasts have been right.
func Forecasts() Dashboard {
	d := base("inframind-forecasts", "InfraMind forecasts", "What was, what will be, how sure, and when it runs out.", []Panel{
		forecast("CPU", "percentunit", `instance:node_cpu_utilisation:ratio{instance=~"$instance"}`, `forecast_curve_node_cpu_utilisation_ratio{instance=~"$instance"`),
		forecast("Memory", "percentunit", `instance:node_memory_used:ratio{instance=~"$instance"}`, `forecast_curve_node_memory_used_ratio{instance=~"$instance"`),
		forecast("File system", "percentunit", `instance_mountpoint:node_filesystem_used:ratio{instance=~"$instance",mountpoint=~"$mountpoint"}`,
			`forecast_curve_node_filesystem_used_ratio{instance=~"$instance",mountpoint=~"$mountpoint"`),
		forecast("Disk I/O", "percentunit", `max by (instance) (instance_device:node_disk_io_utilisation:ratio{instance=~"$instance"})`,
			`forecast_curve_node_disk_io_utilisation_ratio{instance=~"$instance"`),
		forecast("Network in", "Bps", `instance_device:node_network_receive_bytes:rate5m{instance=~"$instance",device=~"$device"}`,
			`forecast_curve_node_network_receive_bytes_per_second{instance=~"$instance",device=~"$device"`),
		forecast("Network out", "Bps", `instance_device:node_network_transmit_bytes:rate5m{instance=~"$instance",device=~"$device"}`,
			`forecast_curve_node_network_transmit_bytes_per_second{instance=~"$instance",device=~"$device"`),
		table("Time to exhaustion", "Until a threshold is crossed, by the median and by the bound that one path in ten passes earlier.", "s",
			`sort(min by (instance, mountpoint, device, target, threshold, by) (forecast_exhaustion_seconds))`),
		table("Probability of exhaustion", "That the threshold is crossed within so many days, where it is above one in a hundred.", "percentunit",
			`sort_desc(max by (instance, mountpoint, device, target, threshold, within) (forecast_exhaustion_probability_ratio) > 0.01)`),
		series("Intervals that held", "Share of the actual values inside of the 95 % interval in the series' own backtest. Under 90 % the interval is too narrow.", "percentunit",
			query(`quantile by (target) (0.1, forecast_interval_coverage_ratio{level="0.95"})`, "{{target}}: worst tenth"),
			query(`avg by (target) (forecast_interval_coverage_ratio{level="0.95"})`, "{{target}}: mean")),
		series("Error of the forecasts", "Mean absolute percentage error over seven days in the series' own backtest, and what its owner can live with.", "percentunit",
			query(`avg by (target) (forecast_backtest_mape_ratio)`, "{{target}}"),
			query(`max by (target) (forecast_target_mape_ratio)`, "{{target}}: aim")),
	})
	d.Time = TimeRange{"now-30d", "now+30d"}
	d.Refresh = "10m"
	d.Templating.List = []Variable{
		source("datasource", "Data source"),
		source("curves", "Forecast curves"), // `forecaster serve`, or the all-in-one itself
		one("instance", "Instance", `label_values(forecast_model_info, instance)`),
		one("mountpoint", "Mount point", `label_values(forecast_model_info{instance=~"$instance"}, mountpoint)`),
		one("device", "Interface", `label_values(forecast_model_info{instance=~"$instance",target="node_network_receive_bytes_per_second"}, device)`),
	}
	// A mark is one sample; the window makes every step see each mark once.
	d.Annotations.List = []Annotation{{
		Name: "Changes and crossings", Datasource: curvesSource, Enable: true, IconColor: "orange", Step: "30m",
		Expr: `last_over_time(forecast_event{instance=~"$instance"}[30m])`, TitleFormat: "{{target}}", TextFormat: "{{text}}",
	}}
	return d
}

// forecast draws history and curve in one picture; curve lacks its closing brace.
func forecast(title, unit, history, curve string) Panel {
	p := series(title, "The last 30 days, the median forecast, and the bands that hold 80 % and 95 % of what comes.", unit)
	p.Datasource = mixedSource
	p.Targets = []Target{{Datasource: prometheusSource, Expr: history, LegendFormat: "actual"}}
	for _, q := range []struct{ quantile, name string }{
		{"0.025", "lower 95 %"}, {"0.975", "upper 95 %"}, {"0.1", "lower 80 %"}, {"0.9", "upper 80 %"}, {"0.5", "forecast"},
	} {
		p.Targets = append(p.Targets, Target{Datasource: curvesSource, Expr: curve + `,quantile="` + q.quantile + `"}`, LegendFormat: q.name})
	}
	p.FieldConfig.Overrides = []any{
		override("lower 95 %", property{"custom.lineWidth", 0}, property{"custom.fillOpacity", 0}, hidden),
		override("lower 80 %", property{"custom.lineWidth", 0}, property{"custom.fillOpacity", 0}, hidden),
		override("upper 95 %", property{"custom.lineWidth", 0}, property{"custom.fillOpacity", 12}, property{"custom.fillBelowTo", "lower 95 %"}, orange),
		override("upper 80 %", property{"custom.lineWidth", 0}, property{"custom.fillOpacity", 20}, property{"custom.fillBelowTo", "lower 80 %"}, orange),
		override("forecast", property{"custom.fillOpacity", 0}, property{"custom.lineStyle", map[string]any{"fill": "dash", "dash": []int{8, 6}}}, orange),
		override("actual", property{"custom.fillOpacity", 0}, property{"color", map[string]any{"mode": "fixed", "fixedColor": "blue"}}),
	}
	return p
}

// property is one setting of a field override.
type property struct {
	ID    string `json:"id"`
	Value any    `json:"value"`
}

var (
	hidden = property{"custom.hideFrom", map[string]any{"legend": true, "tooltip": false, "viz": false}}
	orange = property{"color", map[string]any{"mode": "fixed", "fixedColor": "orange"}}
)

// override applies properties to the series called name.
func override(name string, properties ...property) map[string]any {
	return map[string]any{"matcher": map[string]any{"id": "byName", "options": name}, "properties": properties}
}
