package mib

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
