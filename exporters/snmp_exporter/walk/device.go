package walk

import (
	"sync"
	"time"

	"github.com/gosnmp/gosnmp"
)

// startVarbinds is the size of a response that is asked for until a device proves weaker.
// 100 varbinds are a few kilobytes: agents that cannot send so much send less of their own.
const startVarbinds = 100

// mostVarbinds is what the size grows to on a device that always sends what it is asked for.
const (
	mostVarbinds = 200
	growAfter    = 10 // full responses
)

// relearn is how long a device is treated with the care it once needed.
const relearn = time.Hour

// Device is what was learned about one device; it outlives a scrape.
type Device struct {
	mu       sync.Mutex
	varbinds int
	full     int // responses of that size in a row
	reduced  time.Time
	srtt     time.Duration
	rows     map[string]int // rows of a table, by the OID of its entry
	usm      *gosnmp.UsmSecurityParameters
	labels   map[string]cached
}

type cached struct {
	rows []Row
	at   time.Time
}

// NewDevice is a device nothing is known of.
func NewDevice() *Device {
	return &Device{varbinds: startVarbinds, rows: map[string]int{}, labels: map[string]cached{}}
}

// budget is how many varbinds one response may have.
func (d *Device) budget() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.varbinds < startVarbinds && time.Since(d.reduced) > relearn {
		d.varbinds = startVarbinds
	}
	return d.varbinds
}

// reduce lowers the budget below used varbinds, which were too many.
func (d *Device) reduce(used int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.varbinds = max(1, min(d.varbinds, used/2))
	d.full, d.reduced = 0, time.Now()
}

// sent notes a response of so many varbinds, as many as were asked for.
func (d *Device) sent(varbinds int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if varbinds < d.varbinds-d.varbinds/10 || time.Since(d.reduced) < relearn {
		return
	}
	if d.full++; d.full >= growAfter {
		d.varbinds, d.full = min(mostVarbinds, d.varbinds*2), 0
	}
}

// answered takes the delay of an answer into the smoothed round-trip time (RFC 6298's gain).
func (d *Device) answered(delay time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.srtt == 0 {
		d.srtt = delay
		return
	}
	d.srtt += (delay - d.srtt) / 8
}

// patience is how long attempt (from 0) waits for an answer, at most limit. A device that
// answers in milliseconds is asked again after a second, one that was never heard gets limit.
func (d *Device) patience(attempt int, limit time.Duration) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.srtt == 0 {
		return limit
	}
	return min(limit, max(time.Second, 8*d.srtt)<<min(attempt, 6))
}

func (d *Device) tableRows(table string) (n int, known bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, known = d.rows[table]
	return n, known
}

func (d *Device) setTableRows(table string, n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rows[table] = n
}

func (d *Device) engine() *gosnmp.UsmSecurityParameters {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.usm == nil {
		return nil
	}
	c, _ := d.usm.Copy().(*gosnmp.UsmSecurityParameters)
	return c
}

func (d *Device) setEngine(usm *gosnmp.UsmSecurityParameters) {
	c, _ := usm.Copy().(*gosnmp.UsmSecurityParameters)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.usm = c
}

// Forget drops the SNMPv3 engine: the device was replaced or its user changed.
func (d *Device) Forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.usm = nil
}

// Cached gives the rows of a column that were kept less than age ago.
func (d *Device) Cached(oid string, age time.Duration) ([]Row, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c, ok := d.labels[oid]
	if !ok || time.Since(c.at) >= age {
		return nil, false
	}
	return c.rows, true
}

// Keep remembers the rows of a column.
func (d *Device) Keep(oid string, rows []Row) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.labels[oid] = cached{rows: rows, at: time.Now()}
}

// Devices are the devices of a process, at most max of them; the one unseen longest goes first.
type Devices struct {
	mu   sync.Mutex
	max  int
	seen map[string]*entry
}

type entry struct {
	dev  *Device
	last time.Time
}

// NewDevices keeps up to max devices.
func NewDevices(max int) *Devices { return &Devices{max: max, seen: map[string]*entry{}} }

// Get gives the device called key, which should name target and auth.
func (s *Devices) Get(key string) *Device {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if e, ok := s.seen[key]; ok {
		e.last = now
		return e.dev
	}
	if len(s.seen) >= s.max {
		oldest, at := "", now
		for k, e := range s.seen {
			if !e.last.After(at) {
				oldest, at = k, e.last
			}
		}
		delete(s.seen, oldest)
	}
	d := NewDevice()
	s.seen[key] = &entry{dev: d, last: now}
	return d
}
