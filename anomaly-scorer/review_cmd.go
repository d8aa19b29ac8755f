package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"time"

	promconfig "github.com/prometheus/common/config"

	"github.com/inframind/inframind/anomaly-scorer/detect"
	"github.com/inframind/inframind/anomaly-scorer/scorer"
	"github.com/inframind/inframind/internal/cli"
	"github.com/inframind/inframind/internal/config"
	"github.com/inframind/inframind/internal/logstore"
	"github.com/inframind/inframind/internal/zeek"
)

// unlabelled scores without labels.
func unlabelled(ctx context.Context, f *common, forestOnly bool) (scores []float64, truth []bool, err error) {
	cfg, err := f.load()
	if err != nil {
		return nil, nil, err
	}
	if cfg.Zeek.Dir == "" {
		return nil, nil, cli.Usagef("--zeek is needed")
	}
	var forest *scorer.Forest
	if cfg.Model != "" {
		if forest, err = scorer.LoadForest(cfg.Model, cfg.MaxEntries); err != nil {
			return nil, nil, err
		}
	}
	_, err = scorer.Files(ctx, cfg, cfg.Zeek.Dir, forest, scorer.Sinks{Conn: func(_ *zeek.Conn, v *scorer.Verdict) {
		if forestOnly {
			scores = append(scores, v.Unusual)
		} else {
			scores = append(scores, v.Score)
		}
	}})
	return scores, nil, err
}

func addExplain(a *cli.App) {
	var f common
	var id, findings string
	cmd := a.Command("explain", "Say why a finding or a connection was flagged.\n\n"+
		"Examples:\n  anomaly-scorer explain --findings=findings.jsonl scan-4a855cc791dcfc20\n  anomaly-scorer explain --config.file=anomaly-scorer.yml conn-0011223344556677")
	cmd.Flag("config.file", "Configuration file, for the log store.").StringVar(&f.config)
	cmd.Flag("findings", "File that 'run --findings' wrote.").StringVar(&findings)
	cmd.Arg("id", "Id of the finding or connection.").Required().StringVar(&id)
	a.Do(cmd, func(ctx context.Context, env cli.Env) error {
		if findings != "" {
			x, err := findFinding(findings, id)
			if err != nil {
				return err
			}
			return explainFinding(env.Stdout, x)
		}
		d, err := f.document(ctx, id)
		if err != nil {
			return err
		}
		return explainDocument(env.Stdout, d)
	})
}

func findFinding(path, id string) (*detect.Finding, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // only read
	sc := bufio.NewScanner(file)
	sc.Buffer(nil, 1<<20)
	for n := 1; sc.Scan(); n++ {
		var x detect.Finding
		if err := json.Unmarshal(sc.Bytes(), &x); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		if x.ID == id {
			return &x, nil
		}
	}
	return nil, errors.Join(sc.Err(), fmt.Errorf("%s holds no finding %s", path, id))
}

func explainFinding(w io.Writer, x *detect.Finding) error {
	fmt.Fprintf(w, "%s\n  %s, severity %s, score %.2f, %d connections, %s to %s\n", x.Title, x.Kind, x.Severity, x.Score, x.Connections,
		x.Start.Format(time.DateTime), x.End.Format(time.DateTime))
	for _, r := range x.Reasons {
		fmt.Fprintf(w, "  - %s\n", r)
	}
	for i := range min(5, len(x.Lines)) {
		fmt.Fprintf(w, "  %s %s\n", x.Lines[i], x.UIDs[i])
	}
	return nil
}

