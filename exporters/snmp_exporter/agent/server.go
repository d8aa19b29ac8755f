package agent

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Error statuses and exceptions of the protocol.
const (
	statusTooBig     = 1
	statusNoSuchName = 2
	statusReadOnly   = 4

	noSuchInstance = 0x81
	endOfMibView   = 0x82

	pduGet     = 0xa0
	pduGetNext = 0xa1
	pduReply   = 0xa2
	pduSet     = 0xa3
	pduGetBulk = 0xa5
)

// Server answers for devices, each under a community of its own. The zero values of its
// fields mean a fast, faultless agent.
type Server struct {
	Devices map[string]*Device // by community; "" answers to every community
	Delay   time.Duration      // of each answer
	MaxSize int                // bytes of a response, default 65000
	// DropOver makes the agent silent instead of answering more varbinds, as weak agents are.
	DropOver int
	// Silent lists OIDs below which no request is answered.
	Silent []string
	// Loss drops every n-th answer.
	Loss int
	// Endless is an OID below which the agent counts upwards for ever, Repeat one below which it
	// gives the same instance again and again.
	Endless, Repeat string
	Log             *slog.Logger

	Requests atomic.Int64
	Sent     atomic.Int64 // varbinds
}

// Listen answers on a UDP address, e.g. "127.0.0.1:0", until ctx ends. It returns at once with
// the address that was bound and a function that waits for the end.
func (s *Server) Listen(ctx context.Context, addr string) (bound string, wait func(), err error) {
	pc, err := (&net.ListenConfig{}).ListenPacket(ctx, "udp", addr)
	if err != nil {
		return "", nil, err
	}
	if u, ok := pc.(*net.UDPConn); ok {
		_ = u.SetReadBuffer(4 << 20) // best effort: the system may allow less
		_ = u.SetWriteBuffer(4 << 20)
	}
	var wg sync.WaitGroup
	stop := context.AfterFunc(ctx, func() { _ = pc.Close() })
	wg.Go(func() { defer stop(); s.serve(ctx, pc, &wg) })
	return pc.LocalAddr().String(), wg.Wait, nil
}

func (s *Server) serve(ctx context.Context, pc net.PacketConn, wg *sync.WaitGroup) {
	buf := make([]byte, 64<<10)
	for {
		n, from, err := pc.ReadFrom(buf)
		if err != nil {
			if ctx.Err() == nil && !errors.Is(err, net.ErrClosed) && s.Log != nil {
				s.Log.Error("agent stopped", "err", err)
			}
			return
		}
		count := s.Requests.Add(1)
		resp := s.Answer(buf[:n])
		if resp == nil || s.Loss > 0 && count%int64(s.Loss) == 0 {
			continue
		}
		if s.Delay == 0 {
			_, _ = pc.WriteTo(resp, from) // a lost answer is what UDP promises
			continue
		}
		wg.Go(func() {
			t := time.NewTimer(s.Delay)
			defer t.Stop()
			select {
			case <-t.C:
				_, _ = pc.WriteTo(resp, from)
			case <-ctx.Done():
			}
		})
	}
}

type request struct {
	version, id   int64
	community     []byte
	pdu           byte
	nonRep, reps  int64
	names         [][]uint32
	device        *Device
	server        *Server
	varbinds, max int
}

// Answer makes the response to one message; nil if there is none to give.
func (s *Server) Answer(msg []byte) []byte {
	r, err := s.parse(msg)
	if err != nil || r.device == nil {
		return nil
	}
	for _, oid := range s.Silent {
		arcs, err := parseOID(oid)
		if err == nil && slices.ContainsFunc(r.names, func(n []uint32) bool { return len(n) >= len(arcs) && slices.Equal(n[:len(arcs)], arcs) }) {
			return nil
		}
	}
	r.max, r.server = s.MaxSize, s
	if r.max <= 0 {
		r.max = 65000
	}
	var list []byte
	var status, index int64
	switch r.pdu {
	case pduGet, pduGetNext:
		list, status, index = r.single()
	case pduGetBulk:
		if r.version == 0 {
			return nil
		}
		list = r.bulk()
	case pduSet:
		status, index = statusReadOnly, 1
	default:
		return nil
	}
	if s.DropOver > 0 && r.varbinds > s.DropOver {
		return nil
	}
	s.Sent.Add(int64(r.varbinds))
	return r.reply(list, status, index)
}

