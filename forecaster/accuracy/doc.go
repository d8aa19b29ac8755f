// Package accuracy holds the tests that measure forecasts on public and on made series
// and fail when a figure of docs/forecaster.md no longer holds.
package accuracy
