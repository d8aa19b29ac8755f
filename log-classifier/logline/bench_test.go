package logline

import "testing"

// BenchmarkForms parses lines of the most common forms, one after the other.
func BenchmarkForms(b *testing.B) {
	lines := []string{
		"Nov 21 10:22:01 web1 sshd[123]: Accepted password for bob from 10.0.0.1 port 22",
		"<34>Nov 21 10:22:01 web1 kernel: EXT4-fs (sda1): mounted filesystem with ordered data mode",
		"2026-11-21 10:22:01,123 ERROR [main] org.foo.Bar: connection to 10.0.0.1:5432 refused",
		"[Sat Nov 21 10:22:01 2026] [error] [client 10.0.0.1] No page behind this path: /srv/shop/basket.html",
		"2026-11-21 10:22:01.123 UTC [123] LOG:  checkpoint starting: time",
		"261121 102201 17 INFO store.BlockServer$Writer: wrote block b_4711 to three nodes of rack 7",
		"- 1795256521 2026.11.21 c3-b1 2026-11-21-10.22.01.123456 c3-b1 RAS KERNEL INFO scrubbed one line of the second level cache",
		"nothing here that looks like a header, only a sentence of some program",
	}
	for b.Loop() {
		for _, s := range lines {
			Parse(s, "")
		}
	}
}
