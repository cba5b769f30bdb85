// Package sim puts a storm of calls on a service with a quota, and measures what becomes of it. The time is virtual: every run
// happens in a bubble of testing/synctest, in which minutes pass in milliseconds and nothing depends on the machine. The
// service is package tctest's, in memory.
//
// A Scenario says what the service can do, who calls it and what goes wrong; a Policy is how the calls are made, such as a
// library with its settings. Run plays the one against the other, Scenario.Limit computes what no policy could surpass.
package sim
