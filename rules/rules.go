// Package rules carries the recording and alerting rules inside the binaries, so that
// `inframind init` can write them beside the configuration.
package rules

import "embed"

// Files are the *.yml rule files of this folder, without their tests.
//
//go:embed *.yml
var Files embed.FS
