package promapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/inframind/inframind/internal/series"
)

// decode walks the API's envelope and hands each series of data.result to fn. Members it
// does not know (warnings, infos, isPartial, stats) are skipped: the servers differ there.
func decode(r io.Reader, fn func(series.Series) error) error {
	dec := json.NewDecoder(r)
	var e Error
	status := ""
	err := object(dec, func(key string) error {
		switch key {
		case "status":
			return dec.Decode(&status)
		case "errorType":
			return dec.Decode(&e.Type)
		case "error":
			var msg string
			if err := dec.Decode(&msg); err != nil {
				return err
			}
			e.Err = errors.New(msg)
			return nil
		case "data":
			return decodeData(dec, fn)
		}
		return skip(dec)
	})
	switch {
	case err != nil:
		return fmt.Errorf("answer: %w", err)
	case e.Err != nil:
		return &e
	case status != "success":
		return fmt.Errorf("answer: status %q", status)
	}
	return nil
}

func decodeData(dec *json.Decoder, fn func(series.Series) error) error {
	return object(dec, func(key string) error {
		switch key {
		case "resultType":
			var t string
			if err := dec.Decode(&t); err != nil {
				return err
			}
			if t != "matrix" && t != "vector" {
				return fmt.Errorf("the expression gives a %s, want series", t)
			}
			return nil
		case "result":
			return decodeResult(dec, fn)
		}
		return skip(dec)
	})
}

func decodeResult(dec *json.Decoder, fn func(series.Series) error) error {
	if err := delim(dec, '['); err != nil {
		return err
	}
	for dec.More() {
		var el struct {
			Metric map[string]string `json:"metric"`
			Values points            `json:"values"`
			Value  point             `json:"value"`
		}
		if err := dec.Decode(&el); err != nil {
			return err
		}
		s := series.Series{Labels: labels.FromMap(el.Metric), Times: el.Values.times, Values: el.Values.values}
		if el.Value.set {
			s.Append(el.Value.t, el.Value.v)
		}
		if err := fn(s); err != nil {
			return err
		}
	}
	return delim(dec, ']')
}

// object calls member for each key of the object that comes next; member reads the value.
func object(dec *json.Decoder, member func(key string) error) error {
	if err := delim(dec, '{'); err != nil {
		return err
	}
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return err
		}
		key, ok := tok.(string)
		if !ok {
			return fmt.Errorf("unexpected %v", tok)
		}
		if err := member(key); err != nil {
			return err
		}
	}
	return delim(dec, '}')
}

func delim(dec *json.Decoder, want json.Delim) error {
	tok, err := dec.Token()
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	if err != nil {
		return err
	}
	if tok != want {
		return fmt.Errorf("got %v, want %v", tok, want)
	}
	return nil
}

func skip(dec *json.Decoder) error {
	var raw json.RawMessage
	return dec.Decode(&raw)
}

type point struct {
	t   int64
	v   float64
	set bool
}

func (p *point) UnmarshalJSON(b []byte) error {
	rest, t, v, err := parsePoint(b)
	if err != nil {
		return err
	}
	if len(bytes.TrimSpace(rest)) != 0 {
		return errBadPoint
	}
	*p = point{t, v, true}
	return nil
}

// points is a list of [seconds, "value"] pairs. It is parsed by hand: this is where the
// time of a query goes, and encoding/json would make two values a sample.
type points struct {
	times  []int64
	values []float64
}

func (p *points) UnmarshalJSON(b []byte) error {
	n := bytes.Count(b, []byte("["))
	p.times, p.values = make([]int64, 0, n), make([]float64, 0, n)
	b = trim(b)
	if len(b) == 0 || b[0] != '[' {
		return errBadPoint
	}
	b = trim(b[1:])
	for len(b) > 0 && b[0] == '[' {
		rest, t, v, err := parsePoint(b)
		if err != nil {
			return err
		}
		p.times, p.values = append(p.times, t), append(p.values, v)
		b = trim(rest)
		if len(b) > 0 && b[0] == ',' {
			b = trim(b[1:])
		}
	}
	if len(b) == 0 || b[0] != ']' {
		return errBadPoint
	}
	return nil
}

var errBadPoint = errors.New(`want [seconds, "value"]`)

// parsePoint reads one pair from the start of b and returns what follows it.
func parsePoint(b []byte) (rest []byte, t int64, v float64, err error) {
	if len(b) == 0 || b[0] != '[' {
		return nil, 0, 0, errBadPoint
	}
	stamp, b, ok := bytes.Cut(b[1:], []byte(","))
	if !ok {
		return nil, 0, 0, errBadPoint
	}
	sec, err := strconv.ParseFloat(string(bytes.TrimSpace(stamp)), 64)
	if err != nil || math.Abs(sec) > math.MaxInt64/1001 {
		return nil, 0, 0, errBadPoint
	}
	b = trim(b)
	if len(b) == 0 || b[0] != '"' {
		return nil, 0, 0, errBadPoint
	}
	text, b, ok := bytes.Cut(b[1:], []byte(`"`))
	if !ok {
		return nil, 0, 0, errBadPoint
	}
	v, err = strconv.ParseFloat(string(text), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return nil, 0, 0, errBadPoint
	}
	b = trim(b)
	if len(b) == 0 || b[0] != ']' {
		return nil, 0, 0, errBadPoint
	}
	return b[1:], int64(math.Round(sec * 1000)), v, nil
}

func trim(b []byte) []byte { return bytes.TrimLeft(b, " \t\r\n") }

// statusError reads what the server said beside an HTTP status other than 200.
func statusError(resp *http.Response) *Error {
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	e := &Error{Status: resp.StatusCode}
	var body struct {
		Type string `json:"errorType"`
		Msg  string `json:"error"`
	}
	if err == nil && json.Unmarshal(raw, &body) == nil && body.Msg != "" {
		e.Type = body.Type
		e.Err = fmt.Errorf("%s: %s", resp.Status, body.Msg)
		return e
	}
	e.Err = fmt.Errorf("%s: %q", resp.Status, bytes.TrimSpace(raw))
	return e
}
