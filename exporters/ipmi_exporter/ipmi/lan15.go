package ipmi

import (
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
)

// header15 is an IPMI 1.5 session packet taken apart (table 13-8).
type header15 struct {
	auth     byte
	sequence uint32
	session  uint32
	code     []byte
	message  []byte
}

// seal15 appends a 1.5 session packet. password is needed for authMD5 only.
func seal15(b []byte, auth byte, sequence, session uint32, password []byte, fill func([]byte) []byte) ([]byte, error) {
	b = append(b, rmcpHeader[:]...)
	b = append(b, auth)
	b = binary.LittleEndian.AppendUint32(b, sequence)
	b = binary.LittleEndian.AppendUint32(b, session)
	code := len(b)
	if auth != authNone {
		b = append(b, make([]byte, 16)...)
	}
	length := len(b)
	b = fill(append(b, 0))
	n := len(b) - length - 1
	if n > 255 {
		return nil, fmt.Errorf("message of %d bytes is too long for IPMI 1.5", n)
	}
	b[length] = byte(n)
	if auth == authMD5 {
		sum := authCode15(password, sequence, session, b[length+1:])
		copy(b[code:], sum[:])
	}
	return b, nil
}

// authCode15 is the MD5 AuthCode of section 22.17.1.
func authCode15(password []byte, sequence, session uint32, message []byte) [16]byte {
	var pw [16]byte
	copy(pw[:], password)
	b := make([]byte, 0, 40+len(message))
	b = append(b, pw[:]...)
	b = binary.LittleEndian.AppendUint32(b, session)
	b = append(b, message...)
	b = binary.LittleEndian.AppendUint32(b, sequence)
	b = append(b, pw[:]...)
	return md5.Sum(b)
}

func open15(pkt []byte) (h header15, ok bool) {
	if len(pkt) < 14 || pkt[0] != rmcpHeader[0] || pkt[3] != rmcpHeader[3] || pkt[4] == authRMCPPlus {
		return h, false
	}
	h.auth = pkt[4]
	h.sequence = binary.LittleEndian.Uint32(pkt[5:])
	h.session = binary.LittleEndian.Uint32(pkt[9:])
	rest := pkt[13:]
	if h.auth != authNone {
		if len(rest) < 17 {
			return h, false
		}
		h.code, rest = rest[:16], rest[16:]
	}
	n := int(rest[0])
	if n > len(rest)-1 {
		return h, false
	}
	h.message = rest[1 : 1+n]
	return h, true
}

// session15 is the codec of an active IPMI 1.5 session.
type session15 struct {
	auth     byte
	id       uint32
	sequence uint32 // of the next packet
	password []byte
	plain    bool // the BMC may answer without authentication codes
}

func (s *session15) seal(b []byte, fill func([]byte) []byte) ([]byte, error) {
	b, err := seal15(b, s.auth, s.sequence, s.id, s.password, fill)
	if s.sequence != 0 { // 0 is for the time before activation
		s.sequence++
	}
	return b, err
}

func (s *session15) open(pkt []byte) ([]byte, bool) {
	h, ok := open15(pkt)
	// Some BMCs answer the activation under the session's final id already.
	if activating := s.sequence == 0; !ok || h.session != s.id && !activating {
		return nil, false
	}
	if h.auth == authMD5 {
		sum := authCode15(s.password, h.sequence, h.session, h.message)
		return h.message, hmac.Equal(sum[:], h.code)
	}
	return h.message, h.auth == authNone && (s.plain || s.auth == authNone)
}

// dial15 opens an IPMI 1.5 session on l.
func dial15(ctx context.Context, l *link, opt Options, caps authCaps) (*lan, error) {
	if len(opt.Password) > 16 {
		return nil, fmt.Errorf("%w: IPMI 1.5 takes 16 bytes of password", ErrPassword)
	}
	auth := byte(authMD5)
	switch {
	case caps.types&(1<<authNone) != 0 && len(opt.Password) == 0:
		auth = authNone
	case caps.types&(1<<authMD5) != 0:
	default:
		return nil, fmt.Errorf("%w: the BMC offers neither MD5 nor, for an empty password, none", ErrSuite)
	}
	var user [16]byte
	copy(user[:], opt.User)
	pre := &lan{link: l, codec: bare{}}
	r, err := do(ctx, pre, 20, Request{NetFn: netFnApp, Cmd: 0x39, Data: append([]byte{auth}, user[:]...)})
	if err != nil {
		var c CompletionCode
		if errors.As(err, &c) && (c == 0x81 || c == 0x82) {
			err = fmt.Errorf("%w: %w", ErrUser, err)
		}
		return nil, fmt.Errorf("session challenge: %w", err)
	}
	s := &session15{auth: auth, id: binary.LittleEndian.Uint32(r), password: opt.Password, plain: caps.status&0x10 != 0}
	var first [4]byte
	if _, err := rand.Read(first[:]); err != nil {
		return nil, err
	}
	first[0] |= 1 // our initial outbound number must not be 0
	c := &lan{link: l, codec: s, rq: pre.rq, info: ConnInfo{Interface: "lan 1.5"}}
	data := append([]byte{auth, byte(opt.Privilege)}, r[4:20]...)
	r, err = do(ctx, c, 10, Request{NetFn: netFnApp, Cmd: 0x3a, Data: append(data, first[:]...)})
	if err != nil {
		return nil, fmt.Errorf("activate session: %w", activateError(err))
	}
	s.auth, s.id, s.sequence = r[0]&0x0f, binary.LittleEndian.Uint32(r[1:]), binary.LittleEndian.Uint32(r[5:])
	if s.auth != authNone && s.auth != authMD5 {
		return nil, fmt.Errorf("%w: BMC switched to authentication type %d", ErrMalformed, s.auth)
	}
	if s.sequence == 0 {
		s.sequence = 1
	}
	c.session = s.id
	return c, nil
}

// activateError gives the codes of Activate Session (table 22-21) their meaning. A BMC
// that finds a wrong authentication code keeps silent.
func activateError(err error) error {
	var c CompletionCode
	if errors.Is(err, ErrTimeout) {
		return fmt.Errorf("%w, or the packets were lost: %w", ErrPassword, err)
	}
	if !errors.As(err, &c) {
		return err
	}
	switch c {
	case 0x81, 0x82, 0x83:
		return fmt.Errorf("%w: %w", ErrBusy, err)
	case 0x85:
		return fmt.Errorf("%w: %w", ErrPassword, err)
	case 0x86:
		return fmt.Errorf("%w: %w", ErrPrivilege, err)
	}
	return err
}
