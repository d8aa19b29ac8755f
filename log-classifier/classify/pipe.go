package classify

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// maxPipeLine is how long a line may be; the rest of a longer one is dropped.
const maxPipeLine = 1 << 20

// Pipe labels lines from r and writes one JSON object for each to w, in order, as they come:
// the output is flushed whenever no further input is at hand.
func Pipe(ctx context.Context, l *Labeler, r io.Reader, w io.Writer, threshold float64) (lines int, err error) {
	in, out := bufio.NewReaderSize(r, 1<<16), bufio.NewWriterSize(w, 1<<16)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	var buf []byte
	for ctx.Err() == nil {
		buf, err = readLine(in, buf[:0])
		if len(buf) > 0 || err == nil {
			lines++
			msg := string(buf)
			v, _ := l.Label(msg)
			v.Template.Seen(time.Now(), "", msg)
			if err := enc.Encode(v.record(v.Confidence < threshold)); err != nil {
				return lines, fmt.Errorf("write: %w", err)
			}
		}
		if err != nil || in.Buffered() == 0 {
			if ferr := out.Flush(); ferr != nil {
				return lines, fmt.Errorf("write: %w", ferr)
			}
		}
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return lines, fmt.Errorf("read: %w", err)
		}
	}
	return lines, errors.Join(ctx.Err(), out.Flush())
}

// readLine appends one line without its end to buf. What is beyond maxPipeLine is dropped.
func readLine(r *bufio.Reader, buf []byte) ([]byte, error) {
	for {
		part, err := r.ReadSlice('\n')
		if room := maxPipeLine - len(buf); room > 0 {
			buf = append(buf, part[:min(len(part), room)]...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		return bytes.TrimRight(buf, "\r\n"), err
	}
}
