package zeek

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
)

// BenchmarkTSV reads a conn log of 100,000 rows; rows/s is what counts.
func BenchmarkTSV(b *testing.B) {
	var log bytes.Buffer
	log.WriteString("#separator \\x09\n#unset_field\t-\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\tlocal_orig\tlocal_resp\tmissed_bytes\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\ttunnel_parents\n")
	const rows = 100_000
	for i := range rows {
		fmt.Fprintf(&log, "%d.%06d\tCHLXQF2OBY4onA%04d\t147.32.81.%d\t%d\t40.74.108.%d\t443\ttcp\tssl\t1.135424\t1596\t4039\tSF\tT\tF\t0\tShADdaFf\t14\t1016\t16\t1226\t(empty)\n",
			1655071198+i/10, i, i%10000, i%250, 1024+i%60000, i%240)
	}
	b.SetBytes(int64(log.Len()))
	b.ReportAllocs()
	for b.Loop() {
		r := NewReader(bytes.NewReader(log.Bytes()), KindConn, 0)
		var c Conn
		n := 0
		for {
			err := r.Conn(&c)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != rows {
			b.Fatal(n)
		}
	}
	b.ReportMetric(float64(b.N)*rows/b.Elapsed().Seconds(), "rows/s")
}
