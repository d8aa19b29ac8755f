// The anomaly-scorer finds scans, beacons, exfiltration, tunnels and whatever else is
// unusual in Zeek's logs, says why in words, and tells Prometheus.
package main

import (
	"os"
	"runtime/debug"

	"github.com/inframind/inframind/internal/cli"
)

func main() {
	if os.Getenv("GOGC") == "" {
		// Nearly all that is remembered stays: a fifth more work for half the garbage.
		debug.SetGCPercent(50)
	}
	app().Main()
}

func app() *cli.App {
	a := cli.New("anomaly-scorer", "Finds what is unusual in network traffic and metrics.")
	addRun(a)
	addTrain(a)
	addTable(a)
	addEvaluate(a)
	addSweep(a)
	addInject(a)
	addExplain(a)
	addFeedback(a)
	addCheckConfig(a)
	return a
}
