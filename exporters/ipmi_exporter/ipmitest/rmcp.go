package ipmitest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"strings"
)

// session is one client of a BMC.
type session struct {
	client, own uint32
	suite       byte
	consoleRand [16]byte
	bmcRand     [16]byte
	role        byte
	name        string
	k1          []byte
	block       cipher.Block
	sent        uint32
	active      bool
	v15         bool
}

var guid = [16]byte{0xa1, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 1, 2, 3, 4, 5, 6, 7, 8}

func (s *session) hash() func() hash.Hash {
	if s.suite == 17 {
		return sha256.New
	}
	return sha1.New
}

func (s *session) icv() int {
	if s.suite == 17 {
		return 16
	}
	return 12
}

func (s *session) mac(key []byte, parts ...[]byte) []byte {
	m := hmac.New(s.hash(), key)
	for _, p := range parts {
		m.Write(p)
	}
	return m.Sum(nil)
}

func le32(v uint32) []byte { return binary.LittleEndian.AppendUint32(nil, v) }

// packet answers one datagram.
func (b *BMC) packet(p []byte) []byte {
	if len(p) < 14 || p[0] != 6 || p[3] != 7 {
		return nil
	}
	if p[4] != 6 {
		return b.packet15(p)
	}
	if len(p) < 16 {
		return nil
	}
	n := int(binary.LittleEndian.Uint16(p[14:]))
	if b.Only15 || 16+n > len(p) {
		return nil
	}
	switch p[5] & 0x3f {
	case 0x10:
		return b.openSession(p[16 : 16+n])
	case 0x12:
		return b.rakp1(p[16 : 16+n])
	case 0x14:
		return b.rakp3(p[16 : 16+n])
	case 0:
		return b.inSession(p)
	}
	return nil
}

func setup(kind byte, payload ...[]byte) []byte {
	var body []byte
	for _, p := range payload {
		body = append(body, p...)
	}
	out := []byte{6, 0, 0xff, 7, 6, kind, 0, 0, 0, 0, 0, 0, 0, 0, byte(len(body)), byte(len(body) >> 8)}
	return append(out, body...)
}

func (b *BMC) openSession(p []byte) []byte {
	if len(p) != 32 {
		return nil
	}
	if b.Mute17 && p[12] == 3 {
		return nil
	}
	client := p[4:8]
	refuse := func(status byte) []byte { return setup(0x11, []byte{p[0], status, 0, 0}, client) }
	var suite byte
	for _, id := range b.Suites {
		auth, integrity := byte(1), byte(1)
		if id == 17 {
			auth, integrity = 3, 4
		}
		if p[12] == auth && p[20] == integrity && p[28] == 1 {
			suite = id
		}
	}
	if suite == 0 {
		return refuse(0x11)
	}
	if len(b.sessions) >= b.MaxSession {
		return refuse(0x01)
	}
	b.next += 0x101
	s := &session{client: binary.LittleEndian.Uint32(client), own: b.next, suite: suite}
	b.sessions[s.own] = s
	return setup(0x11, []byte{p[0], 0, 4, 0}, client, le32(s.own), p[8:32])
}

func (b *BMC) password(name string) (string, bool) {
	if name != User && (name != "" || !b.Anonymous) {
		return "", false
	}
	if b.Password != "" {
		return b.Password, true
	}
	return Password, true
}

func (b *BMC) rakp1(p []byte) []byte {
	if len(p) < 28 || len(p) != 28+int(p[27]) {
		return nil
	}
	s := b.sessions[binary.LittleEndian.Uint32(p[4:])]
	if s == nil {
		return setup(0x13, []byte{p[0], 0x02, 0, 0}, make([]byte, 4))
	}
	copy(s.consoleRand[:], p[8:])
	s.role, s.name = p[24], string(p[28:])
	pw, ok := b.password(s.name)
	if !ok {
		delete(b.sessions, s.own)
		return setup(0x13, []byte{p[0], 0x0d, 0, 0}, le32(s.client))
	}
	if _, err := rand.Read(s.bmcRand[:]); err != nil {
		return nil
	}
	code := s.mac([]byte(pw), le32(s.client), le32(s.own), s.consoleRand[:], s.bmcRand[:], guid[:], b.hashedName(s))
	return setup(0x13, []byte{p[0], 0, 0, 0}, le32(s.client), s.bmcRand[:], guid[:], code)
}

func (b *BMC) hashedName(s *session) []byte {
	name := s.name
	if b.PadName {
		name += strings.Repeat("\x00", 16-len(name))
	}
	return append([]byte{s.role, byte(len(s.name))}, name...)
}

func (b *BMC) rakp3(p []byte) []byte {
	if len(p) < 8 {
		return nil
	}
	s := b.sessions[binary.LittleEndian.Uint32(p[4:])]
	if s == nil {
		return setup(0x15, []byte{p[0], 0x02, 0, 0}, make([]byte, 4))
	}
	if p[1] != 0 { // the console gives up
		delete(b.sessions, s.own)
		return nil
	}
	pw, _ := b.password(s.name)
	want := s.mac([]byte(pw), s.bmcRand[:], le32(s.client), b.hashedName(s))
	if !hmac.Equal(want, p[8:]) {
		delete(b.sessions, s.own)
		return setup(0x15, []byte{p[0], 0x0f, 0, 0}, le32(s.client))
	}
	key := pw
	if b.Kg != "" {
		key = b.Kg
	}
	sik := s.mac([]byte(key), s.consoleRand[:], s.bmcRand[:], b.hashedName(s))
	s.k1 = s.mac(sik, []byte(strings.Repeat("\x01", 20)))
	var err error
	if s.block, err = aes.NewCipher(s.mac(sik, []byte(strings.Repeat("\x02", 20)))[:16]); err != nil {
		return nil
	}
	s.active = true
	b.opened++
	code := s.mac(sik, s.consoleRand[:], le32(s.own), guid[:])
	if !b.FullRAKP4 {
		code = code[:s.icv()]
	}
	return setup(0x15, []byte{p[0], 0, 0, 0}, le32(s.client), code)
}

