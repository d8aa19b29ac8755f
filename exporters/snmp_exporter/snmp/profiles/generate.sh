#!/bin/sh
# Makes snmp.yml of generator.yml, our own MIBs and those of the IETF, which are not part of the
# repository: INFRAMIND_TESTDATA/snmp/mibs, or IETF_MIBS.
set -eu
cd "$(dirname "$0")"
mibs=${IETF_MIBS:-${INFRAMIND_TESTDATA:-../../../../../shared/data}/snmp/mibs}
go run ../.. generate --generator generator.yml --mibs-dir mibs --mibs-dir "$mibs" --output snmp.yml
