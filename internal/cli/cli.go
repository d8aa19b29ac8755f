// Package cli gives every binary the same shape: kingpin flags and commands, slog from
// promslog, a context that ends on SIGINT or SIGTERM, and the exit codes
// 0 (done), 1 (failed), 2 (wrong usage or configuration).
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/common/promslog/flag"
	"github.com/prometheus/common/version"

	"github.com/inframind/inframind/internal/config"
)

// Exit statuses of every binary.
const (
	ExitOK     = 0
	ExitFailed = 1
	ExitUsage  = 2
)

// Env is what a command gets from the process it runs in.
type Env struct {
	Log    *slog.Logger
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
}

// Action runs one command. An error made by Usage, or a *config.Error, ends the process
// with status 2; any other error with status 1.
type Action func(ctx context.Context, env Env) error

// App is one binary: its flags and its commands.
type App struct {
	*kingpin.Application
	log     promslog.Config
	actions map[string]Action
}

// longHelp shows a command's HelpLong, where the examples are, below its flags.
const longHelp = `{{if .Context.SelectedCommand}}{{if .Context.SelectedCommand.HelpLong}}
{{.Context.SelectedCommand.HelpLong}}
{{end}}{{end -}}`

// New starts a binary called name. help is the first line people see.
func New(name, help string) *App {
	a := &App{Application: kingpin.New(name, help), actions: map[string]Action{}}
	flag.AddFlags(a.Application, &a.log)
	a.Version(version.Print(name))
	a.HelpFlag.Short('h')
	a.UsageWriter(os.Stdout)
	a.UsageTemplate(kingpin.DefaultUsageTemplate + longHelp)
	return a
}

// Do registers what cmd does. The clause is returned by kingpin's Command.
func (a *App) Do(cmd *kingpin.CmdClause, do Action) { a.actions[cmd.FullCommand()] = do }

// Main runs the process and does not return.
func (a *App) Main() { os.Exit(a.Run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// Run parses args, runs the chosen command and returns the exit status.
func (a *App) Run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	cmd, err := a.Parse(args)
	if err != nil {
		fmt.Fprintf(stderr, "%s: %s\nTry '%s --help'.\n", a.Name, err, a.Name)
		return ExitUsage
	}
	a.log.Writer = stderr
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	do, ok := a.actions[cmd]
	if !ok {
		fmt.Fprintf(stderr, "%s: %s needs a subcommand\nTry '%s %s --help'.\n", a.Name, cmd, a.Name, cmd)
		return ExitUsage
	}
	err = do(ctx, Env{Log: promslog.New(&a.log), Stdin: stdin, Stdout: stdout, Stderr: stderr})
	if err == nil {
		return ExitOK
	}
	fmt.Fprintf(stderr, "%s: %s\n", a.Name, err)
	return ExitCode(err)
}

type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// Usage marks err as the caller's mistake: exit status 2.
func Usage(err error) error { return usageError{err} }

// Usagef is Usage(fmt.Errorf(...)).
func Usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// ExitCode maps an error to the exit status it ends a binary with.
func ExitCode(err error) int {
	var u usageError
	var c *config.Error
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &u), errors.As(err, &c):
		return ExitUsage
	default:
		return ExitFailed
	}
}
