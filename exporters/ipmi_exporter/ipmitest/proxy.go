package ipmitest

import (
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Proxy stands between a client and a BMC and spoils the line.
type Proxy struct {
	Addr string

	delay   atomic.Int64 // added to every answer
	lose    atomic.Int64 // every n-th datagram of either direction is lost; 0 none
	mute    atomic.Bool  // nothing reaches the BMC
	shuffle atomic.Bool  // answers come twice, late and out of order
	packets atomic.Int64 // from clients
	counter atomic.Int64

	front  *net.UDPConn
	target *net.UDPAddr
	mu     sync.Mutex
	back   map[string]*net.UDPConn // by client
	wg     sync.WaitGroup
}

// NewProxy forwards datagrams to the BMC at target.
func NewProxy(tb testing.TB, target string) *Proxy {
	tb.Helper()
	to, err := net.ResolveUDPAddr("udp", target)
	if err != nil {
		tb.Fatal(err)
	}
	front, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		tb.Fatal(err)
	}
	p := &Proxy{Addr: front.LocalAddr().String(), front: front, target: to, back: map[string]*net.UDPConn{}}
	p.wg.Go(p.forward)
	tb.Cleanup(p.close)
	return p
}

// Delay adds d to every round trip.
func (p *Proxy) Delay(d time.Duration) { p.delay.Store(int64(d)) }

// Lose drops every n-th datagram, 0 none.
func (p *Proxy) Lose(n int) { p.lose.Store(int64(n)) }

// Mute drops everything.
func (p *Proxy) Mute(on bool) { p.mute.Store(on) }

// Shuffle sends every answer twice, each after a time of its own of up to 20 ms.
func (p *Proxy) Shuffle(on bool) { p.shuffle.Store(on) }

// Packets is how many datagrams came from clients.
func (p *Proxy) Packets() int { return int(p.packets.Load()) }

func (p *Proxy) dropped() bool {
	n := p.lose.Load()
	return p.mute.Load() || n > 0 && p.counter.Add(1)%n == 0
}

func (p *Proxy) forward() {
	buf := make([]byte, 2048)
	for {
		n, client, err := p.front.ReadFromUDP(buf)
		if err != nil {
			return
		}
		p.packets.Add(1)
		if p.dropped() {
			continue
		}
		if c := p.backFor(client); c != nil {
			_, _ = c.Write(buf[:n]) // a lost datagram is what a proxy like this is about
		}
	}
}

func (p *Proxy) backFor(client *net.UDPAddr) *net.UDPConn {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.back[client.String()]; c != nil {
		return c
	}
	c, err := net.DialUDP("udp", nil, p.target)
	if err != nil {
		return nil
	}
	p.back[client.String()] = c
	p.wg.Go(func() { p.answers(c, client) })
	return c
}

func (p *Proxy) answers(c *net.UDPConn, client *net.UDPAddr) {
	buf := make([]byte, 2048)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		if p.dropped() {
			continue
		}
		pkt := append([]byte(nil), buf[:n]...)
		if p.shuffle.Load() {
			for range 2 {
				p.later(pkt, client, rand.N(20*time.Millisecond))
			}
			continue
		}
		p.later(pkt, client, time.Duration(p.delay.Load()))
	}
}

// later sends an answer to the client after d.
func (p *Proxy) later(pkt []byte, client *net.UDPAddr, d time.Duration) {
	if d == 0 {
		_, _ = p.front.WriteToUDP(pkt, client)
		return
	}
	p.wg.Go(func() {
		time.Sleep(d)
		_, _ = p.front.WriteToUDP(pkt, client)
	})
}

func (p *Proxy) close() {
	_ = p.front.Close()
	p.mu.Lock()
	for _, c := range p.back {
		_ = c.Close()
	}
	p.mu.Unlock()
	p.wg.Wait()
}
