// Package ipmitest gives tests BMCs to talk to: OpenIPMI's simulator, a small BMC of our
// own for what the simulator cannot do, and a UDP proxy that makes either slow, lossy or mute.
package ipmitest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Credentials of every BMC here.
const (
	User     = "admin"
	Password = "secret"
)

// lanConf lets OpenIPMI's simulator serve one BMC.
const lanConf = `name "%[1]s"
set_working_mc 0x20
  chassis_control "%[2]s/chassis.sh 0x20"
  startlan 1
    addr 127.0.0.1 %[3]d
    priv_limit admin
    allowed_auths_callback none md2 md5 straight
    allowed_auths_user none md2 md5 straight
    allowed_auths_operator none md2 md5 straight
    allowed_auths_admin none md2 md5 straight
    guid a123456789abcdefa123456700004caf
  endlan
  user 1 true  ""      "test" user  10 none md2 md5 straight
  user 2 true  "admin" "secret" admin 10 none md2 md5 straight
`

// chassis answers the simulator's questions about power.
const chassis = `#!/bin/sh
op=$2; shift 2
case $op in
 get) for i in "$@"; do case $i in power) echo "power:1";; *) echo "$i:0";; esac; done;;
esac
exit 0
`

// Sim starts ipmi_sim for the BMC that the file emu defines and returns its address. The
// test is skipped where the Debian package openipmi is missing.
func Sim(tb testing.TB, emu string) string {
	tb.Helper()
	path, err := exec.LookPath("ipmi_sim")
	if err != nil {
		tb.Skip("ipmi_sim is not installed (Debian package openipmi)")
	}
	dir := tb.TempDir()
	port := FreePort(tb)
	write(tb, filepath.Join(dir, "chassis.sh"), chassis, 0o700)
	write(tb, filepath.Join(dir, "lan.conf"), fmt.Sprintf(lanConf, filepath.Base(emu), dir, port), 0o600)
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		tb.Fatal(err)
	}
	cmd := exec.Command(path, "-c", filepath.Join(dir, "lan.conf"), "-f", emu, "-s", filepath.Join(dir, "state"), "-n")
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		_ = log.Close()
	})
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	waitReady(tb, addr)
	return addr
}

func write(tb testing.TB, path, content string, mode os.FileMode) {
	tb.Helper()
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		tb.Fatal(err)
	}
}

// FreePort finds a port of 127.0.0.1 that a process may be told to listen on. It is below
// those that the kernel gives away, so that nobody else takes it in between.
func FreePort(tb testing.TB) int {
	tb.Helper()
	for range 100 {
		port := 10_000 + rand.IntN(20_000)
		c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
		if err != nil {
			continue
		}
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		_ = c.Close()
		if err == nil {
			_ = l.Close()
			return port
		}
	}
	tb.Fatal("no free port")
	return 0
}

// waitReady asks for the channel's authentication capabilities until it is answered.
func waitReady(tb testing.TB, addr string) {
	tb.Helper()
	ask := []byte{6, 0, 0xff, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0x20, 0x18, 0xc8, 0x81, 0, 0x38, 0x8e, 4, 0xb5}
	buf := make([]byte, 256)
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		c, err := net.Dial("udp", addr)
		if err != nil {
			tb.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(100 * time.Millisecond))
		_, err = c.Write(ask)
		if err == nil {
			_, err = c.Read(buf)
		}
		_ = c.Close()
		if err == nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	tb.Fatalf("the BMC at %s did not start", addr)
}
