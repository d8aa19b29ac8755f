package mib

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/inframind/inframind/internal/testdata"
)

const sampleMIB = `
-- A module with a bit of everything ---------------------
SAMPLE-MIB { iso 3 6 1 4 1 99999 } DEFINITIONS ::= BEGIN
IMPORTS OBJECT-TYPE, Counter64, enterprises FROM SNMPv2-SMI
        DisplayString, TEXTUAL-CONVENTION FROM SNMPv2-TC;
Watts ::= TEXTUAL-CONVENTION DISPLAY-HINT "d-1" STATUS current DESCRIPTION "Tenths." SYNTAX Integer32 (0..100000)
Label ::= TEXTUAL-CONVENTION DISPLAY-HINT "255t" STATUS current DESCRIPTION "Text." SYNTAX OCTET STRING (SIZE (0..255))
Key ::= OCTET STRING (SIZE (6))
sample MODULE-IDENTITY LAST-UPDATED "202401010000Z" ORGANIZATION "x" CONTACT-INFO "x" DESCRIPTION "First."
  REVISION "202401010000Z" DESCRIPTION "Second." ::= { enterprises 99999 }
table OBJECT-TYPE SYNTAX SEQUENCE OF Entry MAX-ACCESS not-accessible STATUS current DESCRIPTION "T." ::= { sample tables(1) 1 }
entry OBJECT-TYPE SYNTAX Entry MAX-ACCESS not-accessible STATUS current DESCRIPTION "E."
  INDEX { key, IMPLIED name } ::= { table 1 }
Entry ::= SEQUENCE { key Key, name Label, power Watts, state INTEGER, octets Counter64, flags BITS }
key OBJECT-TYPE SYNTAX Key MAX-ACCESS not-accessible STATUS current DESCRIPTION "K." ::= { entry 1 }
name OBJECT-TYPE SYNTAX Label MAX-ACCESS not-accessible STATUS current DESCRIPTION "N." ::= { entry 2 }
power OBJECT-TYPE SYNTAX Watts UNITS "0.1 W" MAX-ACCESS read-only STATUS current DESCRIPTION "P. More." ::= { entry 3 }
state OBJECT-TYPE SYNTAX INTEGER { up(1), down(2), 4wire(-1) } MAX-ACCESS read-only STATUS current DESCRIPTION "S."
  DEFVAL { up } ::= { entry 4 }
octets OBJECT-TYPE SYNTAX Counter64 MAX-ACCESS read-only STATUS current DESCRIPTION "O." ::= { entry 5 }
flags OBJECT-TYPE SYNTAX BITS { a(0), b(1) } MAX-ACCESS read-only STATUS current DESCRIPTION "F." DEFVAL { { a, b } } ::= { entry 6 }
more OBJECT-TYPE SYNTAX SEQUENCE OF More MAX-ACCESS not-accessible STATUS current DESCRIPTION "M." ::= { sample 2 }
moreEntry OBJECT-TYPE SYNTAX More MAX-ACCESS not-accessible STATUS current DESCRIPTION "ME." AUGMENTS { entry } ::= { more 1 }
More ::= SEQUENCE { extra DisplayString }
extra OBJECT-TYPE SYNTAX DisplayString (SIZE (0..'20'H)) MAX-ACCESS read-only STATUS current DESCRIPTION "X." ::= { moreEntry 1 }
END
OLD-MIB DEFINITIONS ::= BEGIN
IMPORTS enterprises FROM RFC1155-SMI OBJECT-TYPE FROM RFC-1212 TRAP-TYPE FROM RFC-1215;
EXPORTS old;
OBJECT-TYPE MACRO ::= BEGIN TYPE NOTATION ::= "SYNTAX" VALUE NOTATION ::= value END
old OBJECT IDENTIFIER ::= { enterprises 99998 }
oldGauge OBJECT-TYPE SYNTAX Gauge ACCESS read-only STATUS mandatory DESCRIPTION "G" ::= { old 1 }
oldTrap TRAP-TYPE ENTERPRISE old VARIABLES { oldGauge } DESCRIPTION "T" ::= 7
END
`

func TestCompile(t *testing.T) {
	tree, warnings := Compile(map[string]string{"sample": sampleMIB})
	for _, w := range warnings {
		t.Errorf("warning: %v", w)
	}
	for _, tc := range []struct{ name, oid, typ, indexes string }{
		{"SAMPLE-MIB::power", "1.3.6.1.4.1.99999.1.1.1.3", "gauge", "key,name"},
		{"name", "1.3.6.1.4.1.99999.1.1.1.2", "DisplayString", "key,name"},
		{"key", "1.3.6.1.4.1.99999.1.1.1.1", "OctetString", "key,name"},
		{"octets", "1.3.6.1.4.1.99999.1.1.1.5", "counter", "key,name"},
		{"flags", "1.3.6.1.4.1.99999.1.1.1.6", "Bits", "key,name"},
		{"extra", "1.3.6.1.4.1.99999.2.1.1", "DisplayString", "key,name"},
		{"oldGauge", "1.3.6.1.4.1.99998.1", "gauge", ""},
		{"oldTrap", "1.3.6.1.4.1.99998.0.7", "", ""},
		{"table", "1.3.6.1.4.1.99999.1.1", "", ""},
	} {
		n := tree.Lookup(tc.name)
		if n == nil {
			t.Errorf("%s is not found", tc.name)
			continue
		}
		typ, _ := n.MetricType()
		if n.OID() != tc.oid || typ != tc.typ || strings.Join(n.Indexes, ",") != tc.indexes {
			t.Errorf("%s: %s %q %v", tc.name, n.OID(), typ, n.Indexes)
		}
	}
	if n := tree.Lookup("state"); n.Enums[-1] != "4wire" || n.Enums[2] != "down" {
		t.Errorf("state: %v", n.Enums)
	}
	if n := tree.Lookup("key"); n.FixedSize != 6 || !n.Implied {
		t.Errorf("key: size %d, implied %v", n.FixedSize, n.Implied)
	}
	if n := tree.Lookup("sample"); n.Description != "Second." && n.Description != "First." {
		t.Errorf("sample: %q", n.Description)
	}
	if n, rest := tree.Nearest("1.3.6.1.4.1.99999.1.1.1.3.65.66"); n == nil || n.Name != "power" || rest != "65.66" {
		t.Errorf("nearest: %v %q", n, rest)
	}
}

