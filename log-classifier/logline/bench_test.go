package logline

import "testing"

// BenchmarkForms parses lines of the most common forms, one after the other.
func BenchmarkForms(b *testing.B) {
	lines := []string{
		"Nov 21 10:22:01 web1 sshd[123]: Accepted password for bob from 10.0.0.1 port 22",
		"<34>Nov 21 10:22:01 web1 kernel: EXT4-fs (sda1): mounted filesystem with ordered data mode",
		"2026-11-21 10:22:01,123 ERROR [main] org.foo.Bar: connection to 10.0.0.1:5432 refused",
		"[Sun Dec 04 04:47:44 2005] [error] [client 10.0.0.1] File does not exist: /var/www/html/favicon.ico",
		"2026-11-21 10:22:01.123 UTC [123] LOG:  checkpoint starting: time",
		"261121 203615 148 INFO dfs.DataNode$Foo: PacketResponder 1 for block blk_38865049064139660 terminating",
		"- 1117838570 2005.06.03 R02-M1 2005-06-03-15.42 R02-M1 RAS KERNEL INFO instruction cache parity error corrected",
		"nothing here that looks like a header, only a sentence of some program",
	}
	for b.Loop() {
		for _, s := range lines {
			Parse(s, "")
		}
	}
}
