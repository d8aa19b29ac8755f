package ipmi

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/inframind/inframind/exporters/ipmi_exporter/ipmitest"
)

// The kernel's ABI on 64-bit machines: what a C program prints that includes linux/ipmi.h
// and applies sizeof and offsetof to its structures.
const (
	kernelSend, kernelRecv = 0x8028690d, 0xc030690b // IPMICTL_SEND_COMMAND, IPMICTL_RECEIVE_MSG_TRUNC

	addrType, addrChannel           = 0, 4 // both kinds of address, 8 bytes each
	systemLUN, ipmbSlave, ipmbLUN   = 6, 6, 7
	addrSize                        = 8
	reqAddr, reqAddrLen, reqID      = 0, 8, 16
	reqMsg                          = 24
	recvType, recvAddr, recvAddrLen = 0, 8, 16
	recvID, recvMsg                 = 24, 32
	msgNetFn, msgCmd, msgLen        = 0, 1, 2
	msgData                         = 8
)

func skipUnless64(t *testing.T) {
	t.Helper()
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skip("known for 64-bit machines")
	}
}

func TestKernelStructures(t *testing.T) {
	skipUnless64(t)
	var sys ipmiSystemAddr
	var ipmb ipmiIPMBAddr
	var msg ipmiMsg
	var req ipmiReq
	var rec ipmiRecv
	for i, pair := range [][2]uintptr{
		{ioctlSend, kernelSend},
		{ioctlRecv, kernelRecv},
		{unsafe.Sizeof(sys), addrSize},
		{unsafe.Offsetof(sys.Channel), addrChannel},
		{unsafe.Offsetof(sys.LUN), systemLUN},
		{unsafe.Sizeof(ipmb), addrSize},
		{unsafe.Offsetof(ipmb.Channel), addrChannel},
		{unsafe.Offsetof(ipmb.Slave), ipmbSlave},
		{unsafe.Offsetof(ipmb.LUN), ipmbLUN},
		{unsafe.Sizeof(msg), 16},
		{unsafe.Offsetof(msg.Cmd), msgCmd},
		{unsafe.Offsetof(msg.Len), msgLen},
		{unsafe.Offsetof(msg.Data), msgData},
		{unsafe.Sizeof(req), 40},
		{unsafe.Offsetof(req.AddrLen), reqAddrLen},
		{unsafe.Offsetof(req.MsgID), reqID},
		{unsafe.Offsetof(req.Msg), reqMsg},
		{unsafe.Sizeof(rec), 48},
		{unsafe.Offsetof(rec.Addr), recvAddr},
		{unsafe.Offsetof(rec.AddrLen), recvAddrLen},
		{unsafe.Offsetof(rec.MsgID), recvID},
		{unsafe.Offsetof(rec.Msg), recvMsg},
	} {
		if pair[0] != pair[1] {
			t.Errorf("row %d: %#x, the header has %#x", i, pair[0], pair[1])
		}
	}
}

// kernel stands in for the driver, which this test's machine may not have: it reads and
// writes memory as the driver does, by the offsets of its header alone, and makes the file
// readable while an answer waits.
type kernel struct {
	t    *testing.T
	bmc  *ipmitest.BMC
	fifo int // descriptor; the device is readable while bytes are in it

	mu    sync.Mutex
	late  bool // keep answers until the next command
	slow  time.Duration
	queue []kernelAnswer
	held  []kernelAnswer
}

type kernelAnswer struct {
	id         int64
	addr       [addrSize]byte
	netFn, cmd byte
	data       []byte // completion code first
}

func bytesAt(p unsafe.Pointer, offset uintptr, n int) []byte {
	return unsafe.Slice((*byte)(unsafe.Add(p, offset)), n)
}

func pointerAt(p unsafe.Pointer, offset uintptr) unsafe.Pointer {
	return *(*unsafe.Pointer)(unsafe.Add(p, offset))
}

func (k *kernel) ioctl(_, request uintptr, arg unsafe.Pointer) syscall.Errno {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch request {
	case kernelSend:
		return k.send(arg)
	case kernelRecv:
		return k.receive(arg)
	}
	return syscall.ENOTTY
}

