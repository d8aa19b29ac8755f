package walk

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/gosnmp/gosnmp"

	"github.com/inframind/inframind/exporters/snmp_exporter/conf"
)

// Reasons a column is incomplete.
var (
	ErrNotIncreasing = errors.New("the device repeats OIDs (see allow_nonincreasing_oids)")
	ErrEndless       = errors.New("too many rows")
	ErrDeviceError   = errors.New("the device reports an error")
)

// maxRows bounds a column, maxValues a whole walk: a device can count upwards for ever.
const (
	maxRows   = 200_000
	maxValues = 4_000_000
)

// giveUp is after how many groups in a row that got no answer the device is taken for dead.
const giveUp = 3

// walker runs one plan with several workers.
type walker struct {
	c      *Client
	plan   *plan
	params Params

	mu       sync.Mutex
	wake     *sync.Cond
	queue    []*group // groups to go on with
	flying   int
	values   int
	silences int
	doubts   int // big requests that got no answer
	fatal    error
}

// Walk fetches cols. Columns that fail carry an error, the others are whole. The error of Walk
// itself is set if the device did not answer at all, or stopped answering: what was read until
// then is still returned.
func (c *Client) Walk(ctx context.Context, p Params, cols []Column) ([]Walked, error) {
	w := &walker{c: c, plan: newPlan(cols, c.opts.Device), params: p}
	w.wake = sync.NewCond(&w.mu)
	stop := context.AfterFunc(ctx, func() { w.mu.Lock(); w.wake.Broadcast(); w.mu.Unlock() })
	defer stop()

	// The first request goes alone: it finds out whether anybody is there, and who.
	if g := w.take(ctx); g != nil {
		if conn, err := c.conn(ctx, 0); err != nil {
			w.fail(g, err, true)
		} else {
			w.step(ctx, conn, g)
		}
	}
	var wg sync.WaitGroup
	for i := range min(c.opts.InFlight, len(w.plan.cols)) {
		wg.Go(func() { w.work(ctx, i) })
	}
	wg.Wait()

	out := make([]Walked, 0, len(w.plan.cols))
	for _, col := range w.plan.cols {
		if !col.done && col.err == nil {
			col.err = w.unfinished(ctx)
		}
		out = append(out, Walked{OID: col.OID, Rows: col.rows, Unreadable: col.bad, Err: col.err})
	}
	return out, w.fatal
}

func (w *walker) unfinished(ctx context.Context) error {
	if w.fatal != nil {
		return w.fatal
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("deadline of the scrape: %w", err)
	}
	return ErrEndless // the walk as a whole grew too large
}

func (w *walker) work(ctx context.Context, i int) {
	for {
		g := w.take(ctx)
		if g == nil {
			return
		}
		conn, err := w.c.conn(ctx, i)
		if err != nil {
			w.fail(g, err, true)
			continue
		}
		w.step(ctx, conn, g)
	}
}

// take waits for a group to ask for; nil when the walk is over.
func (w *walker) take(ctx context.Context) *group {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		if w.fatal != nil || ctx.Err() != nil || w.values > maxValues {
			return nil
		}
		// New columns before old ones: all groups then end at about the same time.
		if g := w.plan.pick(w.budget(), w.c.version1()); g != nil {
			w.flying++
			return g
		}
		if len(w.queue) > 0 {
			g := w.queue[0]
			w.queue = w.queue[1:]
			w.flying++
			return g
		}
		if w.flying == 0 {
			return nil
		}
		w.wake.Wait()
	}
}

func (w *walker) budget() int {
	n := w.c.opts.Device.budget()
	if w.params.MaxRepetitions > 0 && w.params.MaxRepetitions < conf.DefaultMaxRepetitions {
		n = min(n, int(w.params.MaxRepetitions))
	}
	if w.c.version1() {
		n = min(n, 10) // GETNEXT: one varbind a column
	}
	return n
}

func (c *Client) version1() bool { return c.opts.Auth.Version == 1 }

// step sends one request of g and takes in the answer.
func (w *walker) step(ctx context.Context, conn *gosnmp.GoSNMP, g *group) {
	oids := make([]string, len(g.cols))
	for i, c := range g.cols {
		oids[i] = c.next
	}
	reps := max(1, min(g.reps, w.budgetNow()/len(oids)))
	params := w.params
	if reps*len(oids) > 8 {
		// A response that may be too big for the device's path is given up sooner, and made smaller.
		params.Retries = min(1, params.Retries)
	}
	pkt, err := w.c.ask(ctx, conn, params, func() (*gosnmp.SnmpPacket, error) {
		if w.c.version1() {
			return conn.GetNext(oids)
		}
		return conn.GetBulk(oids, 0, uint32(reps))
	})
	switch {
	case err != nil:
		w.silent(ctx, g, reps, err)
	case pkt.Error == gosnmp.NoError:
		w.answer(g, reps, pkt.Variables)
	default:
		w.refused(g, reps, pkt)
	}
}

