// Package trap receives SNMP traps and informs, decodes them by the MIBs, and hands them to the
// log store and to counters.
package trap

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/gosnmp/gosnmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/inframind/inframind/exporters/snmp_exporter/conf"
	"github.com/inframind/inframind/exporters/snmp_exporter/mib"
	"github.com/inframind/inframind/exporters/snmp_exporter/walk"
	"github.com/inframind/inframind/internal/logstore"
)

// Options of a Receiver.
type Options struct {
	// Auths are who may send: communities of versions 1 and 2c, users of version 3.
	Auths []*conf.Auth
	MIBs  *mib.Tree      // nil decodes the generic traps only
	Store logstore.Store // nil keeps nothing
	Log   *slog.Logger
	// Notify, when set, is told of every event that was accepted.
	Notify func(Event)
}

// maxNames bounds the label name; events beyond it count as "other".
const maxNames = 200

// Reasons for which a packet is dropped.
const (
	dropMalformed = "malformed"
	dropLogin     = "unauthorized"
	dropQueue     = "queue_full"
	dropStore     = "store_failed"
)

// Receiver listens for notifications. Metrics are registered by the caller.
type Receiver struct {
	opts        Options
	communities []string
	decoder     *gosnmp.GoSNMP
	engine      string
	queue       chan logstore.Document

	mu    sync.Mutex
	names map[string]bool

	received *prometheus.CounterVec
	dropped  *prometheus.CounterVec
}

// New makes a receiver and registers its metrics.
func New(opts Options, reg prometheus.Registerer) (*Receiver, error) {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	engine := make([]byte, 8)
	if _, err := rand.Read(engine); err != nil {
		return nil, err
	}
	r := &Receiver{
		opts: opts, queue: make(chan logstore.Document, 10_000), names: map[string]bool{},
		// RFC 3411: four octets of enterprise number, a format, and octets of our choice.
		engine: "\x80\x00\x1f\x88\x05" + string(engine),
		received: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "snmp_traps_received_total", Help: "Traps and informs that were accepted, by their name in the MIBs.",
		}, []string{"name", "version"}),
		dropped: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "snmp_traps_dropped_total", Help: "Traps and informs that were not kept, by reason.",
		}, []string{"reason"}),
	}
	table := gosnmp.NewSnmpV3SecurityParametersTable(gosnmp.Logger{})
	for _, a := range opts.Auths {
		if a.Version < 3 {
			r.communities = append(r.communities, string(a.Community))
			continue
		}
		usm, _, err := walk.UsersParams(a)
		if err != nil {
			return nil, err
		}
		usm.AuthoritativeEngineID = r.engine
		if err := table.Add(a.Username, usm); err != nil {
			return nil, fmt.Errorf("user %s: %w", a.Username, err)
		}
	}
	// The discovery of our engine has no user.
	if err := table.Add("", &gosnmp.UsmSecurityParameters{AuthoritativeEngineID: r.engine}); err != nil {
		return nil, err
	}
	r.decoder = &gosnmp.GoSNMP{Version: gosnmp.Version3, SecurityModel: gosnmp.UserSecurityModel, MsgFlags: gosnmp.NoAuthNoPriv}
	r.decoder.SetTrapSecurityParametersTable(table)
	for _, reason := range []string{dropMalformed, dropLogin, dropQueue, dropStore} {
		r.dropped.WithLabelValues(reason)
	}
	for _, c := range []prometheus.Collector{r.received, r.dropped} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Run receives on a UDP address until ctx ends. bound, when not nil, gets the address.
