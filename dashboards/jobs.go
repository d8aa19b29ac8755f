package dashboards

// Jobs shows InfraMind itself: whether the jobs run, and whether alerts reach people.
func Jobs() Dashboard {
	return base("inframind-jobs", "InfraMind itself", "Whether the jobs run and the alerts reach people.", []Panel{
		stat("Undelivered", "Notifications waiting for a channel.", "none", 10, 100, `sum(alert_webhook_queue_length)`),
		stat("Oldest undelivered", "Age of the oldest notification that waits.", "s", 300, 3600, `max(alert_webhook_queue_oldest_age_seconds)`),
		stat("Dead letters", "Notifications that no retry could deliver; `alert-webhook list` shows them.", "none", 1, 10, `sum(alert_webhook_dead_letters)`),
		stat("Alerts received", "Since the start.", "none", 0, 0, `sum(alert_webhook_received_alerts_total)`),
		stat("Restarts", "Of parts of the all-in-one after a failure, in the last hour.", "none", 1, 5, `sum(increase(inframind_component_restarts_total[1h]))`),
		stat("Targets down", "Scrape targets that do not answer.", "none", 1, 2, `count(up == 0) or vector(0)`),
		series("Time since the last success", "Each job's schedule is its bound: an hour, ten minutes, five minutes.", "s",
			query(`time() - {__name__=~"(forecaster|anomaly_scorer|log_classifier)_last_success_timestamp_seconds"}`, "{{job}} {{shard}}")),
		series("Duration of the runs", "Of each job's last run.", "s",
			query(`{__name__=~"(forecaster|anomaly_scorer|log_classifier)_last_run_duration_seconds"}`, "{{job}} {{shard}}")),
		series("Work of the runs", "Series, connections and lines of each job's last run.", "none",
			query(`{__name__=~"(forecaster|anomaly_scorer|log_classifier)_last_run_items"}`, "{{job}} {{result}} {{shard}}")),
		series("Deliveries", "Attempts per minute by outcome.", "none",
			query(`sum by (channel, outcome) (rate(alert_webhook_delivery_attempts_total[$__rate_interval])) * 60`, "{{channel}} {{outcome}}")),
		table("Parts of the all-in-one", "The state each part is in.", "none", `max by (component, state) (inframind_component_state == 1)`),
		table("Alerts firing", "Every alert, with its severity.", "none", `count by (alertname, severity, instance) (ALERTS{alertstate="firing"})`),
	})
}