func (f *common) document(ctx context.Context, id string) (d logstore.Document, err error) {
	cfg, err := f.load()
	if err != nil {
		return d, err
	}
	store, err := openStore(cfg)
	if err != nil {
		return d, err
	}
	if store == nil {
		return d, cli.Usagef("no log store: name a --config.file with elasticsearch, or --findings")
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	d, ok, err := store.Get(ctx, logstore.IndexAnomalies, id)
	if err == nil && !ok {
		err = fmt.Errorf("no document %s in %s", id, logstore.IndexAnomalies)
	}
	return d, err
}

func explainDocument(w io.Writer, d logstore.Document) error {
	fmt.Fprintf(w, "%s\n", d.Message)
	for _, k := range slices.Sorted(maps.Keys(d.Fields)) {
		fmt.Fprintf(w, "  %-28s %v\n", k, d.Fields[k])
	}
	return nil
}

func addFeedback(a *cli.App) {
	var f common
	var id, verdict, findings, url, httpConfig string
	cmd := a.Command("feedback", "Tell whether a finding was right. A false one is not told again for the same source, destination and service.\n\n"+
		"Examples:\n  anomaly-scorer feedback --state.dir=/var/lib/anomaly-scorer --findings=findings.jsonl scan-4a855cc791dcfc20 false\n"+
		"  anomaly-scorer feedback --url=http://127.0.0.1:9713 scan-4a855cc791dcfc20 true")
	cmd.Flag("config.file", "Configuration file, for the log store.").StringVar(&f.config)
	cmd.Flag("state.dir", "The scorer's state directory.").Default("data/anomaly-scorer").StringVar(&f.state)
	cmd.Flag("findings", "File that 'run --findings' wrote.").StringVar(&findings)
	cmd.Flag("url", "A running scorer's address, instead of its state directory.").StringVar(&url)
	cmd.Flag("http.config.file", "How to reach --url: authentication and TLS, as for promtool.").StringVar(&httpConfig)
	cmd.Arg("id", "Id of the finding or connection.").Required().StringVar(&id)
	cmd.Arg("verdict", "true or false.").Required().EnumVar(&verdict, "true", "false")
	a.Do(cmd, func(ctx context.Context, env cli.Env) error {
		if url != "" {
			return postFeedback(ctx, url, httpConfig, id, verdict == "true")
		}
		j := scorer.Judgement{ID: id, Right: verdict == "true", Time: time.Now().UTC()}
		if findings != "" {
			x, err := findFinding(findings, id)
			if err != nil {
				return err
			}
			j.Detector, j.Source, j.Destination, j.Service, j.Score = x.Detector, x.Source, x.Destination, x.Service, x.Score
		} else {
			d, err := f.document(ctx, id)
			if err != nil {
				return err
			}
			j.About(d)
		}
		fb, err := scorer.OpenFeedback(f.state)
		if err != nil {
			return err
		}
		if err := fb.Add(j); err != nil {
			return err
		}
		right, wrong := fb.Week(time.Now())
		fmt.Fprintf(env.Stdout, "stored; of the last 7 days' %d reviewed, %d were right\n", right+wrong, right)
		return nil
	})
}

func postFeedback(ctx context.Context, url, httpConfig, id string, right bool) error {
	cfg := &promconfig.DefaultHTTPClientConfig
	if httpConfig != "" {
		var err error
		if cfg, _, err = promconfig.LoadHTTPConfigFile(httpConfig); err != nil {
			return cli.Usage(fmt.Errorf("%s: %w", httpConfig, err))
		}
	}
	client, err := promconfig.NewClientFromConfig(*cfg, "feedback")
	if err != nil {
		return cli.Usage(err)
	}
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	body, err := json.Marshal(map[string]any{"id": id, "right": right})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/api/v1/feedback", bytes.NewReader(body))
	if err != nil {
		return cli.Usage(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("feedback: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 512)) // best effort: only for the message
		return fmt.Errorf("feedback: %s: %s", resp.Status, bytes.TrimSpace(text))
	}
	return nil
}

func addCheckConfig(a *cli.App) {
	var file string
	cmd := a.Command("check-config", "Check a configuration file.")
	cmd.Flag("config.file", "Configuration file.").Default("anomaly-scorer.yml").StringVar(&file)
	a.Do(cmd, func(_ context.Context, env cli.Env) error {
		var cfg scorer.Config
		if err := config.Load(file, &cfg); err != nil {
			return err
		}
		fmt.Fprintf(env.Stdout, "%s is valid: %d metric sets, %d allowed behaviours\n", file, len(cfg.Metrics.Sets), len(cfg.Allow))
		return nil
	})
}
