package prom

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

// maxBlock is the longest time range compaction gives one block: a tenth of the 30 days
// that are kept, as Prometheus chooses it.
const maxBlock = 3 * 24 * time.Hour

// localDB adapts *tsdb.DB to what Prometheus' web handler asks of its storage.
type localDB struct {
	*tsdb.DB
	stats *tsdb.DBStats
}

func (l localDB) BlockMetas() ([]tsdb.BlockMeta, error) { return l.DB.BlockMetas(), nil }

func (l localDB) Stats(label string, limit int) (*tsdb.Stats, error) {
	return l.Head().Stats(label, limit), nil
}

func (l localDB) WALReplayStatus() (tsdb.WALReplayStatus, error) {
	return l.stats.Head.WALReplayStatus.GetWALReplayStatus(), nil
}

func openDB(o Options) (localDB, error) {
	if err := checkMeta(o.Dir); err != nil {
		return localDB{}, err
	}
	opts := tsdb.DefaultOptions()
	opts.RetentionDuration = o.Retention.Milliseconds()
	opts.MaxBlockDuration = maxBlock.Milliseconds()
	stats := tsdb.NewDBStats()
	db, err := tsdb.Open(o.Dir, o.Log, o.Registry, opts, stats)
	if err != nil {
		return localDB{}, explain(o.Dir, err)
	}
	return localDB{db, stats}, nil
}

// BlockError names a damaged block.
type BlockError struct {
	Dir string // of the block
	Err error
}

func (e *BlockError) Error() string {
	return fmt.Sprintf("TSDB block %s is damaged: %v (nothing was deleted; move that directory away to start without its samples, and restore it from a backup)", e.Dir, e.Err)
}

func (e *BlockError) Unwrap() error { return e.Err }

// blockName is a ULID.
var blockName = regexp.MustCompile(`^[0-7][0-9A-HJKMNP-TV-Z]{25}$`)

// checkMeta finds blocks whose meta.json cannot be read. Prometheus skips such a block
// with a log line, and its samples would be missing unnoticed.
func checkMeta(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("TSDB: %w", err)
	}
	for _, e := range entries {
		if !e.IsDir() || !blockName.MatchString(e.Name()) {
			continue
		}
		block := filepath.Join(dir, e.Name())
		raw, err := os.ReadFile(filepath.Join(block, "meta.json"))
		if err != nil {
			return &BlockError{block, err}
		}
		var meta tsdb.BlockMeta
		if err := json.Unmarshal(raw, &meta); err != nil {
			return &BlockError{block, fmt.Errorf("meta.json: %w", err)}
		}
	}
	return nil
}

var corruptRE = regexp.MustCompile(`corrupted block (\w{26}): (.*)`)

// explain names the block that kept the TSDB from opening.
func explain(dir string, err error) error {
	if m := corruptRE.FindStringSubmatch(err.Error()); m != nil {
		return &BlockError{filepath.Join(dir, m[1]), errors.New(m[2])}
	}
	return fmt.Errorf("open TSDB %s: %w", dir, err)
}

// merged adds the series of extra, which are not in the TSDB, to every query. Forecast
// curves lie in the future: the TSDB must not hold those, since later scrapes of the same
// process would then be out of bounds.
type merged struct {
	storage.Storage
	extra storage.Queryable
}

func (m merged) Querier(mint, maxt int64) (storage.Querier, error) {
	q, err := m.Storage.Querier(mint, maxt)
	if err != nil || m.extra == nil {
		return q, err
	}
	e, err := m.extra.Querier(mint, maxt)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("merged series: %w", err), q.Close())
	}
	return storage.NewMergeQuerier([]storage.Querier{q}, []storage.Querier{e}, storage.ChainedSeriesMerge), nil
}
