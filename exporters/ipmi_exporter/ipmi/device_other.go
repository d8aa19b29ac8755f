//go:build !linux

package ipmi

import "errors"

// DefaultDevices is empty: only Linux has a driver that is spoken here.
func DefaultDevices() []string { return nil }

// OpenDevice fails: the local interface is Linux's.
func OpenDevice(string) (Conn, error) {
	return nil, errors.New("the local BMC can be reached on Linux only; use IPMI over LAN")
}
