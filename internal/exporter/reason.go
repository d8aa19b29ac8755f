package exporter

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
)

// Reasons why a probe or a collector failed: the bounded values of the label "reason".
const (
	ReasonTimeout      = "timeout"      // the deadline passed
	ReasonRefused      = "refused"      // the port is closed
	ReasonUnreachable  = "unreachable"  // no route, or the host is silent on the network layer
	ReasonDNS          = "dns"          // the name does not resolve
	ReasonTLS          = "tls"          // certificate or handshake
	ReasonUnauthorized = "unauthorized" // user, password or privilege refused
	ReasonCredentials  = "credentials"  // the secret could not be read or fetched
	ReasonBusy         = "busy"         // the device or our own limits have no room now
	ReasonProtocol     = "protocol"     // the answer is not what the protocol promises
	ReasonUnsupported  = "unsupported"  // the device does not offer it
	ReasonPanic        = "panic"        // a bug of ours; the log has the stack
	ReasonError        = "error"        // anything else
)

// Failure is an error with a bounded reason.
type Failure struct {
	Reason string
	Err    error
}

func (f *Failure) Error() string { return f.Err.Error() }

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Fail gives err a reason. It returns nil when err is nil.
func Fail(reason string, err error) error {
	if err == nil {
		return nil
	}
	return &Failure{Reason: reason, Err: err}
}

// Failf is Fail(reason, fmt.Errorf(...)).
func Failf(reason, format string, args ...any) error {
	return &Failure{Reason: reason, Err: fmt.Errorf(format, args...)}
}

// Reason finds the reason of any error: that of the Failure in it, or one by its kind.
func Reason(err error) string {
	var (
		f       *Failure
		dns     *net.DNSError
		cert    *tls.CertificateVerificationError
		record  tls.RecordHeaderError
		alert   tls.AlertError
		unknown x509.UnknownAuthorityError
		name    x509.HostnameError
		netErr  net.Error
	)
	switch {
	case err == nil:
		return ""
	case errors.As(err, &f):
		return f.Reason
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), errors.Is(err, os.ErrDeadlineExceeded):
		return ReasonTimeout
	case errors.As(err, &dns):
		return ReasonDNS
	case errors.As(err, &cert), errors.As(err, &record), errors.As(err, &alert), errors.As(err, &unknown), errors.As(err, &name):
		return ReasonTLS
	case errors.Is(err, syscall.ECONNREFUSED):
		return ReasonRefused
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTDOWN):
		return ReasonUnreachable
	case errors.As(err, &netErr) && netErr.Timeout():
		return ReasonTimeout
	default:
		return ReasonError
	}
}
