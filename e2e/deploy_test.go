//go:build e2e

package e2e

import (
	"bufio"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestDeployedCommandsAreUnderstood runs every command of the crontab and of the systemd
// units with --help behind it: a flag that does not exist is a usage error.
func TestDeployedCommandsAreUnderstood(t *testing.T) {
	commands := deployed(t)
	if len(commands) < 7 {
		t.Fatalf("%d commands found in deploy/", len(commands))
	}
	for _, c := range commands {
		words := strings.Fields(c)
		name := filepath.Base(words[0])
		if code, _, stderr := run(t, time.Minute, binary(t, name), append(words[1:], "--help")...); code != 0 {
			t.Errorf("%s: status %d: %s", c, code, stderr)
		}
	}
}

func deployed(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../deploy/systemd/*.service")
	if err != nil {
		t.Fatal(err)
	}
	command := regexp.MustCompile(`^ExecStart=(.*)$|^[0-9*/]+ [0-9*/]+ \* \* \* +inframind +(.*)$`)
	var out []string
	for _, path := range append(files, "../deploy/cron/inframind") {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		for sc := bufio.NewScanner(f); sc.Scan(); {
			if m := command.FindStringSubmatch(sc.Text()); m != nil {
				out = append(out, m[1]+m[2])
			}
		}
		f.Close()
	}
	return out
}
