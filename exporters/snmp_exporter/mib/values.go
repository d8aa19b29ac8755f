package mib

import "slices"

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