func (k *kernel) send(arg unsafe.Pointer) syscall.Errno {
	if binary.NativeEndian.Uint32(bytesAt(arg, reqAddrLen, 4)) < addrSize {
		return syscall.EINVAL
	}
	a := kernelAnswer{id: int64(binary.NativeEndian.Uint64(bytesAt(arg, reqID, 8)))}
	copy(a.addr[:], bytesAt(pointerAt(arg, reqAddr), 0, addrSize))
	m := bytesAt(arg, reqMsg, 16)
	var data []byte
	if n := int(binary.NativeEndian.Uint16(m[msgLen:])); n > 0 {
		data = append(data, bytesAt(pointerAt(arg, reqMsg+msgData), 0, n)...)
	}
	a.netFn, a.cmd = m[msgNetFn]|1, m[msgCmd]
	channel := int16(binary.NativeEndian.Uint16(a.addr[addrChannel:]))
	switch kind := binary.NativeEndian.Uint32(a.addr[addrType:]); {
	case kind == 0x0c && channel == 0x0f: // system interface
		code, body := k.bmc.Command(m[msgNetFn], a.addr[systemLUN], m[msgCmd], data)
		a.data = append([]byte{code}, body...)
	case kind == 0x01 && channel < 0x0f: // IPMB
		a.data = []byte{0xc3} // the driver's own timeout
		if behind := k.bmc.Behind[a.addr[ipmbSlave]]; behind != nil && a.addr[ipmbLUN] == 0 {
			a.data = append([]byte{0}, behind[data[0]]...)
		}
	default:
		return syscall.EINVAL
	}
	k.queue = append(k.queue, k.held...)
	k.held = nil
	if k.late {
		k.held = append(k.held, a)
		return 0
	}
	if k.slow == 0 {
		k.deliver(a)
		return 0
	}
	time.AfterFunc(k.slow, func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.deliver(a)
	})
	return 0
}

func (k *kernel) deliver(a kernelAnswer) {
	k.queue = append(k.queue, a)
	if _, err := syscall.Write(k.fifo, []byte{1}); err != nil {
		k.t.Error(err)
	}
}

func (k *kernel) receive(arg unsafe.Pointer) syscall.Errno {
	if len(k.queue) == 0 {
		_, _ = syscall.Read(k.fifo, make([]byte, 16)) // nothing is readable any more
		return syscall.EAGAIN
	}
	a := k.queue[0]
	k.queue = k.queue[1:]
	m := bytesAt(arg, recvMsg, 16)
	if binary.NativeEndian.Uint32(bytesAt(arg, recvAddrLen, 4)) < addrSize || int(binary.NativeEndian.Uint16(m[msgLen:])) < len(a.data) {
		return syscall.EMSGSIZE
	}
	binary.NativeEndian.PutUint32(bytesAt(arg, recvType, 4), 1) // a response
	copy(bytesAt(pointerAt(arg, recvAddr), 0, addrSize), a.addr[:])
	binary.NativeEndian.PutUint32(bytesAt(arg, recvAddrLen, 4), addrSize)
	binary.NativeEndian.PutUint64(bytesAt(arg, recvID, 8), uint64(a.id))
	m[msgNetFn], m[msgCmd] = a.netFn, a.cmd
	binary.NativeEndian.PutUint16(m[msgLen:], uint16(len(a.data)))
	copy(bytesAt(pointerAt(arg, recvMsg+msgData), 0, len(a.data)), a.data)
	return 0
}

