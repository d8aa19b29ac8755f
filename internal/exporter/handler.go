package exporter

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const textFormat = "text/plain; version=0.0.4; charset=utf-8"

// defaultTimeout is the deadline of a probe whose caller names none.
const defaultTimeout = 30 * time.Second

// timeout is how long the probe may take: what Prometheus grants minus offset, which leaves
// time to send the answer.
func timeout(h http.Header, offset time.Duration) time.Duration {
	s, err := strconv.ParseFloat(h.Get("X-Prometheus-Scrape-Timeout-Seconds"), 64)
	if err != nil || !(s > 0 && s <= 3600) { // NaN is neither
		return defaultTimeout
	}
	d := time.Duration(s * float64(time.Second))
	if d <= 2*offset {
		return d / 2
	}
	return d - offset
}

// request is a /probe request after all checks of the caller's part.
type request struct {
	target  string
	modules []string
	auth    string
	params  map[string]string
	debug   bool
}

// parse checks the parameters; its error is for the caller, with what exists.
func (g *generation) parse(q url.Values) (request, error) {
	r := request{target: strings.TrimSpace(q.Get("target")), auth: q.Get("auth"), debug: q.Get("debug") == "true"}
	if len(q["target"]) > 1 {
		return r, fmt.Errorf("parameter \"target\" is given %d times", len(q["target"]))
	}
	if err := checkTarget(r.target); err != nil {
		return r, err
	}
	if !g.conf.allowed(r.target) {
		return r, fmt.Errorf("target %q is not allowed; see targets.allow in the configuration", Host(r.target))
	}
	for _, name := range g.params {
		if v := q.Get(name); v != "" {
			if r.params == nil {
				r.params = map[string]string{}
			}
			r.params[name] = v
		}
	}
	modules, driverAuths := g.driver.Names()
	for _, v := range q["module"] {
		for m := range strings.SplitSeq(v, ",") {
			if m = strings.TrimSpace(m); m == "" || slices.Contains(r.modules, m) {
				continue
			}
			if !slices.Contains(modules, m) {
				return r, fmt.Errorf("unknown module %q; known: %s", m, shortList(modules))
			}
			r.modules = append(r.modules, m)
		}
	}
	auths := append(sortedKeys(g.conf.Auths), driverAuths...)
	if r.auth != "" && !slices.Contains(auths, r.auth) {
		return r, fmt.Errorf("unknown auth %q; known: %s", r.auth, shortList(auths))
	}
	return r, nil
}

// checkTarget refuses what is no target, without quoting a secret in it.
func checkTarget(target string) error {
	switch {
	case target == "":
		return fmt.Errorf("parameter \"target\" is missing, e.g. /probe?target=192.0.2.7")
	case len(target) > 512:
		return fmt.Errorf("parameter \"target\" is longer than 512 bytes")
	case strings.Contains(target, "@"):
		return fmt.Errorf("a target must not hold a user or password; name a credential with auth=")
	case strings.ContainsAny(target, " \t\r\n\"'<>\\?#"):
		return fmt.Errorf("parameter \"target\" is not a host, host:port or URL")
	case Host(target) == "":
		return fmt.Errorf("parameter \"target\" names no host")
	}
	return nil
}

func shortList(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	if len(names) > 100 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:100], ", "), len(names)-100)
	}
	return strings.Join(names, ", ")
}

// probe answers /probe.
func (s *server) probe(w http.ResponseWriter, r *http.Request) {
	g := s.enter()
	defer g.leave()
	req, err := g.parse(r.URL.Query())
	if err != nil {
		s.metrics.probes.WithLabelValues("refused").Inc()
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout(r.Header, s.opts.TimeoutOffset))
	defer cancel()
	if req.debug {
		report, _ := g.debug(ctx, s.spec.Namespace, req, false)
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write(report)
		return
	}
	start := time.Now()
	parts := []string{req.target, strings.Join(req.modules, ","), req.auth}
	for _, name := range g.params {
		parts = append(parts, req.params[name])
	}
	key := strings.Join(parts, "\x00")
	res, merged := g.flights.do(ctx, key, req.target, func(ctx context.Context) Result {
		s.metrics.inFlight.Inc()
		defer s.metrics.inFlight.Dec()
		return g.run(ctx, s.spec.Namespace, req, s.log, NewTrace(false))
	})
	if res.Text == nil {
		res = down(s.spec.Namespace, res.Err, time.Since(start), s.log)
	}
	s.metrics.observe(res, merged, time.Since(start))
	res.Text.serve(w, r)
}

// run resolves the credential and probes.
func (g *generation) run(ctx context.Context, namespace string, req request, log *slog.Logger, tr *Trace) Result {
	p := &Probe{Target: req.target, Modules: req.modules, Params: req.params, Log: log, Trace: tr}
	start := time.Now()
	if req.auth != "" && g.conf.Auths[req.auth] == nil {
		p.Auth = Credential{Name: req.auth} // one of the driver's own
		return run(ctx, g.driver, namespace, p)
	}
	var err error
	if p.Auth, err = g.conf.credential(ctx, req.auth, req.target); err != nil {
		return down(namespace, err, time.Since(start), log)
	}
	if p.Auth.stale != nil {
		log.Warn("secret provider failed, its last answer is used", "target", req.target, "auth", p.Auth.Name, "err", p.Auth.stale)
	}
	res := run(ctx, g.driver, namespace, p)
	if a := g.conf.Auths[p.Auth.Name]; a != nil && Reason(res.Err) == ReasonUnauthorized {
		a.refused(req.target)
	}
	return res
}

// identityRE finds labels that identify a unit, or its owner.
var identityRE = regexp.MustCompile(`\b((?:\w+_)?(?:serial|serial_number|asset_tag|uuid))="(?:[^"\\]|\\.)+"`)

// debug probes once, apart from all others, and reports everything about it with secrets
// removed; with record, it records answers for an archive.
func (g *generation) debug(ctx context.Context, namespace string, req request, record bool) ([]byte, *Trace) {
	log, lines := debugLogger()
	tr := NewTrace(record)
	release, err := g.flights.acquire(ctx, req.target)
	var res Result
	if err == nil {
		res = g.run(ctx, namespace, req, log, tr)
		release()
	} else {
		res = down(namespace, Fail(ReasonBusy, err), 0, log)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "Probe of %s, modules %s, auth %q\n\n# Log\n%s\n# Requests\n", req.target, shortList(req.modules), req.auth, lines)
	tr.table(&b)
	fmt.Fprintf(&b, "\n# Metrics\n%s", res.Text)
	text := b.String()
	if record { // an archive leaves the house, as against ?debug=true
		text = identityRE.ReplaceAllString(text, `$1="redacted"`)
		tr.Hide(Host(req.target))
		text = tr.hidden(text)
	}
	// The credential is read again, without the probe's deadline, only to remove it.
	if c, err := g.conf.credential(context.WithoutCancel(ctx), req.auth, req.target); err == nil {
		text = Redact(text, c)
		for name, content := range tr.files {
			tr.files[name] = []byte(Redact(string(content), c))
		}
	}
	return []byte(text), tr
}