func (b *BMC) inSession(p []byte) []byte {
	s := b.sessions[binary.LittleEndian.Uint32(p[6:])]
	if s == nil || !s.active || p[5] != 0xc0 {
		return nil
	}
	cut := len(p) - s.icv()
	n := int(binary.LittleEndian.Uint16(p[14:]))
	if cut < 48 || 16+n > cut || n%16 != 0 || !hmac.Equal(s.mac(s.k1, p[4:cut])[:s.icv()], p[cut:]) {
		return nil
	}
	m := append([]byte(nil), p[32:16+n]...)
	cipher.NewCBCDecrypter(s.block, p[16:32]).CryptBlocks(m, m)
	pad := int(m[len(m)-1])
	for i := range pad { // 1, 2, 3, ... as the specification has it
		if m[len(m)-1-pad+i] != byte(i+1) {
			return nil
		}
	}
	answer := b.answerMessage(m[:len(m)-1-pad], s)
	if answer == nil {
		return nil
	}
	return s.seal(answer)
}

func (s *session) seal(m []byte) []byte {
	iv := make([]byte, 16)
	if _, err := rand.Read(iv); err != nil {
		return nil
	}
	pads := byte(0)
	for (len(m)+1)%16 != 0 {
		pads++
		m = append(m, pads)
	}
	m = append(m, pads)
	cipher.NewCBCEncrypter(s.block, iv).CryptBlocks(m, m)
	s.sent++
	out := []byte{6, 0, 0xff, 7, 6, 0xc0}
	out = append(out, le32(s.client)...)
	out = append(out, le32(s.sent)...)
	out = append(out, byte(16+len(m)), byte((16+len(m))>>8))
	out = append(append(out, iv...), m...)
	pad := 0
	for (len(out)-4+2+pad)%4 != 0 {
		pad++
	}
	for range pad {
		out = append(out, 0xff)
	}
	out = append(out, byte(pad), 7)
	return append(out, s.mac(s.k1, out[4:])[:s.icv()]...)
}

// packet15 answers IPMI 1.5: questions outside of a session and, with Only15, MD5 sessions.
func (b *BMC) packet15(p []byte) []byte {
	auth, seq, id := p[4], p[5:9], binary.LittleEndian.Uint32(p[9:])
	at := 13
	if auth == 2 {
		at += 16
	}
	if len(p) < at+1 || len(p) < at+1+int(p[at]) {
		return nil
	}
	m := p[at+1 : at+1+int(p[at])]
	wrap := func(auth byte, seq uint32, id uint32, m []byte) []byte {
		out := append([]byte{6, 0, 0xff, 7, auth}, le32(seq)...)
		out = append(out, le32(id)...)
		if auth == 2 {
			sum := md5Code(seq, id, m)
			out = append(out, sum[:]...)
		}
		return append(append(out, byte(len(m))), m...)
	}
	if id == 0 {
		if b.Only15 && len(m) > 6 && m[5] == 0x39 {
			return wrap(0, 0, 0, b.reply(m, 0, append(le32(0x5150), bmcChallenge[:]...)))
		}
		return wrap(0, 0, 0, b.answerMessage(m, nil))
	}
	sum := md5Code(binary.LittleEndian.Uint32(seq), id, m)
	if !b.Only15 || auth != 2 || !hmac.Equal(sum[:], p[13:29]) {
		return nil
	}
	if m[5] == 0x3a { // activate session: auth type, level, challenge, first outbound number
		if [16]byte(m[8:24]) != bmcChallenge {
			return nil
		}
		s := &session{own: 0x6160, v15: true, active: true, sent: binary.LittleEndian.Uint32(m[24:])}
		b.sessions[s.own] = s
		b.opened++
		if b.FinalID {
			id = s.own
		}
		return wrap(2, 0, id, b.reply(m, 0, append(append([]byte{2}, le32(s.own)...), 1, 0, 0, 0, 4)))
	}
	s := b.sessions[id]
	if s == nil || !s.v15 {
		return nil
	}
	s.sent++
	return wrap(2, s.sent, id, b.answerMessage(m, s))
}

var bmcChallenge = [16]byte{9, 8, 7, 6, 5, 4, 3, 2, 1}

func (b *BMC) reply(m []byte, code byte, body []byte) []byte {
	old := b.Handle
	b.Handle = func(byte, byte, byte, []byte) (byte, []byte, bool) { return code, body, true }
	defer func() { b.Handle = old }()
	return b.answerMessage(m, nil)
}

func md5Code(seq, id uint32, m []byte) [16]byte {
	var pw [16]byte
	copy(pw[:], Password)
	all := append(append(append([]byte(nil), pw[:]...), le32(id)...), m...)
	return md5.Sum(append(append(all, le32(seq)...), pw[:]...))
}
