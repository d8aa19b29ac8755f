package mib

// fallback defines textual conventions of standard modules that vendors' MIB collections often
// lack. They are used only where the modules that define them are missing.
const fallback = `
FALLBACK-TC DEFINITIONS ::= BEGIN
CounterBasedGauge64 ::= TEXTUAL-CONVENTION STATUS current SYNTAX Counter64
ZeroBasedCounter64 ::= TEXTUAL-CONVENTION STATUS current SYNTAX Counter64
ZeroBasedCounter32 ::= TEXTUAL-CONVENTION STATUS current SYNTAX Gauge32
TimeFilter ::= TEXTUAL-CONVENTION STATUS current SYNTAX TimeTicks
EnabledStatus ::= TEXTUAL-CONVENTION STATUS current SYNTAX INTEGER { enabled(1), disabled(2) }
EntityAdminState ::= TEXTUAL-CONVENTION STATUS current SYNTAX INTEGER { unknown(1), locked(2), shuttingDown(3), unlocked(4) }
EntityOperState ::= TEXTUAL-CONVENTION STATUS current SYNTAX INTEGER { unknown(1), disabled(2), enabled(3), testing(4) }
EntityUsageState ::= TEXTUAL-CONVENTION STATUS current SYNTAX INTEGER { unknown(1), idle(2), active(3), busy(4) }
EntityAlarmStatus ::= TEXTUAL-CONVENTION STATUS current
  SYNTAX BITS { unknown(0), underRepair(1), critical(2), major(3), minor(4), warning(5), indeterminate(6) }
EntityStandbyStatus ::= TEXTUAL-CONVENTION STATUS current SYNTAX INTEGER { unknown(1), hotStandby(2), coldStandby(3), providingService(4) }
DisplayString ::= TEXTUAL-CONVENTION DISPLAY-HINT "255a" STATUS current SYNTAX OCTET STRING (SIZE (0..255))
SnmpAdminString ::= TEXTUAL-CONVENTION DISPLAY-HINT "255t" STATUS current SYNTAX OCTET STRING (SIZE (0..255))
PhysAddress ::= TEXTUAL-CONVENTION DISPLAY-HINT "1x:" STATUS current SYNTAX OCTET STRING
MacAddress ::= TEXTUAL-CONVENTION DISPLAY-HINT "1x:" STATUS current SYNTAX OCTET STRING (SIZE (6))
TruthValue ::= TEXTUAL-CONVENTION STATUS current SYNTAX INTEGER { true(1), false(2) }
RowStatus ::= TEXTUAL-CONVENTION STATUS current
  SYNTAX INTEGER { active(1), notInService(2), notReady(3), createAndGo(4), createAndWait(5), destroy(6) }
StorageType ::= TEXTUAL-CONVENTION STATUS current SYNTAX INTEGER { other(1), volatile(2), nonVolatile(3), permanent(4), readOnly(5) }
DateAndTime ::= TEXTUAL-CONVENTION DISPLAY-HINT "2d-1d-1d,1d:1d:1d.1d,1a1d:1d" STATUS current SYNTAX OCTET STRING (SIZE (8 | 11))
TimeStamp ::= TEXTUAL-CONVENTION STATUS current SYNTAX TimeTicks
TimeInterval ::= TEXTUAL-CONVENTION STATUS current SYNTAX INTEGER (0..2147483647)
TestAndIncr ::= TEXTUAL-CONVENTION STATUS current SYNTAX INTEGER (0..2147483647)
AutonomousType ::= TEXTUAL-CONVENTION STATUS current SYNTAX OBJECT IDENTIFIER
RowPointer ::= TEXTUAL-CONVENTION STATUS current SYNTAX OBJECT IDENTIFIER
VariablePointer ::= TEXTUAL-CONVENTION STATUS current SYNTAX OBJECT IDENTIFIER
TDomain ::= TEXTUAL-CONVENTION STATUS current SYNTAX OBJECT IDENTIFIER
TAddress ::= TEXTUAL-CONVENTION STATUS current SYNTAX OCTET STRING (SIZE (1..255))
InterfaceIndex ::= TEXTUAL-CONVENTION DISPLAY-HINT "d" STATUS current SYNTAX Integer32 (1..2147483647)
InterfaceIndexOrZero ::= TEXTUAL-CONVENTION DISPLAY-HINT "d" STATUS current SYNTAX Integer32 (0..2147483647)
OwnerString ::= OCTET STRING (SIZE (0..255))
END
`
