// Command bench measures a scrape of IF-MIB against an agent in a process of its own and prints
// wall time, CPU time and memory of the exporter's side. The module is read from a snmp.yml with
// if_mib in it, or is the built-in one.
//
//	go run -tags gosnmp_nodebug ./exporters/snmp_exporter/bench --ports 1000 --delay 10ms --in-flight 4
//	go run -tags gosnmp_nodebug ./exporters/snmp_exporter/bench --ports 48 --devices 1000
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/inframind/inframind/exporters/snmp_exporter/agent"
	"github.com/inframind/inframind/exporters/snmp_exporter/conf"
	"github.com/inframind/inframind/exporters/snmp_exporter/snmp"
	"github.com/inframind/inframind/exporters/snmp_exporter/walk"
	"github.com/inframind/inframind/internal/exporter"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	ports := flag.Int("ports", 1000, "interfaces of a device")
	devices := flag.Int("devices", 1, "devices, scraped with 50 at once")
	delay := flag.Duration("delay", 0, "delay of each answer")
	inFlight := flag.Int("in-flight", 2, "requests under way to one device")
	config := flag.String("config.file", "", "snmp.yml with the module if_mib")
	rounds := flag.Int("rounds", 3, "scrapes of each device; the first is cold")
	profile := flag.String("cpuprofile", "", "file for a CPU profile of the exporter's side")
	serve := flag.Bool("agent", false, "be the agent")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	if *serve {
		return serveAgent(ctx, *ports, *delay)
	}
	addr, stop, err := startAgent(ctx, *ports, *delay)
	if err != nil {
		return err
	}
	defer stop()
	if *profile != "" {
		f, err := os.Create(*profile)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	return measure(ctx, addr, *config, *devices, *inFlight, *rounds)
}

// serveAgent prints its address and serves until standard input ends.
func serveAgent(ctx context.Context, ports int, delay time.Duration) error {
	d, err := agent.Switch(ports)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &agent.Server{Devices: map[string]*agent.Device{"": d}, Delay: delay}
	addr, wait, err := s.Listen(ctx, "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(addr)
	_, err = io.Copy(io.Discard, os.Stdin)
	cancel()
	wait()
	return err
}

// startAgent runs this program again as the agent, so that its work is not counted.
func startAgent(ctx context.Context, ports int, delay time.Duration) (addr string, stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	cmd := exec.CommandContext(ctx, self, "--agent", "--ports", strconv.Itoa(ports), "--delay", delay.String())
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		return "", nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return "", nil, fmt.Errorf("agent did not start: %w", err)
	}
	return strings.TrimSpace(line), func() { _ = errors.Join(in.Close(), cmd.Wait()) }, nil
}

func measure(ctx context.Context, addr, config string, devices, inFlight, rounds int) error {
	c := &conf.Config{}
	if config != "" {
		var err error
		if c, err = conf.Load([]string{config}, false); err != nil {
			return err
		}
	}
	d, err := snmp.New(c, snmp.Options{InFlight: inFlight, WrapCounters: true, Devices: walk.NewDevices(devices + 1)})
	if err != nil {
		return err
	}
	debug.FreeOSMemory()
	idle := resident()
	for round := range rounds {
		peak := watch()
		start, cpu := time.Now(), cpuTime()
		bytes, err := scrapeAll(ctx, d, addr, devices)
		if err != nil {
			return err
		}
		wall, used := time.Since(start), cpuTime()-cpu
		fmt.Printf("round %d: %d devices, %.2f s wall, %.3f CPU-s, %.1f MB of exposition, peak %.0f MB above the %.0f MB idle\n",
			round+1, devices, wall.Seconds(), used.Seconds(), float64(bytes)/1e6, float64(peak()-idle)/1e6, float64(idle)/1e6)
	}
	return nil
}

type countWriter struct{ n int }

func (w *countWriter) Write(b []byte) (int, error) { w.n += len(b); return len(b), nil }

// scrapeAll probes devices of one agent, told apart by their community.
func scrapeAll(ctx context.Context, d *snmp.Driver, addr string, devices int) (bytes int, err error) {
	for i := range devices {
		d.SetAuth(strconv.Itoa(i), &conf.Auth{Version: 2, Community: conf.Secret(strconv.Itoa(i))})
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	var mu sync.Mutex
	var wg sync.WaitGroup
	slots := make(chan struct{}, 50)
	for i := range devices {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			var w countWriter
			p := &exporter.Probe{Target: addr, Modules: []string{"if_mib"}, Log: log}
			p.Auth.Name = strconv.Itoa(i)
			probeErr := exporter.ProbeOnce(ctx, d, "snmp", p, &w)
			mu.Lock()
			defer mu.Unlock()
			bytes += w.n
			err = errors.Join(err, probeErr)
		})
	}
	wg.Wait()
	return bytes, err
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// resident is the process's resident memory in bytes, from /proc.
func resident() int64 {
	raw, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	f := strings.Fields(string(raw))
	if len(f) < 2 {
		return 0
	}
	n, err := strconv.ParseInt(f[1], 10, 64)
	if err != nil {
		return 0
	}
	return n * int64(os.Getpagesize())
}

// watch samples the resident memory until the returned function gives the peak.
func watch() (peak func() int64) {
	stop, done := make(chan struct{}), make(chan int64)
	go func() {
		top := resident()
		t := time.NewTicker(20 * time.Millisecond)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				top = max(top, resident())
			case <-stop:
				done <- max(top, resident())
				return
			}
		}
	}()
	return func() int64 { close(stop); return <-done }
}
