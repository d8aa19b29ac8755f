//go:build !race

package redfish

// slowdown is how much longer time limits are under the race detector.
const slowdown = 1
