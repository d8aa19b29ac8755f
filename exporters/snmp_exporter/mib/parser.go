package mib

import (
	"strconv"
	"strings"
)

// module is one parsed MIB module.
type module struct {
	name    string
	file    string
	line    int
	imports map[string]string // symbol to module
	types   map[string]*typeDef
	defs    []*definition
	v2      bool // written in SMIv2
}

// typeDef is a type that a module defines.
type typeDef struct {
	name   string
	tc     bool // by TEXTUAL-CONVENTION
	hint   string
	syntax syntax
	mod    *module
}

// syntax is a type as written.
type syntax struct {
	name  string // built-in or defined type
	enums map[int]string
	sizes [][2]int64 // ranges of size or value
}

// definition is a name with a place in the tree.
type definition struct {
	name  string
	macro string // OBJECT-TYPE, NOTIFICATION-TYPE, ... or "OBJECT IDENTIFIER"
	line  int
	mod   *module
	oid   []oidPart

	syntax      syntax
	access      string
	status      string
	units       string
	description string
	indexes     []string
	implied     bool
	augments    string
	objects     []string // of a notification
}

// oidPart is one element of an OID value: a name, a number, or both.
type oidPart struct {
	name   string
	number int64 // -1 if none is given
}

// maxNesting bounds braces within braces.
const maxNesting = 64

type parser struct {
	lexer
	tok  token
	peek *token
	mod  *module
}

// parseFile reads all modules of a file. On an error the modules before it are still given, the
// one with the error with what was read of it.
func parseFile(file, src string) (mods []*module, err error) {
	p := &parser{lexer: lexer{file: file, src: src, line: 1}}
	if err := p.advance(); err != nil {
		return nil, err
	}
	for p.tok.kind != tokEOF {
		p.mod = nil
		err := p.module()
		if p.mod != nil {
			mods = append(mods, p.mod)
		}
		if err != nil {
			return mods, err
		}
	}
	if len(mods) == 0 {
		return nil, p.errorf(1, "no module definition found")
	}
	return mods, nil
}

func (p *parser) advance() (err error) {
	if p.peek != nil {
		p.tok, p.peek = *p.peek, nil
		return nil
	}
	p.tok, err = p.next()
	return err
}

func (p *parser) ahead() (token, error) {
	if p.peek == nil {
		t, err := p.next()
		if err != nil {
			return t, err
		}
		p.peek = &t
	}
	return *p.peek, nil
}

func (p *parser) is(text string) bool {
	return p.tok.text == text && (p.tok.kind == tokWord || p.tok.kind == tokPunct)
}

func (p *parser) expect(text string) error {
	if !p.is(text) {
		return p.errorf(p.tok.line, "expected %q, found %q", text, clip(p.tok.text))
	}
	return p.advance()
}

func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "..."
	}
	return s
}

func (p *parser) word() (string, error) {
	if p.tok.kind != tokWord {
		return "", p.errorf(p.tok.line, "expected a name, found %q", clip(p.tok.text))
	}
	t := p.tok.text
	return t, p.advance()
}

func (p *parser) text() (string, error) {
	if p.tok.kind != tokText {
		return "", p.errorf(p.tok.line, "expected a quoted text, found %q", clip(p.tok.text))
	}
	t := p.tok.text
	return t, p.advance()
}

func (p *parser) number() (int64, error) {
	t := p.tok
	switch t.kind {
	case tokNumber:
		n, err := strconv.ParseInt(t.text, 10, 64)
		if err != nil {
			if u, uerr := strconv.ParseUint(t.text, 10, 64); uerr == nil {
				n, err = int64(min(u, 1<<63-1)), nil
			}
		}
		if err != nil {
			return 0, p.errorf(t.line, "number %s is out of range", clip(t.text))
		}
		return n, p.advance()
	case tokBits:
		digits, base := strings.Trim(t.text[:len(t.text)-1], "'"), 16
		if strings.HasSuffix(strings.ToUpper(t.text), "B") {
			base = 2
		}
		n, err := strconv.ParseUint("0"+strings.Join(strings.Fields(digits), ""), base, 64)
		if err != nil {
			return 0, p.errorf(t.line, "%s is not a number", clip(t.text))
		}
		return int64(min(n, 1<<63-1)), p.advance()
	}
	return 0, p.errorf(t.line, "expected a number, found %q", clip(t.text))
}

// module reads NAME [{ oid }] DEFINITIONS ::= BEGIN ... END.
func (p *parser) module() error {
	line := p.tok.line
	name, err := p.word()
	if err != nil {
		return err
	}
	if p.is("{") {
		if err := p.skipBraces(); err != nil {
			return err
		}
	}
	for _, t := range []string{"DEFINITIONS", "::=", "BEGIN"} {
		if err := p.expect(t); err != nil {
			return err
		}
	}
	p.mod = &module{name: name, file: p.file, line: line, imports: map[string]string{}, types: map[string]*typeDef{}}
	for !p.is("END") {
		if p.tok.kind == tokEOF {
			return p.errorf(p.tok.line, "module %s has no END", name)
		}
		if err := p.statement(); err != nil {
			return err
		}
	}
	return p.advance()
}

func (p *parser) statement() error {
	switch {
	case p.is("IMPORTS"):
		return p.importList()
	case p.is("EXPORTS"):
		for !p.is(";") && p.tok.kind != tokEOF {
			if err := p.advance(); err != nil {
				return err
			}
		}
		return p.expect(";")
	case p.is(";"):
		return p.advance()
	}
	line := p.tok.line
	name, err := p.word()
	if err != nil {
		return err
	}
	switch {
	case p.is("::="):
		if err := p.advance(); err != nil {
			return err
		}
		return p.typeAssignment(name)
	case p.is("MACRO"):
		for !p.is("END") {
			if p.tok.kind == tokEOF {
				return p.errorf(line, "macro %s has no END", name)
			}
			if err := p.advance(); err != nil {
				return err
			}
		}
		return p.advance()
	}
	return p.valueAssignment(name, line)
}

func (p *parser) importList() error {
	if err := p.advance(); err != nil {
		return err
	}
	var symbols []string
	for !p.is(";") {
		switch {
		case p.is("FROM"):
			if err := p.advance(); err != nil {
				return err
			}
			from, err := p.word()
			if err != nil {
				return err
			}
			for _, s := range symbols {
				p.mod.imports[s] = from
			}
			if from == "SNMPv2-SMI" {
				p.mod.v2 = true
			}
			symbols = nil
			if p.is("{") {
				if err := p.skipBraces(); err != nil {
					return err
				}
			}
		case p.is(","):
			if err := p.advance(); err != nil {
				return err
			}
		default:
			s, err := p.word()
			if err != nil {
				return err
			}
			symbols = append(symbols, s)
		}
	}
	return p.advance()
}

// skipBraces passes a balanced { ... }.
func (p *parser) skipBraces() error {
	line, depth := p.tok.line, 0
	for {
		switch {
		case p.is("{"):
			if depth++; depth > maxNesting {
				return p.errorf(p.tok.line, "braces are nested too deeply")
			}
		case p.is("}"):
			depth--
		case p.tok.kind == tokEOF:
			return p.errorf(line, "brace is not closed")
		}
		if err := p.advance(); err != nil {
			return err
		}
		if depth == 0 {
			return nil
		}
	}
}
