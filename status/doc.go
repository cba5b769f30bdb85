// Package status shows what a tencenthttp.Transport is doing, as a page that refreshes itself: targets with their rate, line,
// throttles and breaker, the last ten minutes as charts, and the last failures with their RequestIds. Asked for application/json,
// the same address gives the same as JSON.
//
//	page := status.New()
//	rt, err := tencenthttp.NewTransport(nil, page.Option())
//	...
//	http.Handle("GET /debug/tencenthttp", page)
//
// The page needs no script and nothing from elsewhere, and sends a Content-Security-Policy that allows neither. It has names of
// actions, hosts and regions, error codes and RequestIds, but no account, key, query or body. It has no access control of its
// own: serve it where your other debugging pages are.
//
// A Page keeps counts of 10 s each for ten minutes, about 2 KB for a target and 10,000 targets at most; those called last stay.
package status
