// The forecaster tells what capacity metrics will be in days and weeks, how sure that is,
// and when a threshold is crossed.
package main

import "github.com/inframind/inframind/internal/cli"

func main() {
	a := cli.New("forecaster", "Capacity forecasts from Prometheus data.")
	addCommands(a)
	a.Main()
}

func addCommands(a *cli.App) {
	addRun(a)
	addCheckConfig(a)
	addPredict(a)
	addBacktest(a)
	addExplain(a)
	addReview(a)
	addRollback(a)
	addServe(a)
}
