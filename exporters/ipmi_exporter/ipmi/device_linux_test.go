package ipmi

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

func TestIoctlNumbers(t *testing.T) {
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skip("known for 64-bit machines")
	}
	// IPMICTL_SEND_COMMAND and IPMICTL_RECEIVE_MSG_TRUNC of linux/ipmi.h, as strace shows them.
	if ioctlSend != 0x8028690d || ioctlRecv != 0xc030690b {
		t.Errorf("%#x %#x", uintptr(ioctlSend), uintptr(ioctlRecv))
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
