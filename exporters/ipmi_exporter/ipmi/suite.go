package ipmi

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"fmt"
	"hash"
)

// Suite is a cipher suite id (table 22-20). Only those that authenticate, check and
// encrypt are spoken.
type Suite byte

const (
	// Suite3 is HMAC-SHA1, HMAC-SHA1-96 and AES-CBC-128.
	Suite3 Suite = 3
	// Suite17 is HMAC-SHA256, HMAC-SHA256-128 and AES-CBC-128.
	Suite17 Suite = 17
)

// algorithms are the parts of a suite.
type algorithms struct {
	auth, integrity byte // numbers of tables 13-17 and 13-18
	hash            func() hash.Hash
	icv             int // length of an integrity check value in bytes
}

func (s Suite) algorithms() (algorithms, error) {
	switch s {
	case Suite3:
		return algorithms{auth: 1, integrity: 1, hash: sha1.New, icv: 12}, nil
	case Suite17:
		return algorithms{auth: 3, integrity: 4, hash: sha256.New, icv: 16}, nil
	}
	return algorithms{}, fmt.Errorf("%w: suite %d is not spoken here, only 3 and 17", ErrSuite, byte(s))
}

// offeredSuites asks for the channel's cipher suites (section 22.15), strongest first.
// A BMC that does not answer the question is taken to offer both.
func offeredSuites(ctx context.Context, l *link) ([]Suite, error) {
	c := &lan{link: l, codec: bare{}}
	var records []byte
	for i := range byte(0x40) {
		r, err := do(ctx, c, 1, Request{NetFn: netFnApp, Cmd: 0x54, Data: []byte{0x0e, 0, 0x80 | i}})
		if err != nil {
			if l.silent {
				return nil, err
			}
			return []Suite{Suite17, Suite3}, nil
		}
		records = append(records, r[1:]...)
		if len(r) < 17 { // channel number and less than 16 bytes: the last part
			break
		}
	}
	offered := suiteIDs(records)
	var out []Suite
	for _, s := range []Suite{Suite17, Suite3} {
		if offered[s] {
			out = append(out, s)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: the BMC lists %d suites, none is 3 or 17", ErrSuite, len(offered))
	}
	return out, nil
}

// suiteIDs reads cipher suite records (table 22-18): a start byte, the id, an OEM number
// after 0xc1, and algorithm bytes with bits 7:6 other than 11.
func suiteIDs(b []byte) map[Suite]bool {
	ids := map[Suite]bool{}
	for i := 0; i+1 < len(b); {
		switch b[i] {
		case 0xc0:
			ids[Suite(b[i+1])] = true
			i += 2
		case 0xc1:
			i += 5 // an OEM's own suite
		default:
			i++
		}
	}
	return ids
}
