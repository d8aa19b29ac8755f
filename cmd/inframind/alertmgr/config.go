package alertmgr

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/config/receiver"
	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/inhibit"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/template"
	"github.com/prometheus/alertmanager/timeinterval"
	"github.com/prometheus/common/model"

	ourconfig "github.com/inframind/inframind/internal/config"
)

// Check reads alertmanager.yml at path with its templates and receivers. Its errors are
// *config.Error with file and line where the parser gives one.
func Check(path string) (*config.Config, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, &ourconfig.Error{File: path, Msg: "no such file", Hint: "make one with inframind init DIR"}
	}
	c, err := config.LoadFile(path)
	if err != nil {
		return nil, ourconfig.Locate(path, err)
	}
	if _, err := assemble(c, slog.New(slog.DiscardHandler)); err != nil {
		return nil, &ourconfig.Error{File: path, Msg: err.Error()}
	}
	return c, nil
}

// assembled is everything of a configuration that can be wrong, built without touching
// what runs.
type assembled struct {
	tmpl      *template.Template
	routes    *dispatch.Route
	receivers map[string][]notify.Integration
	intervals map[string][]timeinterval.TimeInterval
}

func assemble(c *config.Config, log *slog.Logger) (assembled, error) {
	tmpl, err := template.FromGlobs(c.Templates)
	if err != nil {
		return assembled{}, fmt.Errorf("templates: %w", err)
	}
	a := assembled{
		tmpl: tmpl, routes: dispatch.NewRoute(c.Route, nil),
		receivers: map[string][]notify.Integration{}, intervals: map[string][]timeinterval.TimeInterval{},
	}
	used := map[string]bool{}
	a.routes.Walk(func(r *dispatch.Route) { used[r.RouteOpts.Receiver] = true })
	for _, rc := range c.Receivers {
		if !used[rc.Name] {
			continue
		}
		integrations, err := receiver.BuildReceiverIntegrations(rc, tmpl, log)
		if err != nil {
			return assembled{}, fmt.Errorf("receiver %s: %w", rc.Name, err)
		}
		a.receivers[rc.Name] = integrations
	}
	for _, t := range c.MuteTimeIntervals {
		a.intervals[t.Name] = t.TimeIntervals
	}
	for _, t := range c.TimeIntervals {
		a.intervals[t.Name] = t.TimeIntervals
	}
	return a, nil
}

// apply replaces the routing, inhibition and notification parts by those of c.
func (s *Server) apply(c *config.Config) error {
	a, err := assemble(c, s.log)
	if err != nil {
		return err
	}
	a.tmpl.ExternalURL = s.opts.External
	// Nothing below can fail.
	s.inhibitor.Load().Stop()
	s.dispatcher.Load().Stop()
	inhibitor := inhibit.NewInhibitor(s.alerts, c.InhibitRules, s.log, s.recorder)
	noWait := func() time.Duration { return 0 } // peers would be waited for
	pipeline := s.pipeline.New(a.receivers, noWait, inhibitor, s.silencer, timeinterval.NewIntervener(a.intervals), s.groups, s.nflog, nil)
	s.api.Update(c, func(ctx context.Context, l model.LabelSet) {
		s.inhibitor.Load().Mutes(ctx, l)
		s.silencer.Mutes(ctx, l)
	})
	timeout := func(d time.Duration) time.Duration { return max(d, notifyTimeout) }
	d := dispatch.NewDispatcher(s.alerts, a.routes, pipeline, s.groups, timeout, groupsGC, nil, s.log, s.recorder, s.dispatch, a.tmpl)
	// The inhibitor is filled before the first notification can go out.
	s.wg.Go(inhibitor.Run)
	inhibitor.WaitForLoading()
	s.inhibitor.Store(inhibitor)
	s.wg.Go(func() { d.Run(s.started) })
	d.WaitForLoading()
	s.dispatcher.Store(d)
	return nil
}
