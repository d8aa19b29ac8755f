package ipmi

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
)

// Payload types of the session set-up (table 13-16). An answer has the next number.
const (
	payloadOpen  = 0x10
	payloadRAKP1 = 0x12
	payloadRAKP3 = 0x14
)

// nameOnly asks the BMC to look the user up by name alone, whatever the level.
const nameOnly = 0x10

// Names of deviations that are recognised by themselves while a session is set up.
const (
	quirkPaddedName = "padded_user_name" // early Intel boards hash the name padded to 16 bytes
	quirkShortRAKP4 = "full_length_rakp4"
)

// handshake sets up one RMCP+ session (section 13.15 and following).
type handshake struct {
	link   *link
	opt    Options
	alg    algorithms
	tag    byte
	quirks []string

	ours, theirs   [4]byte // session ids as they go over the wire
	random, remote [16]byte
	guid           [16]byte
	name           []byte // role, length and user name as hashed
}

// run tries twice: a BMC that lost track of a repeated message needs a new session.
func (h *handshake) run(ctx context.Context) (*session20, error) {
	s, err := h.attempt(ctx)
	var status rakpStatus
	if errors.As(err, &status) && status.sessionLost() {
		s, err = h.attempt(ctx)
	}
	return s, err
}

func (h *handshake) attempt(ctx context.Context) (*session20, error) {
	var id [4]byte
	if _, err := rand.Read(id[:]); err != nil {
		return nil, err
	}
	if _, err := rand.Read(h.random[:]); err != nil {
		return nil, err
	}
	id[0] |= 1 // 0 means "no session"
	h.ours = id
	if err := h.open(ctx); err != nil {
		return nil, err
	}
	if err := h.rakp1(ctx); err != nil {
		return nil, err
	}
	kg := h.opt.BMCKey
	if len(kg) == 0 {
		kg = h.opt.Password
	}
	sik := keyed(h.alg, kg, h.random[:], h.remote[:], h.name)
	if err := h.rakp3(ctx, sik); err != nil {
		return nil, err
	}
	return newSession20(binary.LittleEndian.Uint32(h.ours[:]), binary.LittleEndian.Uint32(h.theirs[:]), h.alg, sik)
}

// open is the Open Session Request. It asks for the highest level the suite allows: some
// BMCs refuse less there; what the user gets is decided in RAKP 1.
func (h *handshake) open(ctx context.Context) error {
	p := append([]byte{0, 0, 0, 0}, h.ours[:]...)
	p = append(p, 0, 0, 0, 8, h.alg.auth, 0, 0, 0)
	p = append(p, 1, 0, 0, 8, h.alg.integrity, 0, 0, 0)
	p = append(p, 2, 0, 0, 8, 1, 0, 0, 0) // AES-CBC-128
	r, err := h.send(ctx, payloadOpen, p, 12)
	if err != nil {
		return fmt.Errorf("open session: %w", err)
	}
	copy(h.theirs[:], r[8:12])
	return nil
}

func (h *handshake) rakp1(ctx context.Context) error {
	role := byte(h.opt.Privilege) | nameOnly
	user := h.opt.User
	p := append([]byte{0, 0, 0, 0}, h.theirs[:]...)
	p = append(p, h.random[:]...)
	p = append(p, role, 0, 0, byte(len(user)))
	p = append(p, user...)
	size := h.alg.hash().Size()
	r, err := h.send(ctx, payloadRAKP1, p, 40+size)
	if err != nil {
		return fmt.Errorf("user name exchange: %w", err)
	}
	copy(h.remote[:], r[8:24])
	copy(h.guid[:], r[24:40])
	code := r[40 : 40+size]
	h.name = append([]byte{role, byte(len(user))}, user...)
	if h.proves(code) {
		return nil
	}
	plain := h.name
	h.name = append([]byte{role, byte(len(user))}, pad16(user)...)
	if h.proves(code) {
		h.quirks = append(h.quirks, quirkPaddedName)
		return nil
	}
	h.name = plain
	h.refuse()
	return fmt.Errorf("user name exchange: %w (or user name, or BMC key)", ErrPassword)
}

// proves tells whether code shows that the BMC knows the password (section 13.31).
func (h *handshake) proves(code []byte) bool {
	want := keyed(h.alg, h.opt.Password, h.ours[:], h.theirs[:], h.random[:], h.remote[:], h.guid[:], h.name)
	return hmac.Equal(want, code)
}

// refuse tells the BMC that we go no further, so that it frees the session at once.
func (h *handshake) refuse() {
	p := append([]byte{0, 0x0f, 0, 0}, h.theirs[:]...)
	// Best effort: the BMC's own timer frees the slot when this is lost.
	_, _ = h.link.conn.Write(setupPacket(nil, payloadRAKP3, p))
}

func (h *handshake) rakp3(ctx context.Context, sik []byte) error {
	code := keyed(h.alg, h.opt.Password, h.remote[:], h.ours[:], h.name)
	p := append([]byte{0, 0, 0, 0}, h.theirs[:]...)
	r, err := h.send(ctx, payloadRAKP3, append(p, code...), 8+h.alg.icv)
	if err != nil {
		return fmt.Errorf("password exchange: %w", err)
	}
	want := keyed(h.alg, sik, h.random[:], h.theirs[:], h.guid[:])
	got := r[8:]
	if len(got) == len(want) { // not truncated, as some firmware does it
		h.quirks = append(h.quirks, quirkShortRAKP4)
	} else {
		got, want = got[:h.alg.icv], want[:h.alg.icv]
	}
	if !hmac.Equal(got, want) {
		return fmt.Errorf("password exchange: %w: the BMC could not prove that it has the key", ErrPassword)
	}
	return nil
}

// send exchanges one set-up message; its first byte becomes the tag that pairs request
// and answer. An answer shorter than min is malformed; a status other than 0 is an error.
func (h *handshake) send(ctx context.Context, kind byte, payload []byte, min int) ([]byte, error) {
	h.tag++
	payload[0] = h.tag
	var out []byte
	err := h.link.exchange(ctx, 1, func(_ int, b []byte) ([]byte, error) {
		return setupPacket(b, kind, payload), nil
	}, func(pkt []byte) int {
		if len(pkt) < 18 || pkt[4] != authRMCPPlus || pkt[5]&0x3f != kind+1 || pkt[16] != h.tag {
			return -1
		}
		n := int(binary.LittleEndian.Uint16(pkt[14:]))
		if n < 2 || 16+n > len(pkt) {
			return -1
		}
		out = append([]byte(nil), pkt[16:16+n]...)
		return 0
	})
	switch {
	case err != nil:
		return nil, err
	case out[1] != 0:
		return nil, rakpStatus(out[1])
	case len(out) < min:
		return nil, fmt.Errorf("%w: %d bytes, expected %d or more", ErrMalformed, len(out), min)
	case len(out) >= 8 && [4]byte(out[4:8]) != h.ours:
		return nil, fmt.Errorf("%w: answer is for another session", ErrMalformed)
	}
	return out, nil
}

// setupPacket appends an RMCP+ packet outside of any session.
func setupPacket(b []byte, kind byte, payload []byte) []byte {
	b = append(b, rmcpHeader[:]...)
	b = append(b, authRMCPPlus, kind, 0, 0, 0, 0, 0, 0, 0, 0, byte(len(payload)), byte(len(payload)>>8))
	return append(b, payload...)
}

func pad16(s string) []byte {
	var b [16]byte
	copy(b[:], s)
	return b[:]
}
