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

	"golang.org/x/sys/unix"
)

// The kernel's interface, linux/ipmi.h.
type (
	ipmiSystemAddr struct {
		Type    int32
		Channel int16
		LUN     byte
		_       byte
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
	file *os.File
	id   int
}

// DefaultDevices are where the kernel puts the local BMC.
func DefaultDevices() []string { return []string{"/dev/ipmi0", "/dev/ipmi/0", "/dev/ipmidev/0"} }

// OpenDevice opens the local BMC. path may be empty to take the first of DefaultDevices.
func OpenDevice(path string) (Conn, error) {
	paths := []string{path}
	if path == "" {
		paths = DefaultDevices()
	}
	var errs []error
	for _, p := range paths {
		fd, err := unix.Open(p, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		if err == nil {
			return &device{file: os.NewFile(uintptr(fd), p)}, nil
		}
		errs = append(errs, fmt.Errorf("%s: %w", p, err))
	}
	return nil, fmt.Errorf("local BMC (is the module ipmi_devintf loaded?): %w", errors.Join(errs...))
}

func (d *device) Info() ConnInfo { return ConnInfo{Interface: "local"} }

func (d *device) Close() error { return d.file.Close() }

// Exchange sends the requests one after the other: the driver's own queue is serial.
func (d *device) Exchange(ctx context.Context, reqs []Request, answer Answer) error {
	for i, r := range reqs {
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
	req.Msg = ipmiMsg{NetFn: r.NetFn, Cmd: r.Cmd, Len: uint16(len(r.Data)), Data: unsafe.Pointer(unsafe.SliceData(r.Data))}
	if err := d.ioctl(ioctlSend, unsafe.Pointer(&req)); err != nil {
		return nil, fmt.Errorf("%s: send: %w", d.file.Name(), err)
	}
	runtime.KeepAlive(&addr)
	limit, cancel := context.WithTimeout(ctx, localTimeout)
	defer cancel()
	for {
		if err := d.wait(limit); err != nil {
			return nil, err
		}
		id, data, err := d.receive()
		if err != nil {
			return nil, err
		}
		if id != d.id { // the answer to a request that we gave up on
			continue
		}
		if len(data) < 1 {
			return nil, fmt.Errorf("%w: no completion code to %s", ErrMalformed, r)
		}
		if data[0] != 0 {
			return nil, CompletionCode(data[0])
		}
		return data[1:], nil
	}
}

func (d *device) receive() (id int, data []byte, err error) {
	var addr [64]byte
	buf := make([]byte, maxPacket)
	rec := ipmiRecv{Addr: unsafe.Pointer(&addr), AddrLen: uint32(len(addr))}
	rec.Msg.Data, rec.Msg.Len = unsafe.Pointer(unsafe.SliceData(buf)), uint16(len(buf))
	err = d.ioctl(ioctlRecv, unsafe.Pointer(&rec))
	runtime.KeepAlive(buf)
	if errors.Is(err, syscall.EAGAIN) {
		return -1, nil, nil
	}
	if err != nil {
		return 0, nil, fmt.Errorf("%s: receive: %w", d.file.Name(), err)
	}
	if rec.Type != responseRecvType || int(rec.Msg.Len) > len(buf) {
		return -1, nil, nil
	}
	return rec.MsgID, buf[:rec.Msg.Len], nil
}

// wait blocks until the driver has an answer. It looks at ctx ten times a second: a
// file descriptor of this driver cannot be woken from another goroutine.
func (d *device) wait(ctx context.Context) error {
	for {
		if ctx.Err() != nil {
			return ended(ctx)
		}
		var n int
		err := d.control(func(fd uintptr) error {
			var err error
			n, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 100)
			return err
		})
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return fmt.Errorf("%s: poll: %w", d.file.Name(), err)
		}
		if n > 0 {
			return nil
		}
	}
}

func (d *device) ioctl(request uintptr, arg unsafe.Pointer) error {
	return d.control(func(fd uintptr) error {
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, fd, request, uintptr(arg)); errno != 0 {
			return errno
		}
		return nil
	})
}

// control runs f with the descriptor, which stays open meanwhile.
func (d *device) control(f func(fd uintptr) error) error {
	raw, err := d.file.SyscallConn()
	if err != nil {
		return err
	}
	var ferr error
	if err := raw.Control(func(fd uintptr) { ferr = f(fd) }); err != nil {
		return err
	}
	return ferr
}
