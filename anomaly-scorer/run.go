package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/inframind/inframind/anomaly-scorer/scorer"
	"github.com/inframind/inframind/internal/cli"
	"github.com/inframind/inframind/internal/config"
	"github.com/inframind/inframind/internal/httpserve"
	"github.com/inframind/inframind/internal/job"
	"github.com/inframind/inframind/internal/zeek"
)

// common are the flags that most commands have.
type common struct{ config, zeek, model, state string }

func (f *common) load() (scorer.Config, error) {
	var cfg scorer.Config
	if f.config != "" {
		if err := config.Load(f.config, &cfg); err != nil {
			return cfg, err
		}
	}
	if f.zeek != "" {
		cfg.Zeek.Dir = f.zeek
	}
	if f.model != "" {
		cfg.Model = f.model
	}
	if err := cfg.Validate(); err != nil {
		return cfg, cli.Usage(err)
	}
	return cfg, nil
}

type runFlags struct {
	common
	rows, findings, shard, listen, webConfig string
	once, dry                                bool
}

func addRun(a *cli.App) {
	var f runFlags
	cmd := a.Command("run", "Score what is new in the logs: once for cron, or each interval.\n\n"+
		"With --rows or --findings it scores all of --zeek from its beginning and writes files; no server and no state is needed.\n\n"+
		"Examples:\n"+
		"  anomaly-scorer run --once --zeek=/opt/zeek/logs --model=model.iforest --rows=rows.csv --findings=findings.jsonl\n"+
		"  anomaly-scorer run --config.file=anomaly-scorer.yml --state.dir=/var/lib/anomaly-scorer")
	cmd.Flag("config.file", "Configuration file.").StringVar(&f.config)
	cmd.Flag("zeek", "Directory of Zeek logs (or one file), instead of zeek.dir of the configuration.").StringVar(&f.zeek)
	cmd.Flag("model", "Model file that 'train' wrote.").StringVar(&f.model)
	cmd.Flag("state.dir", "Where the place in the logs and the memory are kept.").Default("data/anomaly-scorer").StringVar(&f.state)
	cmd.Flag("rows", "Write a CSV with the score of every connection here.").StringVar(&f.rows)
	cmd.Flag("findings", "Write the findings here, one JSON object a line.").StringVar(&f.findings)
	cmd.Flag("shard", "Write part i of n of the documents, as i/n; default from JOB_COMPLETION_INDEX and JOB_COMPLETIONS.").StringVar(&f.shard)
	cmd.Flag("web.listen-address", "Serve findings and take feedback on this address.").StringVar(&f.listen)
	cmd.Flag("web.config.file", "TLS and authentication for that, as for Prometheus exporters.").StringVar(&f.webConfig)
	cmd.Flag("once", "Run once and exit.").BoolVar(&f.once)
	cmd.Flag("dry-run", "Score, print what was found, write and push nothing.").BoolVar(&f.dry)
	a.Do(cmd, func(ctx context.Context, env cli.Env) error {
		cfg, err := f.load()
		if err != nil {
			return err
		}
		if cfg.Zeek.Dir == "" && cfg.Zeek.Index == "" && len(cfg.Metrics.Sets) == 0 {
			return cli.Usagef("nothing to read: give --zeek, or zeek.dir, zeek.index or metrics.sets in the configuration")
		}
		if f.rows != "" || f.findings != "" {
			return runFiles(ctx, env, cfg, f)
		}
		return runService(ctx, env, cfg, f)
	})
}

// runFiles scores files into files. These are whole before anything is printed: a reader of
// stdout that goes away, as head does, ends the process.
func runFiles(ctx context.Context, env cli.Env, cfg scorer.Config, f runFlags) error {
	sum, err := scoreFiles(ctx, env, cfg, f)
	if err != nil {
		return err
	}
	return printSummary(env.Stdout, sum)
}

