// Command delay forwards UDP datagrams to a BMC and holds every answer back: for bench/peers.sh.
package main

import (
	"fmt"
	"net"
	"os"
	"time"
)

func main() {
	if err := run(os.Args); err != nil {
		fmt.Fprintln(os.Stderr, "delay:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 4 {
		return fmt.Errorf("usage: delay LISTEN TARGET DURATION")
	}
	listen, err := net.ResolveUDPAddr("udp", args[1])
	if err != nil {
		return err
	}
	hold, err := time.ParseDuration(args[3])
	if err != nil {
		return err
	}
	front, err := net.ListenUDP("udp", listen)
	if err != nil {
		return err
	}
	back := map[string]net.Conn{}
	buf := make([]byte, 2048)
	for {
		n, client, err := front.ReadFromUDP(buf)
		if err != nil {
			return err
		}
		c := back[client.String()]
		if c == nil {
			if c, err = net.Dial("udp", args[2]); err != nil {
				return err
			}
			back[client.String()] = c
			go answer(front, client, c, hold)
		}
		if _, err := c.Write(buf[:n]); err != nil {
			return err
		}
	}
}

// answer sends what comes from c to client, hold later, until c fails.
func answer(front *net.UDPConn, client *net.UDPAddr, c net.Conn, hold time.Duration) {
	buf := make([]byte, 2048)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		pkt := append([]byte(nil), buf[:n]...)
		time.AfterFunc(hold, func() { _, _ = front.WriteToUDP(pkt, client) })
	}
}
