package dashboards

// Home is the daily view: what is wrong now, what will be, and whether the jobs that say
// so are alive.
func Home() Dashboard {
	return base("inframind-home", "InfraMind", "What is wrong now, what will run out, what looks unusual.", []Panel{
		stat("Targets down", "Scrape targets that do not answer.", "none", 1, 2, `count(up == 0) or vector(0)`),
		stat("Alerts firing", "Alerts of every severity.", "none", 1, 5, `count(ALERTS{alertstate="firing"}) or vector(0)`),
		stat("First to run out", "Time until the first series crosses its first threshold, by the median forecast.", "s", 0, 0,
			`min(forecast_exhaustion_seconds{by="median"})`),
		stat("Series forecast", "Series with a forecast in service.", "none", 0, 0, `count(forecast_model_info{status="ok"})`),
		stat("Critical log lines", "Lines labelled critical in the last hour.", "none", 1, 20,
			`sum(increase(logs_classified_total{ml_category="critical"}[1h]))`),
		stat("Alerts delivered", "Deliveries by the alert webhook since it started.", "none", 0, 0, `sum(alert_webhook_delivery_attempts_total{outcome="delivered"})`),
		table("Runs out soonest", "Seconds until a threshold is crossed, by the median forecast; the probability is in the dashboard of forecasts.", "s",
			`sort(bottomk(15, min by (instance, mountpoint, device, target, threshold) (forecast_exhaustion_seconds{by="median",instance=~"$instance"})))`),
		table("Anomalies", "Findings of the last window by detector and severity.", "none", `sum by (detector, severity) (anomaly_scorer_findings)`),
		series("CPU", "Share of CPU time that was not idle.", "percentunit", query(`instance:node_cpu_utilisation:ratio{instance=~"$instance"}`, "{{instance}}")),
		series("Memory", "Share of memory that is not available to new work.", "percentunit", query(`instance:node_memory_used:ratio{instance=~"$instance"}`, "{{instance}}")),
		series("File systems", "Share of each file system that is used.", "percentunit",
			query(`instance_mountpoint:node_filesystem_used:ratio{instance=~"$instance"}`, "{{instance}} {{mountpoint}}")),
		series("Network in", "Bytes received per second.", "Bps", query(`instance_device:node_network_receive_bytes:rate5m{instance=~"$instance"}`, "{{instance}} {{device}}")),
		series("Log lines by class", "Lines per second by label.", "cps", query(`sum by (ml_category) (rate(logs_classified_total[$__rate_interval]))`, "{{ml_category}}")),
		series("Jobs: time since success", "Each job's schedule is its bound: an hour, ten minutes, five minutes.", "s",
			query(`time() - forecaster_last_success_timestamp_seconds`, "forecaster"),
			query(`time() - anomaly_scorer_last_success_timestamp_seconds`, "anomaly-scorer"),
			query(`time() - log_classifier_last_success_timestamp_seconds`, "log-classifier")),
	})
}
