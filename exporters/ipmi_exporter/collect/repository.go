package collect

import (
	"context"
	"strings"
	"time"

	"github.com/inframind/inframind/exporters/ipmi_exporter/ipmi"
)

// repository is the decoded SDR repository of a target with the text that does not change
// between scrapes.
type repository struct {
	info       ipmi.RepositoryInfo
	key        string // identity and quirks it was decoded for
	reader     *ipmi.SDRReader
	decoded    *ipmi.Repository
	index      *ipmi.SensorIndex
	sensors    []*ipmi.Sensor // of the BMC itself
	bridged    []*ipmi.Sensor // of other controllers
	lines      map[*ipmi.Sensor]*sensorText
	software   int // sensors of system software, which nobody can read
	thresholds aged[map[*ipmi.Sensor]ipmi.Thresholds]
	read       time.Time
}

// savedSDR is the cache file. Product and firmware guard against another BMC behind the
// same address, or new firmware that keeps the old timestamps.
type savedSDR struct {
	Device  ipmi.DeviceID       `json:"device"`
	Info    ipmi.RepositoryInfo `json:"info"`
	Read    time.Time           `json:"read"`
	Records [][]byte            `json:"records"`
}

// undatedLife is how long SDRs are believed of a BMC that does not tell when they change.
const undatedLife = 24 * time.Hour

// repository returns the SDRs: from memory, else from disk, else from the BMC, whichever
// first has the timestamps that the BMC tells now.
func (s *scrape) repository(ctx context.Context) (*repository, error) {
	r := &s.target.repo
	began := time.Now()
	info, err := ipmi.SDRInfo(ctx, s.conn())
	s.note("SDR repository info", began, err)
	if err != nil {
		return nil, err
	}
	device := s.target.device.v
	key := s.repositoryKey(device)
	believed := func(read time.Time) bool { return info.Dated() || s.start.Sub(read) < undatedLife }
	if r.decoded != nil && r.info == info && r.key == key && believed(r.read) {
		return r, nil
	}
	var saved savedSDR
	if err := s.driver.disk.load("sdr", s.target.name, &saved); err != nil {
		s.probe.Log.Warn("SDR cache is damaged and will be replaced", "target", s.target.name, "err", err)
	}
	if len(saved.Records) > 0 && saved.Info == info && saved.Device == device && believed(saved.Read) {
		s.use(saved.Records, info, key, saved.Read)
		return r, nil
	}
	if r.reader == nil || r.reader.Info != info || r.reader.Done {
		r.reader = ipmi.NewSDRReader(info)
		s.driver.cold.Inc()
	}
	began = time.Now()
	err = r.reader.Read(ctx, s.conn())
	s.note("SDR repository", began, err)
	if err != nil {
		return nil, wrapf(err, "%d of %d SDRs read, the next scrape goes on", len(r.reader.Records), info.Records)
	}
	records := r.reader.Records
	r.reader = nil
	s.use(records, info, key, time.Now())
	if err := s.driver.disk.save("sdr", s.target.name, savedSDR{device, info, r.read, records}); err != nil {
		s.probe.Log.Warn("SDR cache cannot be written", "target", s.target.name, "err", err)
	}
	return r, nil
}

func (s *scrape) repositoryKey(id ipmi.DeviceID) string {
	var key strings.Builder
	key.WriteString(id.Firmware + " " + s.target.quirkNames(s.quirks))
	for _, name := range s.module.Sensors.Exclude {
		key.WriteString("\x00" + name)
	}
	return key.String()
}

// use decodes records for this and the following scrapes.
func (s *scrape) use(records [][]byte, info ipmi.RepositoryInfo, key string, read time.Time) {
	decoded := ipmi.DecodeRecords(records, s.quirks)
	r := repository{info: info, key: key, decoded: decoded, index: ipmi.NewSensorIndex(decoded.Sensors), read: read, lines: map[*ipmi.Sensor]*sensorText{}}
	exclude := map[string]bool{}
	for _, name := range s.module.Sensors.Exclude {
		exclude[name] = true
	}
	for i := range decoded.Sensors {
		sensor := &decoded.Sensors[i]
		switch {
		case sensor.EventOnly || exclude[sensor.Name]:
		case !sensor.CanRead():
			r.software++
		case sensor.Bridged():
			r.bridged = append(r.bridged, sensor)
			r.lines[sensor] = newSensorText(sensor, s.quirks)
		default:
			r.sensors = append(r.sensors, sensor)
			r.lines[sensor] = newSensorText(sensor, s.quirks)
		}
	}
	s.target.repo = r
}
