package mib

import (
	"slices"
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

// typeAssignment reads what follows TypeName ::=.
func (p *parser) typeAssignment(name string) error {
	t := &typeDef{name: name, mod: p.mod}
	if p.is("TEXTUAL-CONVENTION") {
		t.tc = true
		if err := p.advance(); err != nil {
			return err
		}
		for !p.is("SYNTAX") {
			isHint := p.is("DISPLAY-HINT")
			if p.tok.kind == tokEOF || p.is("::=") || p.is("END") {
				return p.errorf(p.tok.line, "textual convention %s has no SYNTAX", name)
			}
			if err := p.advance(); err != nil {
				return err
			}
			if isHint {
				var err error
				if t.hint, err = p.text(); err != nil {
					return err
				}
			}
		}
		if err := p.advance(); err != nil {
			return err
		}
	}
	s, err := p.syntax()
	t.syntax = s
	p.mod.types[name] = t
	return err
}

// syntax reads a type: its name, and named numbers, sizes or ranges.
func (p *parser) syntax() (s syntax, err error) {
	for p.is("[") { // [APPLICATION 1] IMPLICIT
		for !p.is("]") && p.tok.kind != tokEOF {
			if err := p.advance(); err != nil {
				return s, err
			}
		}
		if err := p.expect("]"); err != nil {
			return s, err
		}
	}
	if p.is("IMPLICIT") || p.is("EXPLICIT") {
		if err := p.advance(); err != nil {
			return s, err
		}
	}
	if s.name, err = p.word(); err != nil {
		return s, err
	}
	switch s.name {
	case "OCTET", "BIT":
		s.name += " STRING"
		if err := p.expect("STRING"); err != nil {
			return s, err
		}
	case "OBJECT":
		s.name = "OBJECT IDENTIFIER"
		if err := p.expect("IDENTIFIER"); err != nil {
			return s, err
		}
	case "SEQUENCE", "CHOICE":
		if p.is("OF") {
			if err := p.advance(); err != nil {
				return s, err
			}
			_, err := p.word()
			return s, err
		}
		return s, p.skipBraces()
	}
	if p.is("{") {
		if s.enums, err = p.namedNumbers(); err != nil {
			return s, err
		}
	}
	for p.is("(") {
		if err := p.constraint(&s); err != nil {
			return s, err
		}
	}
	return s, nil
}

// namedNumbers reads { up(1), down(2) }.
func (p *parser) namedNumbers() (map[int]string, error) {
	out := map[int]string{}
	if err := p.expect("{"); err != nil {
		return nil, err
	}
	for !p.is("}") {
		if p.is(",") {
			if err := p.advance(); err != nil {
				return nil, err
			}
			continue
		}
		if p.tok.kind == tokNumber { // names that begin with a digit are not allowed, and occur
			p.tok.kind = tokWord
			if t, err := p.ahead(); err != nil {
				return nil, err
			} else if t.kind == tokWord && t.line == p.tok.line {
				p.tok.text += t.text
				p.peek = nil
			}
		}
		name, err := p.word()
		if err != nil {
			return nil, err
		}
		if err := p.expect("("); err != nil {
			return nil, err
		}
		n, err := p.number()
		if err != nil {
			return nil, err
		}
		if err := p.expect(")"); err != nil {
			return nil, err
		}
		if _, ok := out[int(n)]; !ok {
			out[int(n)] = name
		}
	}
	return out, p.advance()
}

// constraint reads (SIZE (0..255 | 300)) or (1..10).
func (p *parser) constraint(s *syntax) error {
	if err := p.expect("("); err != nil {
		return err
	}
	depth := 1
	for depth > 0 {
		switch {
		case p.tok.kind == tokEOF:
			return p.errorf(p.tok.line, "parenthesis is not closed")
		case p.is("("):
			depth++
		case p.is(")"):
			depth--
		case p.tok.kind == tokNumber, p.tok.kind == tokBits:
			lo, err := p.number()
			if err != nil {
				return err
			}
			hi := lo
			if p.is("..") {
				if err := p.advance(); err != nil {
					return err
				}
				if p.is("MAX") {
					hi = 1<<63 - 1
					if err := p.advance(); err != nil {
						return err
					}
				} else if hi, err = p.number(); err != nil {
					return err
				}
			}
			s.sizes = append(s.sizes, [2]int64{lo, hi})
			continue
		}
		if err := p.advance(); err != nil {
			return err
		}
	}
	return nil
}

// placed are the macros whose value is an OID.
var placed = []string{
	"OBJECT-TYPE", "MODULE-IDENTITY", "OBJECT-IDENTITY", "NOTIFICATION-TYPE", "OBJECT-GROUP", "NOTIFICATION-GROUP",
	"MODULE-COMPLIANCE", "AGENT-CAPABILITIES", "TRAP-TYPE",
}

// valueAssignment reads name MACRO clauses ::= value.
func (p *parser) valueAssignment(name string, line int) error {
	d := &definition{name: name, line: line, mod: p.mod}
	macro, err := p.word()
	if err != nil {
		return err
	}
	d.macro = macro
	switch {
	case macro == "OBJECT":
		d.macro = "OBJECT IDENTIFIER"
		if err := p.expect("IDENTIFIER"); err != nil {
			return err
		}
	case slices.Contains(placed, macro):
		if err := p.clauses(d); err != nil {
			return err
		}
	default:
		return p.otherValue()
	}
	if err := p.expect("::="); err != nil {
		return err
	}
	if d.macro == "TRAP-TYPE" {
		n, err := p.number()
		d.oid = append(d.oid, oidPart{number: 0}, oidPart{number: n})
		p.mod.defs = append(p.mod.defs, d)
		return err
	}
	if d.oid, err = p.oidValue(); err != nil {
		return err
	}
	p.mod.defs = append(p.mod.defs, d)
	return nil
}

// otherValue passes the value of a type we do not need: name Type ::= 5.
func (p *parser) otherValue() error {
	if err := p.expect("::="); err != nil {
		return err
	}
	if p.is("{") {
		return p.skipBraces()
	}
	return p.advance()
}

// oidValue reads { parent sub(3) 1 }.
func (p *parser) oidValue() ([]oidPart, error) {
	if err := p.expect("{"); err != nil {
		return nil, err
	}
	var parts []oidPart
	for !p.is("}") {
		part := oidPart{number: -1}
		switch {
		case p.tok.kind == tokNumber:
			n, err := p.number()
			if err != nil {
				return nil, err
			}
			part.number = n
		case p.is(","), p.is("."):
			if err := p.advance(); err != nil {
				return nil, err
			}
			continue
		default:
			w, err := p.word()
			if err != nil {
				return nil, err
			}
			part.name = w
			if p.is("(") {
				if err := p.advance(); err != nil {
					return nil, err
				}
				if part.number, err = p.number(); err != nil {
					return nil, err
				}
				if err := p.expect(")"); err != nil {
					return nil, err
				}
			}
		}
		if parts = append(parts, part); len(parts) > 128 {
			return nil, p.errorf(p.tok.line, "OID has more than 128 parts")
		}
	}
	return parts, p.advance()
}
