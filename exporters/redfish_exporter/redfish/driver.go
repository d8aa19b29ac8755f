package redfish

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/inframind/inframind/internal/exporter"
	"github.com/inframind/inframind/internal/exporter/eventlog"
	"github.com/inframind/inframind/internal/exporter/hw"
)

const (
	// idleFor is how long a target that nobody scrapes keeps its session.
	idleFor    = 10 * time.Minute
	maxClients = 10_000
)

// Driver reads BMCs; it is the exporter.Driver of Redfish.
type Driver struct {
	conf    Config
	log     *slog.Logger
	schema  *hw.Schema
	logs    *shipper
	metrics *driverMetrics
	budget  budget        // of each scrape
	renew   time.Duration // of subscriptions

	push *receiver // of events that BMCs send; nil unless configured

	ctx  context.Context // ends at Close
	stop context.CancelFunc
	done sync.WaitGroup

	mu      sync.Mutex
	clients map[string]*client
}

// New makes a driver. conf has been validated; store receives event log entries and may
// be nil; it is closed with the driver when it is an io.Closer. Close ends the driver's
// goroutine and sessions.
func New(conf Config, log *slog.Logger, reg prometheus.Registerer, store eventlog.Store) (*Driver, error) {
	ctx, cancel := context.WithCancel(context.Background())
	d := &Driver{
		conf: conf, log: log, schema: hw.New("redfish"), metrics: newDriverMetrics(reg),
		ctx: ctx, stop: cancel, budget: budget{slowFree, healthFree}, renew: renewEvery, clients: map[string]*client{},
	}
	var err error
	if d.logs, err = newShipper(conf.Logs, store, log, reg, d.metrics); err != nil {
		cancel()
		return nil, err
	}
	if conf.Logs.Push != nil {
		d.push = newReceiver(conf.Logs.Push, log, d.metrics.posts, func(ctx context.Context, target string, events []logEntry) error {
			return d.logs.ship(ctx, target, nil, events)
		})
	}
	d.done.Go(func() { d.expire(ctx) })
	return d, nil
}

// Names implements exporter.Driver.
func (d *Driver) Names() (modules, auths []string) {
	modules = []string{"default"}
	for name := range d.conf.Modules {
		if name != "default" {
			modules = append(modules, name)
		}
	}
	return modules, nil
}

// Open implements exporter.Driver: it logs in and reads the tops of the tree.
func (d *Driver) Open(ctx context.Context, p *exporter.Probe) (*exporter.Device, error) {
	m, err := d.module(p.Modules)
	if err != nil {
		return nil, err
	}
	c, err := d.client(ctx, p, m)
	if err != nil {
		return nil, err
	}
	ctx = withTrace(ctx, p.Trace)
	s := newScrape(c, m, p, d.schema, d.budgetFor(ctx, p))
	if err := s.open(ctx); err != nil {
		s.close()
		d.release(c)
		return nil, err
	}
	d.follow(ctx, s)
	dev := &exporter.Device{Close: func() { s.close(); d.release(c) }}
	for _, unit := range collectors() {
		// Event logs are long: they are read when they go somewhere or are asked for.
		if !m.enabled(unit.name) || (unit.name == "logs" && !d.logs.out.Enabled() && len(m.Collectors) == 0) {
			continue
		}
		dev.Collectors = append(dev.Collectors, exporter.Collector{
			Name: unit.name,
			Collect: func(ctx context.Context, ch chan<- prometheus.Metric) error {
				ctx = withTrace(ctx, p.Trace)
				o := &sink{s: s, ch: ch}
				unit.collect(ctx, o)
				if unit.name == "logs" {
					o.fail(d.logs.ship(ctx, c.base.Host, s.logsRead, s.logEntries))
				}
				o.close(unit.name)
				return o.err()
			},
		})
	}
	return dev, nil
}

// ParamComplete is the parameter that, when "true", makes a probe read everything at once.
const ParamComplete = "complete"

// budgetFor is the driver's budget, less when the deadline is near. A recording is complete.
func (d *Driver) budgetFor(ctx context.Context, p *exporter.Probe) budget {
	if p.Trace.Recording() || p.Params[ParamComplete] == "true" {
		return unlimited()
	}
	b := d.budget
	if deadline, ok := ctx.Deadline(); ok {
		b.healthFree = min(b.healthFree, time.Until(deadline)*3/5)
	}
	return b
}

// module joins the named modules: the collectors of all, the rest of the first.
func (d *Driver) module(names []string) (*Module, error) {
	if len(names) == 0 {
		return d.conf.Modules["default"], nil
	}
	joined := *d.conf.Modules[names[0]]
	for _, name := range names[1:] {
		other := d.conf.Modules[name]
		if len(joined.Collectors) == 0 || len(other.Collectors) == 0 {
			joined.Collectors = nil
			continue
		}
		joined.Collectors = append(append([]string{}, joined.Collectors...), other.Collectors...)
	}
	return &joined, nil
}