func TestErrorsNameFileAndLine(t *testing.T) {
	for _, tc := range []struct{ name, src, want string }{
		{"open text", "X DEFINITIONS ::= BEGIN\na OBJECT IDENTIFIER ::= { iso 1 }\nb OBJECT-TYPE SYNTAX INTEGER DESCRIPTION \"open\n", "f:3: text has no closing quote"},
		{"no END", "X DEFINITIONS ::= BEGIN\na OBJECT IDENTIFIER ::= { iso 1 }\n", "f:3: module X has no END"},
		{"missing value", "X DEFINITIONS ::= BEGIN\na OBJECT IDENTIFIER { iso 1 }\nEND\n", `f:2: expected "::=", found "{"`},
		{"bad character", "X DEFINITIONS ::= BEGIN\n\n@\nEND\n", "f:3: unexpected character '@'"},
		{"unknown parent", "X DEFINITIONS ::= BEGIN\na OBJECT IDENTIFIER ::= { nowhere 1 }\nEND\n", "f:2: a: its parent nowhere is not defined"},
		{"missing import", "X DEFINITIONS ::= BEGIN\nIMPORTS foo FROM FOO-MIB;\na OBJECT IDENTIFIER ::= { foo 1 }\nEND\n", "f:3: a: its parent foo is imported from FOO-MIB, which is not among the MIBs"},
		{"circle", "X DEFINITIONS ::= BEGIN\na OBJECT IDENTIFIER ::= { b 1 }\nb OBJECT IDENTIFIER ::= { a 1 }\nEND\n", "its OID refers to itself"},
		{"unknown type", "X DEFINITIONS ::= BEGIN\na OBJECT-TYPE SYNTAX Foo ACCESS read-only STATUS current DESCRIPTION \"\" ::= { iso 1 }\nEND\n", "f:2: a: type Foo is not defined"},
		{"too deep", "X DEFINITIONS ::= BEGIN\nA ::= SEQUENCE " + strings.Repeat("{", 100) + "\nEND\n", "f:2: braces are nested too deeply"},
		{"no module", "DEFINITIONS", "f:1: expected \"DEFINITIONS\""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, warnings := Compile(map[string]string{"f": tc.src})
			var all []string
			for _, w := range warnings {
				all = append(all, w.Error())
			}
			if !strings.Contains(strings.Join(all, "\n"), tc.want) {
				t.Errorf("got %q, want %q", all, tc.want)
			}
		})
	}
}

// TestOneBadModuleDoesNotCostTheOthers keeps what was read before an error, and other files.
func TestOneBadModuleDoesNotCostTheOthers(t *testing.T) {
	tree, warnings := Compile(map[string]string{
		"bad":  "BAD DEFINITIONS ::= BEGIN\nearly OBJECT IDENTIFIER ::= { iso 9 }\nbroken\nEND\n",
		"good": sampleMIB,
	})
	if len(warnings) != 1 || tree.Lookup("early") == nil || tree.Lookup("power") == nil {
		t.Errorf("%v, %v, %v", warnings, tree.Lookup("early"), tree.Lookup("power"))
	}
}

// TestStandardModulesCompile compiles the recorded MIBs: what is missing are modules that are
// not among them, nothing else.
func TestStandardModulesCompile(t *testing.T) {
	tree, warnings, err := Load(filepath.Join(testdata.Dir(t, "snmp"), "mibs"))
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range warnings {
		if !strings.Contains(w.Error(), "not among the MIBs") && !strings.Contains(w.Error(), "is not defined") {
			t.Error(w)
		}
	}
	if n := tree.Lookup("IF-MIB::ifHCInOctets"); n == nil || n.OID() != "1.3.6.1.2.1.31.1.1.1.6" || n.Indexes[0] != "ifIndex" {
		t.Errorf("ifHCInOctets: %+v", n)
	}
}

func FuzzCompile(f *testing.F) {
	f.Add(sampleMIB)
	f.Add("X DEFINITIONS ::= BEGIN\na OBJECT IDENTIFIER ::= { a 1 }\nEND")
	f.Add("X DEFINITIONS ::= BEGIN A ::= B B ::= A c OBJECT-TYPE SYNTAX A ACCESS x ::= { iso 1 } END")
	f.Fuzz(func(_ *testing.T, src string) {
		tree, _ := Compile(map[string]string{"f": src})
		tree.Walk(tree.Root, func(n *Node) { n.MetricType() })
	})
}

func FuzzLexer(f *testing.F) {
	f.Add(sampleMIB)
	f.Fuzz(func(t *testing.T, src string) {
		l := &lexer{file: "f", src: src, line: 1}
		for range len(src) + 1 {
			tok, err := l.next()
			if err != nil || tok.kind == tokEOF {
				return
			}
		}
		t.Error("more tokens than characters")
	})
}
