// Package redfish reads BMCs by Redfish (DSP0266, DSP8010): every system, chassis and
// manager, in parallel within a limit, with $expand where the service offers it.
//
// A Driver keeps one client per target: its session, what it learned about $expand, and
// the slow-changing resources. A scrape walks the tree once; collectors share every
// resource that it read. What a collector does not understand is absent and counted, never
// zero and never fatal.
package redfish