// localBMC is a device whose driver is a kernel.
func localBMC(t *testing.T, bmc *ipmitest.BMC) (*device, *kernel) {
	t.Helper()
	skipUnless64(t)
	path := filepath.Join(t.TempDir(), "ipmi0")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := OpenDevice(path)
	if err != nil {
		t.Fatal(err)
	}
	fifo, err := syscall.Open(path, syscall.O_RDWR|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	k := &kernel{t: t, bmc: bmc, fifo: fifo}
	d := c.(*device)
	d.ioctl = k.ioctl
	t.Cleanup(func() {
		if err := errors.Join(d.Close(), syscall.Close(fifo)); err != nil {
			t.Error(err)
		}
	})
	return d, k
}

// TestLocalInterface reads a whole BMC through the driver's system calls.
func TestLocalInterface(t *testing.T) {
	d, _ := localBMC(t, &ipmitest.BMC{
		SDRs:    [][]byte{compact("One", 1, 0)},
		Sensors: map[[2]byte][]byte{{0, 0x10}: {0, 0xc0, 1}, {1, 7}: {9, 0xc0, 2}},
		Behind:  map[byte]map[byte][]byte{0x2c: {3: {5, 0xc0, 4}}},
		SEL:     [][16]byte{{1, 0, 2, 0, 0, 0, 0x60}},
	})
	ctx := t.Context()
	if id, err := GetDeviceID(ctx, d); err != nil || id.Manufacturer != 4753 {
		t.Errorf("%+v, %v", id, err)
	}
	info, err := SDRInfo(ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	r := NewSDRReader(info)
	if err := r.Read(ctx, d); err != nil {
		t.Fatal(err)
	}
	own := &DecodeRecords(r.Records, Quirks{}).Sensors[0]
	other := &Sensor{Owner: 0x20, LUN: 1, Number: 7, Event: EventSensorSpecific}
	behind := &Sensor{Owner: 0x2c, Channel: 6, Number: 3, Event: EventSensorSpecific}
	silent := &Sensor{Owner: 0x2e, Channel: 6, Number: 3, Event: EventSensorSpecific}
	got := map[*Sensor]Reading{}
	if err := ReadSensors(ctx, d, []*Sensor{own, other, behind, silent}, Quirks{}, func(r Reading) { got[r.Sensor] = r }); err != nil {
		t.Fatal(err)
	}
	if own.Name != "One" || got[own].States != 1 || got[other].States != 2 || got[behind].States != 4 || !errors.Is(got[silent].Err, CodeTimeout) {
		t.Errorf("%+v", got)
	}
	sel, err := GetSELInfo(ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	if _, err := ReadSEL(ctx, d, sel, Cursor{}, 5, func(SELRecord, uint32) { n++ }); err != nil || n != 1 {
		t.Errorf("%d entries, %v", n, err)
	}
	if _, err := PowerOnTime(ctx, d); !errors.Is(err, CodeInvalidCommand) {
		t.Errorf("%v", err)
	}
}

// TestLocalTimeout gives up at the deadline, and does not take the late answer for the next one.
func TestLocalTimeout(t *testing.T) {
	d, k := localBMC(t, &ipmitest.BMC{})
	k.late = true
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := ChassisStatus(ctx, d)
	if took := time.Since(began); !errors.Is(err, ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) || took > time.Second {
		t.Errorf("%v after %v", err, took)
	}
	if _, err := ChassisStatus(ctx, d); !errors.Is(err, ErrTimeout) {
		t.Errorf("after the deadline: %v", err)
	}
	k.late, k.slow = false, 20*time.Millisecond // the reader has to wait
	if id, err := GetDeviceID(t.Context(), d); err != nil || id.Firmware != "2.34" {
		t.Errorf("%+v, %v", id, err)
	}
}

func TestOpenDevice(t *testing.T) {
	if _, err := OpenDevice(filepath.Join(t.TempDir(), "ipmi0")); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "ipmi_devintf") {
		t.Errorf("%v", err)
	}
	fifo := filepath.Join(t.TempDir(), "fifo") // opens and polls, but is no BMC
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := OpenDevice(fifo)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := GetDeviceID(t.Context(), c); !errors.Is(err, syscall.ENOTTY) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := GetDeviceID(ctx, c); err == nil {
		t.Error("no error")
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// TestDevicePermission says what is missing.
func TestDevicePermission(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may read anything")
	}
	path := filepath.Join(t.TempDir(), "ipmi0")
	if err := os.WriteFile(path, nil, 0o000); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenDevice(path); !errors.Is(err, syscall.EACCES) || !strings.Contains(err.Error(), "permission to read and write") {
		t.Errorf("%v", err)
	}
}
