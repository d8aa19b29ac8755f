package app

import (
	"context"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/inframind/inframind/cmd/inframind/demo"
	"github.com/inframind/inframind/cmd/inframind/supervise"
	"github.com/inframind/inframind/internal/tail"
)

// source is a set of logs that one Tailer follows.
type source struct {
	part   string // name of the supervised part and of its state directory
	off    bool
	config tail.Config
}

// sources are this machine's logs and, in the demo, the invented ones.
func (a *App) sources() []source {
	l := a.config.Logs
	out := []source{{part: "logs", off: len(l.Files) == 0 && !*l.Journal && l.Listen == "", config: tail.Config{Files: l.Files, Journal: *l.Journal, Listen: l.Listen}}}
	if a.opts.Demo {
		out = append(out, source{part: "logs-demo", config: tail.Config{
			Files: []string{demo.SyslogFile(demoDir(a.opts.DataDir))}, Labels: map[string]string{"demo": "true"},
		}})
	}
	return out
}

// launchLogs starts a Tailer for every source.
func (a *App) launchLogs() {
	for _, s := range a.sources() {
		if s.off {
			a.parts.Off(s.part)
			continue
		}
		s.config.StateDir = filepath.Join(a.opts.DataDir, s.part+"-positions")
		a.jobs = append(a.jobs, a.parts.Start(a.jobsCtx, s.part, func(ctx context.Context, p *supervise.Part) error {
			return a.follow(ctx, p, s)
		}))
	}
}

// follow runs one Tailer until ctx ends.
func (a *App) follow(ctx context.Context, p *supervise.Part, s source) error {
	t, err := tail.New(s.config, a.store, a.log.With("component", s.part))
	if err != nil {
		return err
	}
	reg := prometheus.WrapRegistererWith(prometheus.Labels{"source": s.part}, a.registry)
	if err := reg.Register(t); err != nil { // the lines matter more
		a.log.Error("logs are followed without metrics", "component", s.part, "err", err)
	}
	defer reg.Unregister(t)
	p.OK()
	return t.Run(ctx)
}
