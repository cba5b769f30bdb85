package tctest

import (
	"fmt"
	"time"
)

// Option sets up an API before its first call. Any function that calls the API's methods is one, so a test can write its own.
type Option func(*API)

const (
	defaultMaxBody    = 10 << 20 // what the service takes with TC3-HMAC-SHA256
	defaultKeep       = 10_000
	defaultBodyRecord = 4 << 10
)

// WithSeed sets the seed of everything random and the first eight hexadecimal digits of every RequestId. The default is 1.
func WithSeed(seed uint64) Option { return func(a *API) { a.seed = seed } }

// WithStrict makes actions without a handler and without a scripted answer fail with InvalidAction, and JSON bodies that are
// no JSON fail with InvalidParameter. Without it such calls succeed.
func WithStrict() Option { return func(a *API) { a.strict = true } }

// WithHandler is Handle as an option.
func WithHandler(action string, h HandlerFunc) Option { return func(a *API) { a.Handle(action, h) } }

// WithScript is Script as an option.
func WithScript(action string, answers ...Answer) Option {
	return func(a *API) { a.Script(action, answers...) }
}

// WithQuota is SetQuota as an option.
func WithQuota(action string, q Quota) Option { return func(a *API) { a.SetQuota(action, q) } }

// WithAccount is SetAccount as an option.
func WithAccount(account string, secretIDs ...string) Option {
	return func(a *API) { a.SetAccount(account, secretIDs...) }
}

// WithLatency is SetLatency as an option.
func WithLatency(l Latency) Option { return func(a *API) { a.SetLatency(l) } }

// WithThrottledLatency is SetThrottledLatency as an option.
func WithThrottledLatency(l Latency) Option { return func(a *API) { a.SetThrottledLatency(l) } }

// WithNetworkDelay is SetNetworkDelay as an option.
func WithNetworkDelay(l Latency) Option { return func(a *API) { a.SetNetworkDelay(l) } }

// WithCapacity is SetCapacity as an option.
func WithCapacity(c Capacity) Option { return func(a *API) { a.SetCapacity(c) } }

// WithOutage adds an outage; see SetOutages.
func WithOutage(o Outage) Option { return func(a *API) { a.AddOutage(o) } }

// WithCredential is SetCredential as an option. With at least one, signatures are checked.
func WithCredential(secretID, secretKey, token string) Option {
	return func(a *API) { a.SetCredential(secretID, secretKey, token) }
}

// WithClockOffset is SetClockOffset as an option.
func WithClockOffset(d time.Duration) Option { return func(a *API) { a.SetClockOffset(d) } }

// WithGzip makes the API compress its answers for every request that accepts gzip, as the real one does. net/http's transport
// asks for it and decompresses unseen, and so does the in-memory RoundTripper; a caller that sets Accept-Encoding itself gets
// the compressed bytes.
func WithGzip() Option { return func(a *API) { a.gzip = true } }

// WithMaxBody sets the largest request body in bytes; a larger one is answered with HTTP 413. The default is 10 MiB.
func WithMaxBody(n int64) Option {
	if n < 1 {
		panic(fmt.Sprintf("tctest: WithMaxBody(%d): below 1", n))
	}
	return func(a *API) { a.maxBody = n }
}

// WithRecord sets how many wire requests Calls remembers, the latest ones, and how many bytes of each one's body. The default is
// 10,000 requests and 4 KiB. Zero calls turns the record off, which makes a call cheaper; -1 keeps all. Zero bytes keeps no
// bodies; -1 keeps them whole. Count and Tally always cover everything.
func WithRecord(calls, bodyBytes int) Option {
	return func(a *API) { a.journal.keep, a.journal.bodyLimit = calls, bodyBytes }
}

// WithTLS makes NewServer speak TLS, with the certificate of httptest, and HTTP/1.1. New ignores it.
func WithTLS() Option { return func(a *API) { a.tls = true } }

// WithHTTP2 makes NewServer speak TLS and HTTP/2, also to the transport that Server.Transport returns. New ignores it.
func WithHTTP2() Option { return func(a *API) { a.tls, a.http2 = true, true } }