// client finds the target's client or makes one. A changed credential makes a new one.
func (d *Driver) client(ctx context.Context, p *exporter.Probe, m *Module) (*client, error) {
	key := p.Target + "\x00" + p.Auth.Name + "\x00" + m.tlsKey()
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.clients[key]
	if c != nil && (c.cred.Username != p.Auth.Username || c.cred.Password != p.Auth.Password) {
		d.retire(ctx, c)
		delete(d.clients, key)
		c = nil
	}
	if c == nil {
		if len(d.clients) >= maxClients {
			return nil, exporter.Failf(exporter.ReasonBusy, "more than %d targets", maxClients)
		}
		var err error
		if c, err = newClient(p.Target, p.Auth, m, d.log, d.metrics.request); err != nil {
			return nil, err
		}
		d.clients[key] = c
	}
	c.mu.Lock()
	c.users++
	c.used = time.Now()
	c.mu.Unlock()
	return c, nil
}

func (d *Driver) release(c *client) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.users--
	c.used = time.Now()
}

// retire ends a client that is no longer used, apart from the scrape that noticed it.
func (d *Driver) retire(ctx context.Context, c *client) {
	d.done.Go(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		if err := c.close(ctx); err != nil {
			d.log.Warn("session may be left on the device", "err", err)
		}
	})
}

// expire ends the sessions of targets that nobody has scraped for a while.
func (d *Driver) expire(ctx context.Context) {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			d.expireIdle(ctx, now)
		}
	}
}

func (d *Driver) expireIdle(ctx context.Context, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for key, c := range d.clients {
		c.mu.Lock()
		idle := c.users == 0 && now.Sub(c.used) > idleFor
		c.mu.Unlock()
		if idle {
			delete(d.clients, key)
			d.retire(ctx, c)
		}
	}
}

// Close implements exporter.Driver: it deletes every session.
func (d *Driver) Close(ctx context.Context) error {
	d.stop()
	d.done.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	var wg sync.WaitGroup
	errs := make(chan error, len(d.clients))
	for key, c := range d.clients {
		delete(d.clients, key)
		wg.Go(func() { errs <- c.close(ctx) })
	}
	wg.Wait()
	close(errs)
	var all []error
	for err := range errs {
		all = append(all, err)
	}
	return errors.Join(errors.Join(all...), d.logs.out.Close())
}

// open reads the service root and the three collections under it. Services that answer
// nothing useful there are tried at the standard addresses.
func (s *scrape) open(ctx context.Context) error {
	login := make(chan error, 1)
	go func() { // at the first contact this saves a round trip
		_, _, err := s.c.login(ctx, -1)
		login <- err
	}()
	root, _, err := s.get(ctx, rootPath, urgent)
	rootTook := time.Since(s.start)
	if absent(err) { // some services know it only with a slash, and do not redirect
		root, err = s.request(ctx, rootPath+"/", urgent, "", options{})
	}
	loginErr := <-login
	if err != nil && unreachable(err) {
		return err
	}
	if loginErr != nil {
		return loginErr
	}
	s.foresee(ctx)
	if err == nil {
		s.root = root
		s.c.mu.Lock()
		s.c.expand.learn(root)
		s.c.selects.learn(root)
		s.sluggish = rootTook > coldRoot && s.c.expand.query == ""
		if link := root.link("Links.Sessions"); link != "" {
			if path, err := clean(link, s.c.base.Host); err == nil {
				s.c.sessions = path
			}
		}
		s.c.mu.Unlock()
	}
	tops := []struct {
		key   string
		nodes *[]Node
	}{{"Systems", &s.systems}, {"Chassis", &s.chassis}, {"Managers", &s.managers}}
	errs := make([]error, len(tops))
	var wg sync.WaitGroup
	for i, top := range tops {
		link := root.link(top.key)
		if link == "" {
			link = rootPath + "/" + top.key
		}
		wg.Go(func() { *top.nodes, _, errs[i] = s.members(ctx, link, urgent, false) })
	}
	wg.Wait()
	s.topErrs = [3]error(errs)
	if len(s.systems)+len(s.chassis)+len(s.managers) > 0 {
		return nil
	}
	for _, err := range errs {
		if err != nil && !absent(err) {
			return fmt.Errorf("read systems, chassis and managers: %w", err)
		}
	}
	if err == nil && s.root.has("RedfishVersion") {
		return nil // a service without any of them, e.g. a rack manager being set up
	}
	return exporter.Failf(exporter.ReasonProtocol, "no Redfish service answers there")
}

// unreachable says that nothing else needs to be tried.
func unreachable(err error) bool {
	var s *statusError
	if errors.As(err, &s) {
		return false
	}
	return exporter.Reason(err) != exporter.ReasonProtocol
}

// driverMetrics are the exporter's own, on /metrics.
type driverMetrics struct {
	requests *prometheus.CounterVec
	shipped  *prometheus.CounterVec
	posts    *prometheus.CounterVec
}

func newDriverMetrics(reg prometheus.Registerer) *driverMetrics {
	m := &driverMetrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "redfish_exporter_requests_total",
			Help: "Requests to BMCs by result: HTTP status or kind of failure.",
		}, []string{"result"}),
		shipped: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "redfish_exporter_log_entries_total",
			Help: "Event log entries passed on, by severity.",
		}, []string{"severity"}),
		posts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "redfish_exporter_event_deliveries_total",
			Help: "Deliveries of events by BMCs: accepted, busy (the BMC is to try again) or refused.",
		}, []string{"result"}),
	}
	reg.MustRegister(m.requests, m.shipped, m.posts)
	return m
}

func (m *driverMetrics) request(result string) { m.requests.WithLabelValues(result).Inc() }
