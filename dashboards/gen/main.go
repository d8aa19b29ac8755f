// Command gen writes the dashboards as JSON; run it by `make generate`.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/inframind/inframind/dashboards"
)

func main() {
	for _, d := range dashboards.All() {
		raw, err := d.JSON()
		if err == nil {
			err = os.WriteFile(filepath.Join("json", d.UID+".json"), raw, 0o644)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}
