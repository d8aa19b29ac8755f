package sqlite

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/inframind/inframind/internal/logstore"
	"github.com/inframind/inframind/internal/logstore/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Opener {
		dir := t.TempDir()
		return func() (logstore.Store, error) { return Open(dir, Options{}) }
	})
}
