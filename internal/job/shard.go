package job

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// Shard is one of Count parts of a job's work; Index counts from 0.
// The zero value owns everything.
type Shard struct{ Index, Count int }

// ParseShard reads "i/n", with i from 0 to n-1.
func ParseShard(s string) (Shard, error) {
	i, n, ok := strings.Cut(s, "/")
	idx, err1 := strconv.Atoi(i)
	cnt, err2 := strconv.Atoi(n)
	if !ok || err1 != nil || err2 != nil || cnt < 1 || idx < 0 || idx >= cnt {
		return Shard{}, fmt.Errorf("shard %q: want i/n with 0 <= i < n, e.g. 0/3", s)
	}
	return Shard{idx, cnt}, nil
}

// ShardFrom reads flag, or when it is empty what a Kubernetes Indexed Job sets:
// JOB_COMPLETION_INDEX, and JOB_COMPLETIONS from the job's own manifest.
func ShardFrom(flag string) (Shard, error) {
	if flag != "" {
		return ParseShard(flag)
	}
	idx, n := os.Getenv("JOB_COMPLETION_INDEX"), os.Getenv("JOB_COMPLETIONS")
	switch {
	case idx == "" && n == "":
		return Shard{0, 1}, nil
	case n == "":
		return Shard{}, fmt.Errorf("JOB_COMPLETION_INDEX is set but JOB_COMPLETIONS is not: set it to the job's completions")
	}
	return ParseShard(idx + "/" + n)
}

// Owns tells whether the item called key belongs to this shard.
func (s Shard) Owns(key string) bool {
	return s.Count <= 1 || xxhash.Sum64String(key)%uint64(s.Count) == uint64(s.Index)
}

func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.Index, max(s.Count, 1)) }
