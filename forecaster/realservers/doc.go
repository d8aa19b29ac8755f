// Package realservers holds the tests against real servers: Prometheus, VictoriaMetrics,
// Thanos, Pushgateway and Elasticsearch. Each is skipped, and says so, where its server is
// missing.
package realservers
