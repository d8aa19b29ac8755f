package exporter

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// Text is exposition text in pieces: that of a big switch has 40 MB, which must not be copied
// into ever larger buffers.
type Text [][]byte

// pieceSize is the size of the pieces of a Text, in bytes.
const pieceSize = 256 << 10

// Write appends b. It never fails.
func (t *Text) Write(b []byte) (int, error) {
	n := len(b)
	for len(b) > 0 {
		last := len(*t) - 1
		if last < 0 || len((*t)[last]) == cap((*t)[last]) {
			// Most answers are small: 8 KiB, 32 KiB, 128 KiB, then whole pieces.
			size := pieceSize
			if last < 2 {
				size = 8 << 10 << (2 * (last + 1))
			}
			*t = append(*t, make([]byte, 0, max(size, min(len(b), pieceSize))))
			last++
		}
		p := (*t)[last]
		k := min(len(b), cap(p)-len(p))
		(*t)[last] = append(p, b[:k]...)
		b = b[k:]
	}
	return n, nil
}

// WriteTo implements io.WriterTo.
func (t Text) WriteTo(w io.Writer) (n int64, err error) {
	for _, p := range t {
		k, err := w.Write(p)
		if n += int64(k); err != nil {
			return n, err
		}
	}
	return n, nil
}

// Len is the length in bytes.
func (t Text) Len() (n int) {
	for _, p := range t {
		n += len(p)
	}
	return n
}

// String is the whole text.
func (t Text) String() string { return string(bytes.Join(t, nil)) }

// wholeLines drops a last line that has no end, which would spoil the exposition.
func (t Text) wholeLines() Text {
	for i, piece := range slices.Backward(t) {
		if at := bytes.LastIndexByte(piece, '\n'); at >= 0 {
			t[i] = piece[:at+1]
			return t[:i+1]
		}
	}
	return nil
}

// serve writes the text, compressed if the client takes that.
func (t Text) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", textFormat)
	w.Header().Set("Vary", "Accept-Encoding")
	if !acceptsGzip(r.Header) {
		_, _ = t.WriteTo(w) // the client went away
		return
	}
	w.Header().Set("Content-Encoding", "gzip")
	z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return // the level is a constant that is valid
	}
	_, _ = t.WriteTo(z)
	_ = z.Close()
}

func acceptsGzip(h http.Header) bool {
	for _, v := range h.Values("Accept-Encoding") {
		for e := range strings.SplitSeq(v, ",") {
			name, q, _ := strings.Cut(strings.TrimSpace(e), ";")
			if name == "gzip" && strings.TrimSpace(q) != "q=0" {
				return true
			}
		}
	}
	return false
}
