package hw

// Describe gives a family's help and type for exporters that write exposition text
// themselves. ok is false for a metric that is not in the schema.
func Describe(m Metric) (help string, counter, ok bool) {
	for _, r := range table() {
		if r.metric == m {
			return r.help, r.counter, true
		}
	}
	return "", false, false
}

// States are the values of the label state, in the order of SendStatus.
func States() [5]string { return [5]string{OK, Degraded, Failed, PredictedFailure, Unknown} }