func scoreFiles(ctx context.Context, env cli.Env, cfg scorer.Config, f runFlags) (sum scorer.Summary, err error) {
	var forest *scorer.Forest
	if cfg.Model != "" {
		if forest, err = scorer.LoadForest(cfg.Model, cfg.MaxEntries); err != nil {
			return sum, err
		}
		if forest == nil {
			return sum, cli.Usagef("model %s does not exist: make it with 'anomaly-scorer train --zeek=%s --model=%s'", cfg.Model, cfg.Zeek.Dir, cfg.Model)
		}
	}
	var sinks scorer.Sinks
	for _, out := range []struct {
		path string
		w    *io.Writer
	}{{f.rows, &sinks.Rows}, {f.findings, &sinks.Findings}} {
		if out.path == "" {
			continue
		}
		file, openErr := newOutput(out.path)
		if openErr != nil {
			return sum, openErr
		}
		defer func() { err = errors.Join(err, file.finish(err)) }()
		*out.w = file
	}
	bar := progress(env, "connections")
	defer func() { _ = bar.Finish() }()
	n := 0
	sinks.Conn = func(*zeek.Conn, *scorer.Verdict) {
		if n++; n%4096 == 0 {
			_ = bar.Add(4096) // only a picture
		}
	}
	sinks.Bad = func(o zeek.Origin, _ []byte, err error) { env.Log.Warn("skipped", "at", o.String(), "err", err) }
	return scorer.Files(ctx, cfg, cfg.Zeek.Dir, forest, sinks)
}

// output is a file that appears under its name only when it is whole. What is there and no
// plain file, such as a pipe or a device, is written to as it is.
type output struct {
	*os.File
	path string
}

func newOutput(path string) (*output, error) {
	if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", path, err)
		}
		return &output{File: f}, nil
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return nil, fmt.Errorf("create %s: %w", path, err)
	}
	return &output{File: f, path: path}, nil
}

func (o *output) finish(failed error) error {
	err := o.Close()
	if o.path == "" {
		return err
	}
	if failed != nil || err != nil {
		return errors.Join(err, os.Remove(o.Name()))
	}
	if err := os.Chmod(o.Name(), 0o644); err != nil {
		return err
	}
	return os.Rename(o.Name(), o.path)
}

// progress is a bar on a terminal and nothing elsewhere. It has no ticker of its own, which
// would race with Add.
func progress(env cli.Env, what string) *progressbar.ProgressBar {
	out := io.Discard
	visible := false
	if f, ok := env.Stderr.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		out, visible = f, true
	}
	return progressbar.NewOptions(-1, progressbar.OptionSetWriter(out), progressbar.OptionSetVisibility(visible), progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionThrottle(200*time.Millisecond),
		progressbar.OptionSetSpinnerChangeInterval(0), progressbar.OptionClearOnFinish())
}

func printSummary(w io.Writer, s scorer.Summary) error {
	share := 0.0
	if s.Connections > 0 {
		share = 100 * float64(s.Flagged) / float64(s.Connections)
	}
	fmt.Fprintf(w, "%d connections, %d flagged (%.2f %%), %d findings, %d malformed lines\n", s.Connections, s.Flagged, share, len(s.Findings), s.Malformed)
	if s.Dropped > 0 {
		fmt.Fprintf(w, "%d connections belong to findings beyond the 4,096 a day of a detector, which are left out\n", s.Dropped)
	}
	if len(s.Findings) == 0 {
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "SEVERITY\tDETECTOR\tSCORE\tSTART\tCONNECTIONS\tFINDING")
	for _, f := range s.Findings {
		fmt.Fprintf(t, "%s\t%s\t%.2f\t%s\t%d\t%s\n", f.Severity, f.Detector, f.Score, f.Start.Format(time.DateTime), f.Connections, f.Title)
	}
	return t.Flush()
}

// runService is the job: a cursor, a memory, documents and gauges.
func runService(ctx context.Context, env cli.Env, cfg scorer.Config, f runFlags) (err error) {
	shard, err := job.ShardFrom(f.shard)
	if err != nil {
		return cli.Usage(err)
	}
	store, err := openStore(cfg)
	if err != nil {
		return err
	}
	if store != nil {
		defer func() { err = errors.Join(err, store.Close()) }()
	}
	e, err := scorer.New(cfg, scorer.Options{Log: env.Log, StateDir: f.state, Shard: shard, Store: store, DryRun: f.dry})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	if f.listen != "" {
		stop, err := httpserve.Start(env.Log, f.listen, f.webConfig, e.Handler())
		if err != nil {
			return err
		}
		defer stop()
	}
	pub := e.Publisher()
	if f.dry {
		pub = nil
	}
	do := func(ctx context.Context) error { return job.Once(ctx, env.Log, e.Metrics(), pub, e.RunOnce) }
	if f.once || f.dry {
		return do(ctx)
	}
	job.Every(ctx, time.Duration(cfg.Interval), do)
	return nil
}
