package dashboards

// Network shows what the anomaly-scorer found in connection records, and how far it can be
// trusted.
func Network() Dashboard {
	return base("inframind-network", "InfraMind network anomalies", "Scans, beacons, exfiltration, tunnels and the merely unusual.", []Panel{
		stat("Findings of high severity", "Of the last 24 hours; one scan is one finding.", "none", 1, 1, `sum(anomaly_scorer_findings{severity="high"})`),
		stat("Findings of medium severity", "Of the last 24 hours.", "none", 1, 10, `sum(anomaly_scorer_findings{severity="medium"})`),
		stat("Connections scored", "In the last run.", "none", 0, 0, `sum(anomaly_scorer_scored_connections)`),
		stat("Share flagged", "Of the last run's connections.", "percentunit", 0.1, 0.5, `max(anomaly_scorer_flagged_ratio)`),
		stat("Newest record", "How old the newest connection record is: whether the sensor still writes.", "s", 1800, 3600, `max(time() - anomaly_scorer_newest_record_timestamp_seconds)`),
		stat("Model's age", "Training runs every week; training_log.csv says why a newer model was not promoted.", "s", 14*86400, 30*86400,
			`max(time() - (anomaly_scorer_model_trained_timestamp_seconds > 0))`),
		series("Findings by detector", "Of the last 24 hours. Who, whom and why is in the index anomalies; `anomaly-scorer explain ID` shows the evidence.", "none",
			query(`sum by (detector, severity) (anomaly_scorer_findings) > 0`, "{{detector}} {{severity}}")),
		series("Connections flagged", "Of each run, by detector.", "none", query(`sum by (detector) (anomaly_scorer_flagged_connections)`, "{{detector}}")),
		table("Most suspicious sources", "Highest score of the last 24 hours by source address.", "percentunit", `sort_desc(max by (source) (anomaly_source_score_ratio))`),
		series("Score of the worst sources", "One line a source; at most 20 have one.", "percentunit", query(`max by (source) (anomaly_source_score_ratio)`, "{{source}}")),
		series("How well the scores separate", "Silhouette of flagged against other connections: 1 is apart, 0 is mixed.", "none", query(`anomaly_scorer_silhouette_ratio`, "silhouette")),
		series("Findings that people reviewed", "In the last seven days, by verdict (`anomaly-scorer feedback`).", "none",
			query(`sum by (verdict) (anomaly_scorer_reviewed_findings)`, "{{verdict}}")),
	})
}
