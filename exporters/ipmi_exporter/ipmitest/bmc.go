package ipmitest

import (
	"encoding/binary"
	"net"
	"sync"
	"testing"
)

// BMC is a small BMC for what OpenIPMI's simulator cannot do: cipher suite 17, DCMI,
// non-linear sensors, and the deviations of real firmware. Set the fields before Start.
// It is written from the specification alone and shares no code with the client; its
// own test lets ipmitool talk to it.
type BMC struct {
	Suites     []byte // ids it offers; default 17 and 3
	NoSuites   bool   // it does not know Get Channel Cipher Suites
	Mute17     bool   // it drops what asks for suite 17
	PadName    bool   // it hashes user names padded to 16 bytes
	FullRAKP4  bool   // it does not truncate the check value of RAKP 4
	Kg         string // BMC key
	Password   string // of User; default Password
	Anonymous  bool   // it has a user without a name
	MaxSession int    // session slots; default 8
	FinalID    bool   // it answers the activation of a 1.5 session under the final id
	Only15     bool   // it speaks IPMI 1.5 only

	SDRs     [][]byte
	Added    uint32             // time of the last addition to the repository
	Sensors  map[[2]byte][]byte // LUN and number: answer to Get Sensor Reading
	Factors  map[[2]byte][]byte // number and raw reading: answer to Get Sensor Reading Factors
	FRUs     map[byte][]byte
	SEL      [][16]byte
	SELState SELState
	Clock    uint32                   // SEL time
	DCMI     []byte                   // answer to Get Power Reading, without the group
	Behind   map[byte]map[byte][]byte // controllers behind the BMC by address: sensors by number
	MaxRead  int                      // bytes it returns at once; 0 any number
	Heat     map[byte][]byte          // DCMI temperatures by entity: pairs of temperature and instance
	// Handle answers before anything else when ok.
	Handle func(netFn, lun, cmd byte, data []byte) (code byte, answer []byte, ok bool)

	conn        *net.UDPConn
	mu          sync.Mutex
	sessions    map[uint32]*session
	next        uint32
	reservation uint16
	opened      int
	commands    map[[2]byte]int
	late        []byte // message that follows the next answer
}

// SELState is what Get SEL Info tells besides the number of entries.
type SELState struct {
	Added, Erased uint32 // times of the last change
	Flags         byte   // 0x80: entries were lost
}

// Start serves until the test ends and returns the address.
func (b *BMC) Start(tb testing.TB) string {
	tb.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		tb.Fatal(err)
	}
	if b.Suites == nil {
		b.Suites = []byte{17, 3}
	}
	if b.MaxSession == 0 {
		b.MaxSession = 8
	}
	b.conn, b.sessions, b.commands = conn, map[uint32]*session{}, map[[2]byte]int{}
	var wg sync.WaitGroup
	wg.Go(b.serve)
	tb.Cleanup(func() { _ = conn.Close(); wg.Wait() })
	return conn.LocalAddr().String()
}

// Sessions is how many sessions are open now, and how many ever were.
func (b *BMC) Sessions() (open, ever int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.sessions {
		if s.active {
			open++
		}
	}
	return open, b.opened
}

// Forget drops every session without telling anyone, as a BMC does that restarts.
func (b *BMC) Forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.sessions)
}

// Commands is how often a command was given.
func (b *BMC) Commands(netFn, cmd byte) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.commands[[2]byte{netFn, cmd}]
}

// Lock runs f while nothing is answered, to change what the BMC holds.
func (b *BMC) Lock(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f()
}

// Command answers a command that came by another way than the LAN.
func (b *BMC) Command(netFn, lun, cmd byte, data []byte) (code byte, answer []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.command(netFn, lun, cmd, data, &session{})
}

func (b *BMC) serve() {
	buf := make([]byte, 2048)
	for {
		n, from, err := b.conn.ReadFromUDP(buf)
		if err != nil {
			return
		}
		b.mu.Lock()
		b.late = nil
		answer := b.packet(buf[:n])
		var late []byte
		if b.late != nil {
			if s := b.sessions[binary.LittleEndian.Uint32(buf[6:])]; s != nil && s.block != nil {
				late = s.seal(b.late)
			}
		}
		b.mu.Unlock()
		for _, p := range [][]byte{answer, late} {
			if p != nil {
				_, _ = b.conn.WriteToUDP(p, from)
			}
		}
	}
}