func (s *Server) parse(msg []byte) (r request, err error) {
	b, _, err := expect(0x30, msg)
	if err != nil {
		return r, err
	}
	if r.version, b, err = readInt(b); err != nil || r.version > 1 {
		return r, errBER
	}
	if r.community, b, err = expect(tagOctets, b); err != nil {
		return r, err
	}
	if r.device = s.Devices[string(r.community)]; r.device == nil {
		r.device = s.Devices[""]
	}
	if r.pdu, b, _, err = readTLV(b); err != nil {
		return r, err
	}
	for _, f := range []*int64{&r.id, &r.nonRep, &r.reps} {
		if *f, b, err = readInt(b); err != nil {
			return r, err
		}
	}
	list, _, err := expect(0x30, b)
	for err == nil && len(list) > 0 {
		var vb, name []byte
		if vb, list, err = expect(0x30, list); err != nil {
			break
		}
		if name, _, err = expect(tagOID, vb); err != nil {
			break
		}
		var arcs []uint32
		if arcs, err = decodeOID(name); err == nil {
			r.names = append(r.names, arcs)
		}
	}
	return r, err
}

// find gives the position of the first object at or, with after, behind name.
func (d *Device) find(name []uint32, after bool) (i int, exact bool) {
	i, exact = slices.BinarySearchFunc(d.objects, oidKey(name), func(o Object, k string) int { return strings.Compare(o.key, k) })
	if exact && after {
		i++
	}
	return i, exact
}

func (r *request) add(list []byte, name []byte, tag byte, raw []byte) []byte {
	r.varbinds++
	vb := appendTLV(make([]byte, 0, len(name)+len(raw)+12), tagOID, name)
	return appendTLV(list, 0x30, appendTLV(vb, tag, raw))
}

func (r *request) single() (list []byte, status, index int64) {
	for n, name := range r.names {
		i, exact := r.device.find(name, r.pdu == pduGetNext)
		found := i < len(r.device.objects) && (exact || r.pdu == pduGetNext)
		// SNMPv1 knows no Counter64: such an object is not there.
		for found && r.version == 0 && r.device.objects[i].Tag == tagCounter64 && r.pdu == pduGetNext {
			i++
			found = i < len(r.device.objects)
		}
		switch {
		case found:
			o := &r.device.objects[i]
			list = r.add(list, o.ber, o.Tag, o.Raw)
		case r.version == 0:
			return nil, statusNoSuchName, int64(n + 1)
		case r.pdu == pduGet:
			list = r.add(list, encodeOID(name), noSuchInstance, nil)
		default:
			list = r.add(list, encodeOID(name), endOfMibView, nil)
		}
		if len(list) > r.max-100 {
			return nil, statusTooBig, 0
		}
	}
	return list, 0, 0
}

// bulk answers with as many whole varbinds as fit.
func (r *request) bulk() []byte {
	var list []byte
	at := make([]int, len(r.names))
	for n, name := range r.names {
		at[n], _ = r.device.find(name, true)
	}
	non := int(min(max(r.nonRep, 0), int64(len(at))))
	step := func(n int) bool {
		before := len(list)
		if next, ok := r.faulty(r.names[n]); ok {
			r.names[n] = next
			list = r.add(list, encodeOID(next), tagGauge32, encodeUint(1))
		} else if at[n] < len(r.device.objects) {
			o := &r.device.objects[at[n]]
			list = r.add(list, o.ber, o.Tag, o.Raw)
			at[n]++
		} else {
			list = r.add(list, encodeOID(r.names[n]), endOfMibView, nil)
		}
		if len(list) > r.max-100 {
			list, r.varbinds = list[:before], r.varbinds-1
			return false
		}
		return true
	}
	for n := range non {
		if !step(n) {
			return list
		}
	}
	for range min(max(r.reps, 0), 1000) {
		for n := non; n < len(at); n++ {
			if !step(n) {
				return list
			}
		}
	}
	return list
}

// faulty gives the next instance where the agent is told to misbehave.
func (r *request) faulty(name []uint32) ([]uint32, bool) {
	under := func(oid string) bool {
		arcs, err := parseOID(oid)
		return err == nil && len(name) >= len(arcs) && slices.Equal(name[:len(arcs)], arcs)
	}
	switch {
	case r.server.Endless != "" && under(r.server.Endless):
		arcs, _ := parseOID(r.server.Endless)
		if len(name) == len(arcs) {
			return append(slices.Clone(name), 1), true
		}
		next := slices.Clone(name)
		next[len(next)-1]++
		return next, true
	case r.server.Repeat != "" && under(r.server.Repeat):
		arcs, _ := parseOID(r.server.Repeat)
		return append(slices.Clone(arcs), 7), true
	}
	return nil, false
}

func (r *request) reply(list []byte, status, index int64) []byte {
	if status != 0 {
		for _, n := range r.names {
			list = r.add(list, encodeOID(n), tagNull, nil)
		}
	}
	pdu := appendTLV(nil, tagInteger, encodeInt(r.id))
	pdu = appendTLV(pdu, tagInteger, encodeInt(status))
	pdu = appendTLV(pdu, tagInteger, encodeInt(index))
	pdu = appendTLV(pdu, 0x30, list)
	msg := appendTLV(nil, tagInteger, encodeInt(r.version))
	msg = appendTLV(msg, tagOctets, r.community)
	return appendTLV(nil, 0x30, appendTLV(msg, pduReply, pdu))
}
