package ipmi

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"
	"unsafe"
)

// The kernel's interface, linux/ipmi.h.
type (
	ipmiSystemAddr struct {
		Type    int32
		Channel int16
		LUN     byte
		_       byte
	}
	ipmiIPMBAddr struct {
		Type       int32
		Channel    int16
		Slave, LUN byte
	}
	ipmiMsg struct {
		NetFn, Cmd byte
		Len        uint16
		Data       unsafe.Pointer
	}
	ipmiReq struct {
		Addr    unsafe.Pointer
		AddrLen uint32
		MsgID   int
		Msg     ipmiMsg
	}
	ipmiRecv struct {
		Type    int32
		Addr    unsafe.Pointer
		AddrLen uint32
		MsgID   int
		Msg     ipmiMsg
	}
)

const (
	systemInterfaceAddrType = 0x0c
	ipmbAddrType            = 0x01
	bmcChannel              = 0x0f
	responseRecvType        = 1
	localTimeout            = 5 * time.Second // the driver itself gives up after about as long
)

// ioctl request numbers: _IOR('i', 13, struct ipmi_req), _IOWR('i', 11, struct ipmi_recv).
const (
	ioctlSend = 2<<30 | unsafe.Sizeof(ipmiReq{})<<16 | 'i'<<8 | 13
	ioctlRecv = 3<<30 | unsafe.Sizeof(ipmiRecv{})<<16 | 'i'<<8 | 11
)

type device struct {
	file  *os.File
	raw   syscall.RawConn
	ioctl func(fd, request uintptr, arg unsafe.Pointer) syscall.Errno
	id    int
}

func newDevice(f *os.File) (*device, error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", f.Name(), err), f.Close())
	}
	return &device{file: f, raw: raw, ioctl: ioctl}, nil
}

// DefaultDevices are where the kernel puts the local BMC.
func DefaultDevices() []string { return []string{"/dev/ipmi0", "/dev/ipmi/0", "/dev/ipmidev/0"} }

// OpenDevice opens the local BMC. path may be empty to take the first of DefaultDevices.
func OpenDevice(path string) (Conn, error) {
	paths := []string{path}
	if path == "" {
		paths = DefaultDevices()
	}
	var first error
	for _, p := range paths {
		// Non-blocking, so that the runtime waits for answers and deadlines work.
		fd, err := syscall.Open(p, syscall.O_RDWR|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
		switch {
		case err == nil:
			return newDevice(os.NewFile(uintptr(fd), p))
		case errors.Is(err, syscall.EACCES):
			return nil, fmt.Errorf("local BMC: %s: %w: give the exporter's user permission to read and write it", p, err)
		case !errors.Is(err, os.ErrNotExist):
			return nil, fmt.Errorf("local BMC: %s: %w", p, err)
		case first == nil:
			first = fmt.Errorf("local BMC: %s: %w: load the kernel modules ipmi_si and ipmi_devintf, if the machine has a BMC", p, err)
		}
	}
	return nil, first
}

func (d *device) Info() ConnInfo { return ConnInfo{Interface: "local"} }

func (d *device) Close() error { return d.file.Close() }

// Exchange sends the requests one after the other: the driver's own queue is serial.
func (d *device) Exchange(ctx context.Context, reqs []Request, answer Answer) error {
	for i, r := range reqs {
		if ctx.Err() != nil {
			return ended(ctx)
		}
		data, err := d.one(ctx, r)
		var code CompletionCode
		if err != nil && !errors.As(err, &code) {
			return err
		}
		answer(i, data, err)
	}
	return nil
}

func (d *device) one(ctx context.Context, r Request) ([]byte, error) {
	d.id++
	addr := ipmiSystemAddr{Type: systemInterfaceAddrType, Channel: bmcChannel, LUN: r.LUN}
	req := ipmiReq{Addr: unsafe.Pointer(&addr), AddrLen: uint32(unsafe.Sizeof(addr)), MsgID: d.id}
	ipmb := ipmiIPMBAddr{Type: ipmbAddrType, Channel: int16(r.Bridge.Channel), Slave: r.Bridge.Address, LUN: r.LUN}
	if r.Bridge != (Bridge{}) { // the kernel does the wrapping
		req.Addr, req.AddrLen = unsafe.Pointer(&ipmb), uint32(unsafe.Sizeof(ipmb))
	}
	req.Msg = ipmiMsg{NetFn: r.NetFn, Cmd: r.Cmd, Len: uint16(len(r.Data)), Data: unsafe.Pointer(unsafe.SliceData(r.Data))}
	var errno syscall.Errno
	if err := d.raw.Control(func(fd uintptr) { errno = d.ioctl(fd, ioctlSend, unsafe.Pointer(&req)) }); err != nil || errno != 0 {
		return nil, fmt.Errorf("%s: send: %w", d.file.Name(), errors.Join(err, errnoError(errno)))
	}
	runtime.KeepAlive(&addr)
	runtime.KeepAlive(&ipmb)
	limit, cancel := context.WithTimeout(ctx, localTimeout)
	defer cancel()
	stop := context.AfterFunc(limit, func() { _ = d.file.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := d.file.SetReadDeadline(time.Time{}); err != nil {
		return nil, fmt.Errorf("%s: %w", d.file.Name(), err)
	}
	for limit.Err() == nil { // after the deadline was cleared, so that the context's setting is not lost
		id, data, err := d.receive()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil, ended(limit)
		case err != nil:
			return nil, fmt.Errorf("%s: receive: %w", d.file.Name(), err)
		case id != d.id: // the answer to a request that we gave up on
			continue
		case len(data) < 1:
			return nil, fmt.Errorf("%w: no completion code to %s", ErrMalformed, r)
		case data[0] != 0:
			return nil, CompletionCode(data[0])
		}
		return data[1:], nil
	}
	return nil, ended(limit)
}

// receive waits for the next answer.
func (d *device) receive() (id int, data []byte, err error) {
	var addr [64]byte
	buf := make([]byte, maxPacket)
	rec := ipmiRecv{Addr: unsafe.Pointer(&addr), AddrLen: uint32(len(addr))}
	rec.Msg.Data, rec.Msg.Len = unsafe.Pointer(unsafe.SliceData(buf)), uint16(len(buf))
	var errno syscall.Errno
	err = d.raw.Read(func(fd uintptr) (done bool) {
		errno = d.ioctl(fd, ioctlRecv, unsafe.Pointer(&rec))
		return errno != syscall.EAGAIN && errno != syscall.EINTR
	})
	runtime.KeepAlive(buf)
	if err = errors.Join(err, errnoError(errno)); err != nil {
		return 0, nil, err
	}
	if rec.Type != responseRecvType || int(rec.Msg.Len) > len(buf) {
		return -1, nil, nil
	}
	return rec.MsgID, buf[:rec.Msg.Len], nil
}

func ioctl(fd, request uintptr, arg unsafe.Pointer) syscall.Errno {
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, fd, request, uintptr(arg))
	return errno
}

// errnoError keeps errno 0 from becoming an error.
func errnoError(e syscall.Errno) error {
	if e == 0 || e == syscall.EAGAIN {
		return nil
	}
	return e
}