// answerMessage runs the command in a LAN message and makes the answering message.
func (b *BMC) answerMessage(m []byte, s *session) []byte {
	if len(m) < 7 {
		return nil
	}
	netFn, lun, cmd, data := m[1]>>2, m[1]&3, m[5], m[6:len(m)-1]
	b.commands[[2]byte{netFn, cmd}]++
	code, body := b.command(netFn, lun, cmd, data, s)
	out := []byte{m[3], (netFn|1)<<2 | m[4]&3, 0, m[0], m[4]&0xfc | lun, cmd, code}
	out[2] = -(out[0] + out[1])
	out = append(out, body...)
	var sum byte
	for _, x := range out[3:] {
		sum += x
	}
	return append(out, -sum)
}

func (b *BMC) command(netFn, lun, cmd byte, data []byte, s *session) (byte, []byte) {
	if b.Handle != nil {
		if code, body, ok := b.Handle(netFn, lun, cmd, data); ok {
			return code, body
		}
	}
	switch {
	case netFn == 6 && cmd == 0x38: // channel authentication capabilities
		if b.Only15 {
			return 0, []byte{1, 0x04, 0, 0x01, 0, 0, 0, 0}
		}
		return 0, []byte{1, 0x80, 0, 0x02, 0, 0, 0, 0}
	case netFn == 6 && cmd == 0x54:
		return b.cipherSuites(data)
	case s == nil:
		return 0xd4, nil
	case netFn == 6 && cmd == 0x01:
		return 0, []byte{0x20, 1, 2, 0x34, 0x02, 0x9f, 0x91, 0x12, 0, 0x42, 0x0f}
	case netFn == 6 && cmd == 0x3b:
		return 0, []byte{data[0]}
	case netFn == 6 && cmd == 0x34:
		return b.sendMessage(data)
	case netFn == 6 && cmd == 0x3c:
		delete(b.sessions, binary.LittleEndian.Uint32(data))
		return 0, nil
	case netFn == 0 && cmd == 0x01:
		return 0, []byte{0x21, 0, 0x40}
	case netFn == 0x2c && b.DCMI != nil:
		if cmd == 1 {
			return 0, []byte{0xdc, 1, 5, 2, 0, 1, 0}
		}
		if cmd == 2 {
			return 0, append([]byte{0xdc}, b.DCMI...)
		}
		if cmd == 0x10 && b.Heat != nil {
			all := b.Heat[data[2]]
			from := min(max(2*int(data[4])-2, 0), len(all))
			set := all[from:min(from+16, len(all))]
			return 0, append([]byte{0xdc, byte(len(all) / 2), byte(len(set) / 2)}, set...)
		}
		return 0x80, nil
	case netFn == 4:
		return b.sensorCommand(lun, cmd, data)
	case netFn == 0x0a:
		return b.storageCommand(cmd, data)
	}
	return 0xc1, nil
}

// sendMessage takes a tracked request to another controller. Its answer is sent after that
// to Send Message itself.
func (b *BMC) sendMessage(data []byte) (byte, []byte) {
	if len(data) < 9 || data[0]&0xc0 != 0x40 {
		return 0xcc, nil
	}
	inner := data[1:]
	sensors, ok := b.Behind[inner[0]]
	if !ok {
		return 0x83, nil // nobody acknowledges on the bus
	}
	if inner[0]+inner[1]+inner[2] != 0 || inner[1]>>2 != 4 || inner[5] != 0x2d {
		return 0xcc, nil
	}
	if sensors != nil { // a nil map is a controller that takes messages and never answers
		code, body := byte(0), sensors[inner[6]]
		if body == nil {
			code = 0xcb
		}
		m := []byte{0x81, 5<<2 | inner[4]&3, 0, inner[0], inner[4], inner[5], code}
		m[2] = -(m[0] + m[1])
		m = append(m, body...)
		var sum byte
		for _, x := range m[3:] {
			sum += x
		}
		b.late = append(m, -sum)
	}
	return 0, nil
}

