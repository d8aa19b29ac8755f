package ipmi

import (
	"errors"
	"fmt"
)

// What goes wrong between us and a BMC in a way the operator can act on. Every error of
// Dial matches at most one of them with errors.Is.
var (
	// ErrUser means that the BMC does not know the user name.
	ErrUser = errors.New("user name unknown, or not enabled for IPMI over LAN")
	// ErrPassword means that user and BMC do not share the password (or the BMC key).
	ErrPassword = errors.New("wrong password")
	// ErrPrivilege means that the user or the channel may not work at the wanted level.
	ErrPrivilege = errors.New("privilege level refused")
	// ErrSuite means that the BMC offers none of the wanted cipher suites.
	ErrSuite = errors.New("no common cipher suite")
	// ErrBusy means that the BMC has no free session slot.
	ErrBusy = errors.New("no free session on the BMC")
	// ErrTimeout means that the BMC did not answer any of the tries.
	ErrTimeout = errors.New("no answer")
	// ErrMalformed means that an answer was shorter than the specification allows, or
	// contradicts itself.
	ErrMalformed = errors.New("malformed answer")
)

// CompletionCode is the non-zero status of a command that the BMC refused.
type CompletionCode byte

// Completion codes that callers react to (IPMI 2.0, table 5-2).
const (
	CodeNodeBusy            CompletionCode = 0xc0
	CodeInvalidCommand      CompletionCode = 0xc1
	CodeInvalidForLUN       CompletionCode = 0xc2
	CodeTimeout             CompletionCode = 0xc3
	CodeReservation         CompletionCode = 0xc5
	CodeCannotReturnLength  CompletionCode = 0xca
	CodeNotPresent          CompletionCode = 0xcb
	CodeIllegalForSensor    CompletionCode = 0xcd
	CodeCannotRespond       CompletionCode = 0xce
	CodeDuplicated          CompletionCode = 0xcf
	CodeRepositoryUpdating  CompletionCode = 0xd0
	CodeDestination         CompletionCode = 0xd3
	CodePrivilege           CompletionCode = 0xd4
	CodeNotSupportedInState CompletionCode = 0xd5
	CodeUnspecified         CompletionCode = 0xff
)

// codeText holds the generic completion codes of table 5-2.
func codeText(c CompletionCode) string {
	switch c {
	case CodeNodeBusy:
		return "node busy"
	case CodeInvalidCommand:
		return "command not supported"
	case CodeInvalidForLUN:
		return "command invalid for this LUN"
	case CodeTimeout:
		return "timeout inside the BMC"
	case 0xc4:
		return "out of space"
	case CodeReservation:
		return "reservation lost"
	case 0xc6:
		return "request truncated"
	case 0xc7:
		return "request length invalid"
	case 0xc8:
		return "request too long"
	case 0xc9:
		return "parameter out of range"
	case CodeCannotReturnLength:
		return "cannot return that many bytes"
	case CodeNotPresent:
		return "sensor, data or record not present"
	case 0xcc:
		return "invalid data field"
	case CodeIllegalForSensor:
		return "command illegal for this sensor or record"
	case CodeCannotRespond:
		return "response could not be provided"
	case CodeDuplicated:
		return "duplicated request"
	case CodeRepositoryUpdating:
		return "SDR repository is being updated"
	case 0xd1:
		return "firmware is being updated"
	case 0xd2:
		return "BMC is initialising"
	case CodeDestination:
		return "destination unavailable"
	case CodePrivilege:
		return "insufficient privilege"
	case CodeNotSupportedInState:
		return "not possible in the present state"
	case 0xd6:
		return "sub-function disabled"
	case CodeUnspecified:
		return "unspecified error"
	default:
		return "command-specific or OEM code"
	}
}

// Error says the code in hexadecimal and in words.
func (c CompletionCode) Error() string {
	return fmt.Sprintf("%s (completion code 0x%02x)", codeText(c), byte(c))
}

// Is makes an insufficient-privilege answer an ErrPrivilege.
func (c CompletionCode) Is(target error) bool {
	return target == ErrPrivilege && c == CodePrivilege
}

// Absent tells whether err says that the BMC does not have what was asked for: a
// command, a sensor or a record. Such answers are final; others may pass.
func Absent(err error) bool {
	var c CompletionCode
	if !errors.As(err, &c) {
		return false
	}
	switch c {
	case CodeInvalidCommand, CodeInvalidForLUN, CodeNotPresent, CodeIllegalForSensor, CodeDestination, CodeNotSupportedInState, 0xc9, 0xcc, 0xd6, 0x80, 0x81, 0x82:
		return true
	}
	return false
}

// rakpStatus is the status byte of the RMCP+ session set-up (table 13-15).
type rakpStatus byte

func (s rakpStatus) Error() string {
	text := map[rakpStatus]string{
		0x01: "insufficient resources", 0x02: "invalid session id", 0x03: "invalid payload type",
		0x04: "invalid authentication algorithm", 0x05: "invalid integrity algorithm",
		0x06: "no matching authentication payload", 0x07: "no matching integrity payload",
		0x08: "inactive session id", 0x09: "invalid role", 0x0a: "unauthorized role or privilege level",
		0x0b: "insufficient resources for the role", 0x0c: "invalid name length", 0x0d: "unauthorized name",
		0x0e: "unauthorized GUID", 0x0f: "invalid integrity check value",
		0x10: "invalid confidentiality algorithm", 0x11: "no cipher suite match", 0x12: "illegal parameter",
	}[s]
	if text == "" {
		text = "unknown status"
	}
	if kind := s.Unwrap(); kind != nil {
		text = kind.Error() + ": " + text
	}
	return fmt.Sprintf("%s (RMCP+ status 0x%02x)", text, byte(s))
}

// Unwrap returns the sentinel that the status means, or nil.
func (s rakpStatus) Unwrap() error {
	switch s {
	case 0x01, 0x0b:
		return ErrBusy
	case 0x04, 0x05, 0x06, 0x07, 0x10, 0x11:
		return ErrSuite
	case 0x09, 0x0a:
		return ErrPrivilege
	case 0x0c, 0x0d:
		return ErrUser
	case 0x0f:
		return ErrPassword
	}
	return nil
}

// sessionLost tells whether the BMC has forgotten the session being set up, so that only
// a new attempt from the start can help.
func (s rakpStatus) sessionLost() bool { return s == 0x02 || s == 0x08 }
