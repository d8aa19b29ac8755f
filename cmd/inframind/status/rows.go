package status

// spec is one row of the table: what it counts and what its state hangs on. The names are
// those that the start page and the documentation use.
type spec struct {
	name      string
	value     string // PromQL of the number shown
	total     string // PromQL of what value should be; empty if there is no such number
	last      string // PromQL of the Unix time of the last success
	unit      string
	component string // supervised part, if any: see inframind_component_state
}

var specs = []spec{
	{
		name:  "targets up",
		value: `count(up == 1)`, total: `count(up)`,
		last: `max(timestamp(up == 1))`, unit: "targets",
	},
	{
		name:  "host metrics",
		value: `sum(scrape_samples_scraped{job="node"})`,
		last:  `max(timestamp(up{job="node"} == 1))`, unit: "series of this machine",
	},
	{
		name:  "log lines stored",
		value: `sum(inframind_logstore_written_total{index="logs"})`,
		last:  `max(inframind_logstore_last_write_timestamp_seconds{index="logs"})`, unit: "lines since the start", component: "logs",
	},
	{
		name: "forecasts made",
		// Without a week of history there is nothing to forecast, which is no failure.
		value: `count(forecast_model_info) or sum(forecaster_last_run_items{outcome="written"})`,
		last:  `max(forecaster_last_success_timestamp_seconds)`, unit: "series forecast", component: "forecaster",
	},
	{
		name:  "anomalies found",
		value: `sum(anomaly_scorer_findings)`,
		last:  `max(anomaly_scorer_last_success_timestamp_seconds)`, unit: "findings of the last day", component: "anomaly-scorer",
	},
	{
		name:  "logs labelled",
		value: `sum(logs_classified_total) or sum(log_classifier_last_run_items{outcome="written"})`,
		last:  `max(log_classifier_last_success_timestamp_seconds)`, unit: "lines", component: "log-classifier",
	},
	{
		name:  "alerts firing",
		value: `count(ALERTS{alertstate="firing"}) or vector(0)`,
		last:  `max(prometheus_rule_group_last_evaluation_timestamp_seconds)`, unit: "alerts",
	},
	{
		// Over a day, since the counter begins anew with each process.
		name:  "alerts delivered",
		value: `sum(max_over_time(alert_webhook_delivery_attempts_total{outcome="delivered"}[1d]))`,
		last:  `max(max_over_time(alert_webhook_last_success_timestamp_seconds[1d]))`, unit: "notifications", component: "alert-webhook",
	},
}
