package walk

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gosnmp/gosnmp"
)

// Instance is one value with its whole OID, without the leading dot.
type Instance struct {
	OID   string
	Value Value
}

// maxGet is how many OIDs are asked for in one GET.
const maxGet = 25

// Get asks for single instances. What the device does not have is left out; lost counts those
// that could not be asked for. The error is set only if the device did not answer at all.
func (c *Client) Get(ctx context.Context, p Params, oids []string) (got []Instance, lost int, err error) {
	g, err := c.conn(ctx, 0)
	if err != nil {
		return nil, len(oids), err
	}
	size := maxGet
	if p.MaxRepetitions > 0 {
		size = min(size, int(p.MaxRepetitions))
	}
	for len(oids) > 0 {
		n := min(size, len(oids))
		part, missed, err := c.getSome(ctx, g, p, oids[:n])
		got, lost = append(got, part...), lost+missed
		if err != nil {
			return got, lost + len(oids) - n, err
		}
		oids = oids[n:]
	}
	return got, lost, nil
}

// getSome halves the request when the device finds it too big or chokes on one part of it.
func (c *Client) getSome(ctx context.Context, g *gosnmp.GoSNMP, p Params, oids []string) ([]Instance, int, error) {
	pkt, err := c.ask(ctx, g, p, func() (*gosnmp.SnmpPacket, error) { return g.Get(oids) })
	switch {
	case err != nil && (c.usable.Load() == 0 || ctx.Err() != nil):
		return nil, len(oids), err
	case err != nil || (pkt.Error != gosnmp.NoError && pkt.Error != gosnmp.NoSuchName):
		if len(oids) == 1 {
			return nil, 1, nil
		}
		a, lostA, errA := c.getSome(ctx, g, p, oids[:len(oids)/2])
		if errA != nil {
			return a, len(oids), errA
		}
		b, lostB, errB := c.getSome(ctx, g, p, oids[len(oids)/2:])
		return append(a, b...), lostA + lostB, errB
	case pkt.Error == gosnmp.NoSuchName:
		// SNMPv1 refuses the whole request for the sake of one name: leave that out.
		i := int(pkt.ErrorIndex) - 1
		if len(oids) == 1 {
			return nil, 0, nil
		}
		if i < 0 || i >= len(oids) {
			i = 0
		}
		rest := append(append(make([]string, 0, len(oids)-1), oids[:i]...), oids[i+1:]...)
		return c.getSome(ctx, g, p, rest)
	}
	var out []Instance
	for i := range pkt.Variables {
		v := &pkt.Variables[i]
		switch v.Type {
		case gosnmp.NoSuchObject, gosnmp.NoSuchInstance, gosnmp.EndOfMibView, gosnmp.Null, gosnmp.UnknownType:
			continue
		}
		out = append(out, Instance{OID: strings.TrimPrefix(v.Name, "."), Value: valueOf(v)})
	}
	return out, 0, nil
}

// ask sends one request, repeats it when no answer comes, and keeps the times.
func (c *Client) ask(ctx context.Context, g *gosnmp.GoSNMP, p Params, send func() (*gosnmp.SnmpPacket, error)) (*gosnmp.SnmpPacket, error) {
	limit := p.Timeout
	if limit <= 0 {
		limit = 5 * time.Second
	}
	var err error
	for attempt := 0; attempt <= p.Retries; attempt++ {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("deadline of the scrape: %w", ctx.Err())
		}
		if attempt > 0 {
			c.Retries.Add(1)
		}
		g.Timeout = c.opts.Device.patience(attempt, limit)
		start := time.Now()
		var pkt *gosnmp.SnmpPacket
		if pkt, err = send(); err == nil {
			c.opts.Device.answered(time.Since(start))
			c.usable.Add(1)
			c.remember(g)
			return pkt, nil
		}
		if login := loginError(err); login != nil {
			c.opts.Device.Forget()
			return nil, login
		}
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("deadline of the scrape: %w", ctx.Err())
	}
	if errors.Is(err, gosnmp.ErrMaxRetriesExceeded) || strings.Contains(err.Error(), "timeout") {
		return nil, fmt.Errorf("%w after %d attempts", ErrNoAnswer, p.Retries+1)
	}
	return nil, err
}

// loginError explains what a device said about an SNMPv3 login; nil if it said nothing.
func loginError(err error) error {
	for cause, hint := range map[error]string{
		gosnmp.ErrUnknownUsername:      "unknown user name",
		gosnmp.ErrWrongDigest:          "wrong password or auth_protocol",
		gosnmp.ErrDecryption:           "wrong priv_password or priv_protocol",
		gosnmp.ErrUnknownSecurityLevel: "security_level is not offered to this user",
		gosnmp.ErrNotInTimeWindow:      "clock of the engine is outside its time window",
		gosnmp.ErrUnknownEngineID:      "engine id changed",
	} {
		if errors.Is(err, cause) {
			return fmt.Errorf("%w: %s", ErrLogin, hint)
		}
	}
	// Agents answer a wrong user or password without authentication, as they must.
	if strings.Contains(err.Error(), "not authentic") {
		return fmt.Errorf("%w: user, password or auth_protocol is refused", ErrLogin)
	}
	return nil
}
