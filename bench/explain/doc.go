// Package explain plays storms of the simulator with everything on that makes a Transport visible, and tells them from that
// alone: the reports of calls, the log, the metrics and the status page. The README's worked example is taken from it:
//
//	go test -C bench -run Story -v ./explain
package explain
