// The log-classifier labels log lines as critical, warning, informational or noise, finds
// their templates, and says why.
package main

import (
	"github.com/inframind/inframind/internal/cli"
)

func main() { app().Main() }

// app is the binary with all its commands.
func app() *cli.App {
	a := cli.New("log-classifier", "Labels log lines as critical, warning, informational or noise, and says why.\n\n"+
		"Works out of the box:  tail -F /var/log/syslog | log-classifier pipe")
	addPipe(a)
	addExplain(a)
	addTrain(a)
	addEvaluate(a)
	addRun(a)
	addReview(a)
	addExchange(a)
	addTemplates(a)
	addRollback(a)
	return a
}