func (w *walker) budgetNow() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.budget()
}

// answer sorts the varbinds of a response, which repeat the columns in turn, into them. asked is
// how many repetitions were asked for.
func (w *walker) answer(g *group, asked int, vars []gosnmp.SnmpPDU) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.silences = 0
	ended := make([]bool, len(g.cols))
	for i := range vars {
		j := i % len(g.cols)
		if ended[j] {
			continue
		}
		ended[j] = !g.cols[j].take(w.plan, &vars[i], w.params, maxRows)
	}
	w.values += len(vars)
	keep := g.cols[:0]
	for j, c := range g.cols {
		if !ended[j] { // also those that a short response did not reach
			keep = append(keep, c)
			continue
		}
		c.busy = false
		w.plan.ended(c)
	}
	if len(keep) == len(g.cols) && len(vars) >= len(keep)*asked {
		g.reps = mostVarbinds // the table is long: as much as the budget allows
		w.c.opts.Device.sent(len(vars))
	}
	if len(vars) == 0 {
		for _, c := range keep {
			c.done, c.busy, c.err = true, false, ErrDeviceError
		}
		keep = nil
	}
	g.cols = keep
	w.flying--
	switch {
	case g.first:
		for _, c := range g.cols {
			c.busy = false
		}
	case len(g.cols) > 0:
		w.queue = append(w.queue, g)
	}
	w.wake.Broadcast()
}

// refused handles an error status: SNMPv1 says noSuchName at the end of a column, any version
// tooBig when the response does not fit.
func (w *walker) refused(g *group, reps int, pkt *gosnmp.SnmpPacket) {
	bad := int(pkt.ErrorIndex) - 1
	if len(g.cols) == 1 {
		bad = 0
	}
	if pkt.Error == gosnmp.NoSuchName && bad >= 0 && bad < len(g.cols) {
		w.mu.Lock()
		defer w.mu.Unlock()
		c := g.cols[bad]
		c.done, c.busy = true, false
		if !w.params.AllowNonIncreasing {
			w.plan.passed(c, "")
		}
		g.cols = append(g.cols[:bad:bad], g.cols[bad+1:]...)
		w.flying--
		if len(g.cols) > 0 {
			w.queue = append(w.queue, g)
		}
		w.wake.Broadcast()
		return
	}
	if used := reps * len(g.cols); pkt.Error == gosnmp.TooBig && used > 1 {
		w.c.opts.Device.reduce(used)
	}
	w.smaller(g, reps, fmt.Errorf("%w: %s", ErrDeviceError, pkt.Error))
}

// silent handles a request without a usable answer.
func (w *walker) silent(ctx context.Context, g *group, reps int, err error) {
	heard := w.c.usable.Load() > 0
	if !heard || ctx.Err() != nil || errors.Is(err, ErrLogin) {
		w.fail(g, err, ctx.Err() == nil)
		return
	}
	w.smaller(g, reps, err)
}

// smaller asks for less: fewer repetitions, then single columns, then it gives the column up.
func (w *walker) smaller(g *group, reps int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	// One big request without an answer may be bad luck, two are a device that cannot send so much.
	if used := reps * len(g.cols); errors.Is(err, ErrNoAnswer) && used > 8 {
		if w.doubts++; w.doubts > 1 {
			w.c.opts.Device.reduce(used)
		}
	}
	w.flying--
	defer w.wake.Broadcast()
	switch {
	case reps > 1 && len(g.cols) == 1:
		g.reps = max(1, reps/4)
		w.queue = append(w.queue, g)
	case len(g.cols) > 1:
		half := len(g.cols) / 2
		w.queue = append(w.queue,
			&group{cols: g.cols[:half:half], reps: max(1, reps/2)},
			&group{cols: g.cols[half:], reps: max(1, reps/2)})
	case len(g.cols) == 1:
		c := g.cols[0]
		c.done, c.busy, c.err = true, false, err
		if !errors.Is(err, ErrNoAnswer) {
			return
		}
		if w.silences++; w.silences >= giveUp {
			w.fatal = fmt.Errorf("the device stopped answering: %w", err)
		}
	}
}

// fail gives g up, and the whole walk if all is set.
func (w *walker) fail(g *group, err error, all bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range g.cols {
		c.busy, c.err = false, err
	}
	if all && w.fatal == nil {
		w.fatal = err
	}
	w.flying--
	w.wake.Broadcast()
}
