// Command bmc serves a generated full server (24 drives, 32 DIMMs) over HTTPS, for
// bench/peers.sh: slow as asked, with or without $expand. It prints its address, and at each
// line on standard input the number of requests since the last one.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/inframind/inframind/exporters/redfish_exporter/redfish/redfishtest"
)

func main() {
	delay := flag.Duration("delay", 200*time.Millisecond, "before every answer")
	levels := flag.Int("expand", 0, "levels of $expand that are offered; 0 refuses it")
	flag.Parse()
	svc := &redfishtest.Service{Tree: redfishtest.Full(), Delay: *delay}
	svc.OfferExpand(*levels)
	web := svc.Start()
	defer web.Close()
	fmt.Println(web.Listener.Addr())
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		fmt.Println(svc.Stats().Requests)
		svc.Reset()
	}
}
