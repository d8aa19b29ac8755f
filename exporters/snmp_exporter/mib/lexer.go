package mib

import (
	"fmt"
	"strings"
)

// tokenKind says what a token is.
type tokenKind uint8

const (
	tokEOF    tokenKind = iota
	tokWord             // identifier or keyword
	tokNumber           // decimal, may be negative
	tokText             // "quoted"
	tokBits             // 'FF'H or '01'B
	tokPunct            // one of ::= { } ( ) [ ] , ; | . ..
)

type token struct {
	kind tokenKind
	text string
	line int
}

// Error says where a MIB file is wrong.
type Error struct {
	File string
	Line int
	Msg  string
}

func (e *Error) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg) }

// lexer cuts a MIB file into tokens.
type lexer struct {
	file string
	src  string
	pos  int
	line int
}

func (l *lexer) errorf(line int, format string, args ...any) error {
	return &Error{File: l.file, Line: line, Msg: fmt.Sprintf(format, args...)}
}

// next gives the next token; at the end of the file its kind is tokEOF.
func (l *lexer) next() (token, error) {
	l.skip()
	if l.pos >= len(l.src) {
		return token{kind: tokEOF, text: "end of file", line: l.line}, nil
	}
	start, line := l.pos, l.line
	c := l.src[l.pos]
	switch {
	case isLetter(c):
		for l.pos < len(l.src) && (isLetter(l.src[l.pos]) || isDigit(l.src[l.pos]) || l.src[l.pos] == '-' || l.src[l.pos] == '_') {
			if strings.HasPrefix(l.src[l.pos:], "--") {
				break // a comment right behind a word
			}
			l.pos++
		}
		return token{tokWord, l.src[start:l.pos], line}, nil
	case isDigit(c), c == '-' && l.pos+1 < len(l.src) && isDigit(l.src[l.pos+1]):
		l.pos++
		for l.pos < len(l.src) && isDigit(l.src[l.pos]) {
			l.pos++
		}
		return token{tokNumber, l.src[start:l.pos], line}, nil
	case c == '"':
		return l.quoted()
	case c == '\'':
		return l.bits()
	case strings.HasPrefix(l.src[l.pos:], "::="):
		l.pos += 3
	case strings.HasPrefix(l.src[l.pos:], ".."):
		l.pos += 2
	case strings.ContainsRune("{}()[],;|.:", rune(c)):
		l.pos++
	default:
		return token{}, l.errorf(line, "unexpected character %q", c)
	}
	return token{tokPunct, l.src[start:l.pos], line}, nil
}

// skip passes white space and comments. A comment ends at the end of its line; the standard
// also lets "--" end it, but files in the wild draw lines of dashes.
func (l *lexer) skip() {
	for l.pos < len(l.src) {
		switch c := l.src[l.pos]; {
		case c == '\n':
			l.line++
			l.pos++
		case c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v' || c == 0 || c == 0x1a || c >= 0x80:
			l.pos++
		case strings.HasPrefix(l.src[l.pos:], "--"):
			end := strings.IndexByte(l.src[l.pos:], '\n')
			if end < 0 {
				end = len(l.src) - l.pos
			}
			l.pos += end
		default:
			return
		}
	}
}

func (l *lexer) quoted() (token, error) {
	line := l.line
	end := strings.IndexByte(l.src[l.pos+1:], '"')
	if end < 0 {
		return token{}, l.errorf(line, "text has no closing quote")
	}
	text := l.src[l.pos+1 : l.pos+1+end]
	l.line += strings.Count(text, "\n")
	l.pos += end + 2
	return token{tokText, text, line}, nil
}

func (l *lexer) bits() (token, error) {
	end := strings.IndexByte(l.src[l.pos+1:], '\'')
	if end < 0 || l.pos+end+2 >= len(l.src) || !strings.ContainsRune("hHbB", rune(l.src[l.pos+end+2])) {
		return token{}, l.errorf(l.line, "a bit string must end in 'H or 'B")
	}
	t := token{tokBits, l.src[l.pos : l.pos+end+3], l.line}
	l.line += strings.Count(t.text, "\n")
	l.pos += end + 3
	return t, nil
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
