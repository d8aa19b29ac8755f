package redfish

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

// pager serves members in pages of 50 with $skip, as iDRAC and OpenBMC do.
func pager(path string, members []any) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != path {
			return false
		}
		skip, _ := strconv.Atoi(r.URL.Query().Get("$skip"))
		end := min(skip+50, len(members))
		page := map[string]any{"Members": members[min(skip, end):end], "Members@odata.count": len(members)}
		if end < len(members) {
			page["Members@odata.nextLink"] = fmt.Sprintf("%s?$skip=%d", path, end)
		}
		_ = json.NewEncoder(w).Encode(page)
		return true
	}
}
