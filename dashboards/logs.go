package dashboards

// Logs shows what the log-classifier made of the log lines, and whether its model still fits.
func Logs() Dashboard {
	d := base("inframind-logs", "InfraMind logs", "Which lines matter, on which hosts, and how sure the labels are.", []Panel{
		stat("Critical", "Lines of the last hour.", "none", 1, 20, `sum(increase(logs_classified_total{ml_category="critical",host=~"$host"}[1h]))`),
		stat("Warning", "Lines of the last hour.", "none", 100, 1000, `sum(increase(logs_classified_total{ml_category="warning",host=~"$host"}[1h]))`),
		stat("Templates", "Kinds of lines known.", "none", 0, 0, `sum(log_classifier_templates)`),
		stat("Waiting for review", "`log-classifier review --by-template`: one key each.", "none", 100, 500, `sum(log_classifier_review_backlog)`),
		stat("F1 of the model", "On what it was not trained on; see log-classifier train.", "percentunit", 0, 0, `min(log_classifier_model_f1_ratio)`),
		stat("Unread log bytes", "Written to files but not yet stored.", "bytes", 1e6, 1e8, `sum(log_tail_unread_bytes)`),
		series("Lines by class", "Lines per second.", "cps", query(`sum by (ml_category) (rate(logs_classified_total{host=~"$host"}[$__rate_interval]))`, "{{ml_category}}")),
		series("Critical and warning by host", "Lines per second of the ten worst hosts.", "cps",
			query(`topk(10, sum by (host) (rate(logs_classified_total{ml_category=~"critical|warning",host=~"$host"}[$__rate_interval])))`, "{{host}}")),
		table("Services with critical or warning lines", "Lines of the last hour. The lines are in the index logs-classified.", "none",
			`sort_desc(topk(20, sum by (host, service, ml_category) (increase(logs_classified_total{ml_category=~"critical|warning",host=~"$host"}[1h]))))`),
		series("New templates", "Kinds of lines never seen before, an hour.", "none", query(`sum(increase(log_classifier_new_templates_total[1h]))`, "new")),
		series("Mix of classes", "Recent lines beside the first that were seen here: a drift shows as a gap.", "percentunit",
			query(`log_classifier_class_mix_ratio`, "{{ml_category}} {{period}}")),
		series("Confidence", "Share of labels whose confidence is under .6: they go to review.", "percentunit",
			query(`sum(rate(log_classifier_confidence_ratio_bucket{le="0.6"}[1h])) / sum(rate(log_classifier_confidence_ratio_count[1h]))`, "under .6")),
		series("Unseen words", "Share of features of recent lines that training never saw.", "percentunit", query(`log_classifier_unseen_token_ratio`, "unseen")),
		series("Lines stored", "Per second, by index.", "cps", query(`sum by (index) (rate(inframind_logstore_written_total[$__rate_interval]))`, "{{index}}")),
	})
	d.Templating.List = []Variable{source("datasource", "Data source"), many("host", "Host", `label_values(logs_classified_total, host)`)}
	return d
}
