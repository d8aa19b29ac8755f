// Package config reads the YAML files of every binary in the Prometheus manner:
// strict, with the file, the line and the remedy in each error.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v2"
)

// maxSize bounds a configuration file; anything larger was given by mistake.
const maxSize = 16 << 20

// Error says where a configuration is wrong and what to do about it.
// Line is 0 when the whole file is meant.
type Error struct {
	File string
	Line int
	Msg  string
	Hint string
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
	}
	b.WriteString(": " + e.Msg)
	if e.Hint != "" {
		b.WriteString(" (" + e.Hint + ")")
	}
	return b.String()
}

// Validator is implemented by configuration types that check themselves and fill in
// defaults after decoding.
type Validator interface{ Validate() error }

// Load decodes the YAML file at path into out. Unknown and repeated keys are errors.
// If out is a Validator it is validated. Every error is an *Error or a list of them.
func Load(path string, out any) error {
	st, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &Error{File: path, Msg: "no such file", Hint: "name an existing file with --config.file"}
	case err != nil:
		return &Error{File: path, Msg: err.Error()}
	case st.IsDir():
		return &Error{File: path, Msg: "is a directory", Hint: "name a YAML file"}
	case st.Size() > maxSize:
		return &Error{File: path, Msg: fmt.Sprintf("is larger than %d MiB", maxSize>>20), Hint: "is this a configuration file?"}
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return &Error{File: path, Msg: err.Error()}
	}
	return Parse(path, raw, out)
}

// Parse is Load for content that was read elsewhere; name stands for the file in errors.
func Parse(name string, raw []byte, out any) error {
	if err := yaml.UnmarshalStrict(raw, out); err != nil {
		return Locate(name, err)
	}
	if v, ok := out.(Validator); ok {
		if err := v.Validate(); err != nil {
			var e *Error
			if errors.As(err, &e) {
				return err
			}
			return &Error{File: name, Msg: err.Error()}
		}
	}
	return nil
}

var (
	lineRE    = regexp.MustCompile(`line (\d+): (.*)`)
	unknownRE = regexp.MustCompile(`field (\S+) not found in (?:type|struct) \S+`)
	repeatRE  = regexp.MustCompile(`field (\S+) already set in type \S+`)
)

// Locate turns yaml's messages, which may be several, into Errors with line numbers. It is
// for configuration types of other projects, whose own loaders return plain errors.
func Locate(name string, err error) error {
	var errs []error
	for line := range strings.SplitSeq(err.Error(), "\n") {
		m := lineRE.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		n, convErr := strconv.Atoi(m[1])
		if convErr != nil {
			continue
		}
		e := &Error{File: name, Line: n, Msg: m[2]}
		if u := unknownRE.FindStringSubmatch(m[2]); u != nil {
			e.Msg, e.Hint = fmt.Sprintf("unknown field %q", u[1]), "check its spelling and indentation"
		} else if u := repeatRE.FindStringSubmatch(m[2]); u != nil {
			e.Msg, e.Hint = fmt.Sprintf("field %q is set twice", u[1]), "remove one"
		}
		errs = append(errs, e)
	}
	if len(errs) == 0 {
		return &Error{File: name, Msg: strings.TrimPrefix(err.Error(), "yaml: ")}
	}
	return errors.Join(errs...)
}
