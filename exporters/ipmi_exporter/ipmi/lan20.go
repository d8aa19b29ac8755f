package ipmi

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"hash"
)

// session20 is the codec of an active RMCP+ session: encrypted, then authenticated.
type session20 struct {
	ours, theirs uint32 // session ids
	sequence     uint32 // of the last packet sent
	highest      uint32 // of the packets received
	icv          int
	mac          hash.Hash
	block        cipher.Block
	sum          [64]byte
}

// newSession20 derives the keys K1 and K2 from the session integrity key (section 13.32).
func newSession20(ours, theirs uint32, a algorithms, sik []byte) (*session20, error) {
	one, two := make([]byte, 20), make([]byte, 20)
	for i := range one {
		one[i], two[i] = 1, 2
	}
	block, err := aes.NewCipher(keyed(a, sik, two)[:16])
	if err != nil {
		return nil, err
	}
	return &session20{ours: ours, theirs: theirs, icv: a.icv, mac: hmac.New(a.hash, keyed(a, sik, one)), block: block}, nil
}

func keyed(a algorithms, key []byte, parts ...[]byte) []byte {
	m := hmac.New(a.hash, key)
	for _, p := range parts {
		m.Write(p)
	}
	return m.Sum(nil)
}

// seal appends an RMCP+ packet (table 13-8) with an AES-CBC payload (table 13-20). Each
// call takes a fresh sequence number and a fresh IV, repeats of a request too.
func (s *session20) seal(b []byte, fill func([]byte) []byte) ([]byte, error) {
	s.sequence++
	start := len(b)
	b = append(b, rmcpHeader[:]...)
	session := len(b)
	b = append(b, authRMCPPlus, 0xc0) // IPMI payload, encrypted and authenticated
	b = binary.LittleEndian.AppendUint32(b, s.theirs)
	b = binary.LittleEndian.AppendUint32(b, s.sequence)
	b = append(b, 0, 0)
	iv := len(b)
	b = append(b, make([]byte, aes.BlockSize)...)
	if _, err := rand.Read(b[iv:]); err != nil {
		return nil, err
	}
	m := len(b)
	b = fill(b)
	pad := byte(0)
	for (len(b)-m+1)%aes.BlockSize != 0 {
		pad++
		b = append(b, pad)
	}
	b = append(b, pad)
	cipher.NewCBCEncrypter(s.block, b[iv:m]).CryptBlocks(b[m:], b[m:])
	binary.LittleEndian.PutUint16(b[iv-2:], uint16(len(b)-iv))
	fillers := byte(0)
	for (len(b)-start-4+2)%4 != 0 {
		fillers++
		b = append(b, 0xff)
	}
	b = append(b, fillers, 7)
	return append(b, s.tag(b[session:])...), nil
}

// tag is the integrity check value over b; valid until the next call.
func (s *session20) tag(b []byte) []byte {
	s.mac.Reset()
	s.mac.Write(b)
	return s.mac.Sum(s.sum[:0])[:s.icv]
}

// open decrypts pkt in place.
func (s *session20) open(pkt []byte) ([]byte, bool) {
	const head, block = 16, aes.BlockSize
	if len(pkt) < head+2*block+2+s.icv || pkt[4] != authRMCPPlus || pkt[5] != 0xc0 || binary.LittleEndian.Uint32(pkt[6:]) != s.ours {
		return nil, false
	}
	end := len(pkt) - s.icv
	if !hmac.Equal(s.tag(pkt[4:end]), pkt[end:]) {
		return nil, false
	}
	// A packet far behind the newest is a replay (section 13.28.1).
	sequence := binary.LittleEndian.Uint32(pkt[10:])
	ahead := int32(sequence - s.highest)
	if ahead < -32 {
		return nil, false
	}
	n := int(binary.LittleEndian.Uint16(pkt[14:]))
	if n < 2*block || n%block != 0 || head+n > end {
		return nil, false
	}
	d := pkt[head+block : head+n]
	cipher.NewCBCDecrypter(s.block, pkt[head:head+block]).CryptBlocks(d, d)
	pad := int(d[len(d)-1])
	if pad+1 > len(d) {
		return nil, false
	}
	if ahead > 0 {
		s.highest = sequence
	}
	return d[:len(d)-pad-1], true
}

// dial20 opens an RMCP+ session on l with one suite.
func dial20(ctx context.Context, l *link, opt Options, suite Suite) (*lan, error) {
	a, err := suite.algorithms()
	if err != nil {
		return nil, err
	}
	h := &handshake{link: l, opt: opt, alg: a}
	s, err := h.run(ctx)
	if err != nil {
		return nil, fmt.Errorf("session with cipher suite %d: %w", byte(suite), err)
	}
	return &lan{link: l, codec: s, session: s.theirs, info: ConnInfo{Interface: "lan 2.0", Suite: suite, Quirks: h.quirks}}, nil
}
