package walk_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/inframind/inframind/exporters/snmp_exporter/conf"
	"github.com/inframind/inframind/exporters/snmp_exporter/walk"
)

// TestVersion3 logs in to a real net-snmp agent with every pair of protocols it knows.
func TestVersion3(t *testing.T) {
	snmpd, err := exec.LookPath("snmpd")
	if err != nil {
		t.Skip("snmpd is not installed (Debian package snmpd)")
	}
	addr := startSnmpd(t, snmpd)
	for _, tc := range []struct {
		name string
		auth conf.Auth
		bad  error
	}{
		{"SHA and AES", conf.Auth{Username: "shaaes", SecurityLevel: "authPriv", Password: "authpass1", PrivPassword: "privpass1", AuthProtocol: "SHA", PrivProtocol: "AES"}, nil},
		{"SHA-256 and AES", conf.Auth{Username: "sha256aes", SecurityLevel: "authPriv", Password: "authpass1", PrivPassword: "privpass1", AuthProtocol: "SHA256", PrivProtocol: "AES"}, nil},
		{"SHA-512 and AES-256", conf.Auth{Username: "sha512aes256", SecurityLevel: "authPriv", Password: "authpass1", PrivPassword: "privpass1", AuthProtocol: "SHA512", PrivProtocol: "AES256"}, nil},
		{"MD5 and DES", conf.Auth{Username: "md5des", SecurityLevel: "authPriv", Password: "authpass1", PrivPassword: "privpass1", AuthProtocol: "MD5", PrivProtocol: "DES"}, nil},
		{"authentication only", conf.Auth{Username: "shaaes", SecurityLevel: "authNoPriv", Password: "authpass1", AuthProtocol: "SHA"}, nil},
		{"wrong password", conf.Auth{Username: "shaaes", SecurityLevel: "authPriv", Password: "wrongpass", PrivPassword: "privpass1", AuthProtocol: "SHA", PrivProtocol: "AES"}, walk.ErrLogin},
		{"wrong key", conf.Auth{Username: "shaaes", SecurityLevel: "authPriv", Password: "authpass1", PrivPassword: "wrongpass", AuthProtocol: "SHA", PrivProtocol: "AES"}, walk.ErrLogin},
		{"unknown user", conf.Auth{Username: "nobody", SecurityLevel: "authNoPriv", Password: "authpass1", AuthProtocol: "SHA"}, walk.ErrLogin},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.auth.Version = 3
			dev := walk.NewDevice()
			for round := range 2 { // the second uses the engine id that the first found
				c, err := walk.Dial(t.Context(), addr, walk.Options{Auth: &tc.auth, Device: dev})
				if err != nil {
					t.Fatal(err)
				}
				walked, err := c.Walk(t.Context(), walk.Params{Retries: 1, Timeout: time.Second}, columns("1.3.6.1.2.1.1.9.1.", 2, 4))
				packets := c.Packets.Load()
				if closeErr := c.Close(); closeErr != nil {
					t.Error(closeErr)
				}
				if tc.bad != nil {
					// An agent may also keep silent about a wrong key.
					if !errors.Is(err, tc.bad) && (tc.name != "wrong key" || !errors.Is(err, walk.ErrNoAnswer)) {
						t.Errorf("error %v, want %v", err, tc.bad)
					}
					continue
				}
				if err != nil {
					t.Fatalf("round %d: %v", round, err)
				}
				for _, w := range walked {
					if len(w.Rows) < 5 || w.Err != nil {
						t.Errorf("round %d: %s: %d rows, %v", round, w.OID, len(w.Rows), w.Err)
					}
				}
				if round == 1 && packets > 3 {
					t.Errorf("%d packets although the engine is known", packets)
				}
			}
		})
	}
}

// TestTCP reads the same agent over TCP, and over UDP with a socket that takes any sender.
func TestTCP(t *testing.T) {
	snmpd, err := exec.LookPath("snmpd")
	if err != nil {
		t.Skip("snmpd is not installed (Debian package snmpd)")
	}
	addr := startSnmpd(t, snmpd)
	auth := &conf.Auth{Version: 3, Username: "shaaes", SecurityLevel: "authNoPriv", Password: "authpass1", AuthProtocol: "SHA"}
	for _, tc := range []struct {
		target string
		opts   walk.Options
	}{{"tcp://" + addr, walk.Options{Auth: auth}}, {"udp://" + addr, walk.Options{Auth: auth, Unconnected: true}}} {
		c, err := walk.Dial(t.Context(), tc.target, tc.opts)
		if err != nil {
			t.Fatal(err)
		}
		walked, err := c.Walk(t.Context(), walk.Params{Retries: 1, Timeout: time.Second}, columns("1.3.6.1.2.1.1.9.1.", 2, 4))
		if err != nil || len(walked) != 3 || len(walked[0].Rows) < 5 {
			t.Errorf("%s: %d columns, %v", tc.target, len(walked), err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

// startSnmpd runs a net-snmp agent of its own with SNMPv3 users.
func startSnmpd(t *testing.T, bin string) (addr string) {
	t.Helper()
	dir := t.TempDir()
	port := 20000 + os.Getpid()%20000
	addr = fmt.Sprintf("127.0.0.1:%d", port)
	var config strings.Builder
	for _, u := range []string{"shaaes SHA authpass1 AES privpass1", "sha256aes SHA-256 authpass1 AES privpass1", "sha512aes256 SHA-512 authpass1 AES-256 privpass1", "md5des MD5 authpass1 DES privpass1"} {
		config.WriteString("createUser " + u + "\nrouser " + strings.Fields(u)[0] + " auth\n")
	}
	file := filepath.Join(dir, "snmpd.conf")
	if err := os.WriteFile(file, []byte(config.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bin, "-f", "-Lf", filepath.Join(dir, "log"), "-C", "-c", file, "udp:"+addr, "tcp:"+addr)
	cmd.Env = append(os.Environ(), "SNMP_PERSISTENT_DIR="+dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	auth := &conf.Auth{Version: 3, Username: "shaaes", SecurityLevel: "authNoPriv", Password: "authpass1", AuthProtocol: "SHA"}
	for range 50 {
		c, err := walk.Dial(t.Context(), addr, walk.Options{Auth: auth})
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = c.Get(t.Context(), walk.Params{Timeout: 100 * time.Millisecond}, []string{"1.3.6.1.2.1.1.3.0"})
		_ = c.Close()
		if err == nil {
			return addr
		}
		time.Sleep(50 * time.Millisecond)
	}
	log, _ := os.ReadFile(filepath.Join(dir, "log"))
	t.Fatalf("snmpd does not answer: %s", log)
	return ""
}
