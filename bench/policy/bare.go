package policy

import "github.com/tencenthttp/tencenthttp/bench/sim"

// newBare returns the client that does nothing: every call is one request.
func newBare(s Spec, site sim.Site) (sim.Client, error) {
	return over(attemptTimeout{site.Base, s.AttemptTimeout.D()}), nil
}