func (r *Receiver) Run(ctx context.Context, addr string, bound chan<- string) error {
	pc, err := (&net.ListenConfig{}).ListenPacket(ctx, "udp", addr)
	if err != nil {
		return fmt.Errorf("traps: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = pc.Close() })
	defer stop()
	if bound != nil {
		bound <- pc.LocalAddr().String()
	}
	var wg sync.WaitGroup
	wg.Go(func() { r.write(ctx) })
	defer wg.Wait()
	buf := make([]byte, 64<<10)
	for {
		n, from, err := pc.ReadFrom(buf)
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("traps: %w", err)
		}
		udp, ok := from.(*net.UDPAddr)
		if !ok {
			continue
		}
		if answer := r.packet(slices.Clone(buf[:n]), udp.AddrPort().Addr().Unmap()); answer != nil {
			_, _ = pc.WriteTo(answer, from) // the sender repeats an inform that is not answered
		}
	}
}

// packet takes one message in; the answer is nil where none is due.
func (r *Receiver) packet(msg []byte, from netip.Addr) (answer []byte) {
	p, err := r.unmarshal(msg)
	if err != nil {
		reason := dropMalformed
		if version(msg) == 3 {
			reason = dropLogin
		}
		r.drop(reason, from, err)
		return nil
	}
	if p.Version == gosnmp.Version3 && p.PDUType == gosnmp.GetRequest && len(p.Variables) == 0 {
		return r.discovery(p, from)
	}
	switch p.PDUType {
	case gosnmp.Trap, gosnmp.SNMPv2Trap, gosnmp.InformRequest:
	default:
		r.drop(dropMalformed, from, fmt.Errorf("PDU %v is no notification", p.PDUType))
		return nil
	}
	if p.Version != gosnmp.Version3 && !slices.Contains(r.communities, p.Community) {
		r.drop(dropLogin, from, errors.New("unknown community"))
		return nil
	}
	if usm, ok := p.SecurityParameters.(*gosnmp.UsmSecurityParameters); ok && p.Version == gosnmp.Version3 && usm.UserName == "" {
		r.drop(dropLogin, from, errors.New("no user"))
		return nil
	}
	e := decode(p, from, time.Now().UTC(), r.opts.MIBs)
	r.received.WithLabelValues(r.bounded(e), e.Version).Inc()
	if r.opts.Notify != nil {
		r.opts.Notify(e)
	}
	if r.opts.Store != nil {
		select {
		case r.queue <- e.Document():
		default:
			// Not answered: a device that informs will try again.
			r.drop(dropQueue, from, errors.New("the log store is too slow"))
			return nil
		}
	}
	if p.PDUType != gosnmp.InformRequest {
		return nil
	}
	p.PDUType, p.Error, p.ErrorIndex = gosnmp.GetResponse, gosnmp.NoError, 0
	if p.Version == gosnmp.Version3 {
		p.MsgFlags &= gosnmp.AuthPriv
	}
	return r.marshal(p, from)
}

// unmarshal survives the library's panics, e.g. on a version 3 message without security
// parameters: anybody can send such a packet.
func (r *Receiver) unmarshal(msg []byte) (p *gosnmp.SnmpPacket, err error) {
	defer func() {
		if v := recover(); v != nil {
			p, err = nil, fmt.Errorf("decoder: %v", v)
		}
	}()
	return r.decoder.UnmarshalTrap(msg, false)
}

// discovery tells a sender of informs which engine it speaks to.
func (r *Receiver) discovery(p *gosnmp.SnmpPacket, from netip.Addr) []byte {
	p.PDUType = gosnmp.Report
	p.MsgFlags &= gosnmp.AuthPriv
	p.SecurityParameters = &gosnmp.UsmSecurityParameters{AuthoritativeEngineID: r.engine, AuthoritativeEngineBoots: 1, AuthoritativeEngineTime: 1}
	p.ContextEngineID = r.engine
	p.Variables = []gosnmp.SnmpPDU{{Name: ".1.3.6.1.6.3.15.1.1.4.0", Type: gosnmp.Counter32, Value: uint32(1)}}
	return r.marshal(p, from)
}

func (r *Receiver) marshal(p *gosnmp.SnmpPacket, from netip.Addr) []byte {
	if p.Version == gosnmp.Version3 && p.MsgFlags&gosnmp.AuthPriv == gosnmp.AuthPriv {
		if err := p.SecurityParameters.InitPacket(p); err != nil {
			r.opts.Log.Warn("inform cannot be answered", "source", from, "err", err)
			return nil
		}
	}
	out, err := p.MarshalMsg()
	if err != nil {
		r.opts.Log.Warn("inform cannot be answered", "source", from, "err", err)
		return nil
	}
	return out
}

func (r *Receiver) drop(reason string, from netip.Addr, err error) {
	r.dropped.WithLabelValues(reason).Inc()
	r.opts.Log.Debug("trap dropped", "source", from, "reason", reason, "err", err)
}

// bounded is the name of the event as a label: devices must not be able to make series at will.
func (r *Receiver) bounded(e Event) string {
	if !e.Known {
		return "unknown"
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.names[e.Name] {
		if len(r.names) >= maxNames {
			return "other"
		}
		r.names[e.Name] = true
	}
	return e.Name
}

// write moves documents from the queue to the store, many at a time.
func (r *Receiver) write(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var batch []logstore.Document
	flush := func() {
		if len(batch) == 0 {
			return
		}
		wctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		rejected, err := r.opts.Store.Write(wctx, logstore.IndexLogs, batch)
		if err != nil {
			r.opts.Log.Error("traps are lost", "count", len(batch), "err", err)
			r.dropped.WithLabelValues(dropStore).Add(float64(len(batch)))
		}
		r.dropped.WithLabelValues(dropStore).Add(float64(len(rejected)))
		batch = nil
	}
	for {
		select {
		case d := <-r.queue:
			if batch = append(batch, d); len(batch) >= 500 {
				flush()
			}
		case <-tick.C:
			flush()
		case <-ctx.Done():
			for len(r.queue) > 0 {
				batch = append(batch, <-r.queue)
			}
			flush()
			return
		}
	}
}

// version reads the version of a message; 0 if it has none.
func version(msg []byte) int {
	for i := 2; i+2 < len(msg) && i < 6; i++ {
		if msg[i] == 2 && msg[i+1] == 1 {
			return int(msg[i+2])
		}
	}
	return 0
}
