package mib

// clauses reads those of a macro up to ::=. Only what is needed is kept.
func (p *parser) clauses(d *definition) (err error) {
	for !p.is("::=") {
		if p.tok.kind == tokEOF {
			return p.errorf(d.line, "%s has no value", d.name)
		}
		clause := p.tok
		if err := p.advance(); err != nil {
			return err
		}
		if clause.kind != tokWord {
			if clause.text == "{" { // of a clause that is not known
				if err := p.skipRest(); err != nil {
					return err
				}
			}
			continue
		}
		switch clause.text {
		case "SYNTAX":
			if d.macro == "OBJECT-TYPE" {
				d.syntax, err = p.syntax()
			}
		case "ACCESS", "MAX-ACCESS":
			if d.macro == "OBJECT-TYPE" {
				d.access, err = p.word()
			}
		case "STATUS":
			d.status, err = p.word()
		case "UNITS":
			d.units, err = p.text()
		case "DESCRIPTION":
			// Groups and revisions have descriptions of their own; the first of an object is its.
			var text string
			if text, err = p.text(); d.description == "" || d.macro == "MODULE-IDENTITY" {
				d.description = text
			}
		case "INDEX":
			d.indexes, d.implied, err = p.indexList()
		case "AUGMENTS":
			d.augments, err = p.single()
		case "OBJECTS", "VARIABLES":
			if p.is("{") {
				d.objects, _, err = p.indexList()
			}
		case "ENTERPRISE":
			read := p.word
			if p.is("{") {
				read = p.single
			}
			var w string
			w, err = read()
			d.oid = append(d.oid, oidPart{name: w, number: -1})
		case "DEFVAL":
			err = p.skipBraces()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// skipRest passes the rest of a brace that is already open.
func (p *parser) skipRest() error {
	line, depth := p.tok.line, 1
	for depth > 0 {
		switch {
		case p.tok.kind == tokEOF:
			return p.errorf(line, "brace is not closed")
		case p.is("{"):
			if depth++; depth > maxNesting {
				return p.errorf(p.tok.line, "braces are nested too deeply")
			}
		case p.is("}"):
			depth--
		}
		if err := p.advance(); err != nil {
			return err
		}
	}
	return nil
}

// single reads { name }.
func (p *parser) single() (string, error) {
	if err := p.expect("{"); err != nil {
		return "", err
	}
	w, err := p.word()
	if err != nil {
		return "", err
	}
	return w, p.expect("}")
}

// indexList reads { a, b, IMPLIED c }. Old modules name types instead of objects; those are
// kept by their name.
func (p *parser) indexList() (names []string, implied bool, err error) {
	if err := p.expect("{"); err != nil {
		return nil, false, err
	}
	for !p.is("}") {
		switch {
		case p.is(","):
			err = p.advance()
		case p.is("IMPLIED"):
			implied, err = true, p.advance()
		case p.is("("): // a constraint of a type
			var s syntax
			err = p.constraint(&s)
		default:
			var w string
			if w, err = p.word(); err == nil && w != "STRING" && w != "IDENTIFIER" {
				names = append(names, w)
			}
		}
		if err != nil {
			return nil, false, err
		}
	}
	return names, implied, p.advance()
}
