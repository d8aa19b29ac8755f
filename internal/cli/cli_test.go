package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/inframind/inframind/internal/config"
)

func TestRunExitStatus(t *testing.T) {
	for _, tc := range []struct {
		name string
		args []string
		err  error
		want int
		msg  string
	}{
		{"done", []string{"go"}, nil, ExitOK, ""},
		{"failed", []string{"go"}, errors.New("disk full"), ExitFailed, "tool: disk full"},
		{"usage", []string{"go"}, fmt.Errorf("x: %w", Usagef("bad shard")), ExitUsage, "tool: x: bad shard"},
		{"config", []string{"go"}, &config.Error{File: "a.yml", Line: 3, Msg: "unknown field"}, ExitUsage, "tool: a.yml:3: unknown field"},
		{"unknown flag", []string{"go", "--nope"}, nil, ExitUsage, "unknown long flag '--nope'"},
		{"unknown command", []string{"stay"}, nil, ExitUsage, "Try 'tool --help'"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := New("tool", "A tool.")
			a.Do(a.Command("go", "Go."), func(context.Context, Env) error { return tc.err })
			var stderr bytes.Buffer
			if got := a.Run(tc.args, strings.NewReader(""), &bytes.Buffer{}, &stderr); got != tc.want {
				t.Errorf("status %d, want %d", got, tc.want)
			}
			if !strings.Contains(stderr.String(), tc.msg) {
				t.Errorf("stderr %q lacks %q", stderr.String(), tc.msg)
			}
		})
	}
}