func (b *BMC) cipherSuites(data []byte) (byte, []byte) {
	if b.NoSuites {
		return 0xc1, nil
	}
	var records []byte
	for _, id := range b.Suites {
		auth, integrity := byte(1), byte(1)
		if id == 17 {
			auth, integrity = 3, 4
		}
		records = append(records, 0xc0, id, auth, 0x40|integrity, 0x81)
	}
	from := min(int(data[2]&0x3f)*16, len(records))
	return 0, append([]byte{1}, records[from:min(from+16, len(records))]...)
}

func (b *BMC) sensorCommand(lun, cmd byte, data []byte) (byte, []byte) {
	if len(data) == 0 {
		return 0xc7, nil
	}
	switch cmd {
	case 0x2d:
		if r, ok := b.Sensors[[2]byte{lun, data[0]}]; ok {
			return 0, r
		}
		return 0xcb, nil
	case 0x23:
		if f, ok := b.Factors[[2]byte(data)]; ok {
			return 0, f
		}
	}
	return 0xc1, nil
}

func (b *BMC) storageCommand(cmd byte, data []byte) (byte, []byte) {
	switch cmd {
	case 0x20:
		out := []byte{0x51, byte(len(b.SDRs)), byte(len(b.SDRs) >> 8), 0, 0}
		out = binary.LittleEndian.AppendUint32(out, b.Added)
		return 0, append(out, 0, 0, 0, 0, 0x02)
	case 0x22:
		b.reservation++
		return 0, binary.LittleEndian.AppendUint16(nil, b.reservation)
	case 0x23:
		return b.getSDR(data)
	case 0x10:
		f, ok := b.FRUs[data[0]]
		if !ok {
			return 0xcb, nil
		}
		return 0, []byte{byte(len(f)), byte(len(f) >> 8), 0}
	case 0x11:
		f := b.FRUs[data[0]]
		from, n := int(binary.LittleEndian.Uint16(data[1:])), int(data[3])
		if b.MaxRead > 0 && n > b.MaxRead {
			return 0xca, nil
		}
		if from >= len(f) {
			return 0xc9, nil
		}
		part := f[from:min(from+n, len(f))]
		return 0, append([]byte{byte(len(part))}, part...)
	case 0x40:
		out := []byte{0x51, byte(len(b.SEL)), byte(len(b.SEL) >> 8), 0, 0x10}
		out = binary.LittleEndian.AppendUint32(out, b.SELState.Added)
		out = binary.LittleEndian.AppendUint32(out, b.SELState.Erased)
		return 0, append(out, b.SELState.Flags)
	case 0x48:
		return 0, binary.LittleEndian.AppendUint32(nil, b.Clock)
	case 0x43:
		return b.getSEL(binary.LittleEndian.Uint16(data[2:]))
	}
	return 0xc1, nil
}

func (b *BMC) getSDR(data []byte) (byte, []byte) {
	if binary.LittleEndian.Uint16(data) != b.reservation {
		return 0xc5, nil
	}
	id, from, n := int(binary.LittleEndian.Uint16(data[2:])), int(data[4]), int(data[5])
	if b.MaxRead > 0 && n > b.MaxRead {
		return 0xca, nil
	}
	if id >= len(b.SDRs) {
		return 0xcb, nil
	}
	next := uint16(id + 1)
	if id+1 == len(b.SDRs) {
		next = 0xffff
	}
	rec := b.SDRs[id]
	from = min(from, len(rec))
	return 0, append(binary.LittleEndian.AppendUint16(nil, next), rec[from:min(from+n, len(rec))]...)
}

func (b *BMC) getSEL(id uint16) (byte, []byte) {
	for i, r := range b.SEL {
		if id != 0 && binary.LittleEndian.Uint16(r[:]) != id {
			continue
		}
		next := uint16(0xffff)
		if i+1 < len(b.SEL) {
			next = binary.LittleEndian.Uint16(b.SEL[i+1][:])
		}
		return 0, append(binary.LittleEndian.AppendUint16(nil, next), r[:]...)
	}
	return 0xcb, nil
}
