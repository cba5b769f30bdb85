// Package tctest is a fake of Tencent Cloud API 3.0, for the tests of anything that calls it. It answers as the real service
// does, HTTP status 200 for failures included, and fails on demand in all the ways in which the real one does: scripted codes,
// throttles, outages, brownouts, stalls, cut connections, refused signatures. It keeps a record of what arrived. It needs nothing
// but the standard library.
//
// There are two ways to use the one API that New makes:
//
//   - [API.RoundTripper] is an http.RoundTripper in memory, without sockets or goroutines. In a testing/synctest bubble an hour
//     of outage takes milliseconds.
//   - [NewServer] is a real HTTP/1.1 or HTTP/2 server. Its [Server.Transport] connects to it whatever host a request names, so
//     that SDK clients keep their real endpoints.
//
// Either goes into an SDK client with client.WithHttpTransport, or into the transport under test as its base.
//
//	api := tctest.New(tctest.WithQuota("*", tctest.TokenBucket(20, 20)))
//	api.Script("RunInstances", tctest.Fail("InternalError").Times(2))
//	client.WithHttpTransport(api.RoundTripper())
//
// Actions are written "RunInstances", "cvm:RunInstances" (of that service only), "cvm:*" or "*" throughout.
//
// # What happens to a request
//
// In this order; the first that applies gives the answer:
//
//  1. network delay ([API.SetNetworkDelay]), and changes that are due ([API.At])
//  2. scripted answers that need no body: CutDial, CutBeforeRead, Early ([API.Script])
//  3. refused connections and 503 pages of an outage ([API.SetOutages]); scripted answers are spared by outages
//  4. the body is read; HTTP 413 or 400, UnsupportedProtocol or RequestSizeLimitExceeded for what no service would take
//  5. the signature, if credentials are registered ([API.SetCredential])
//  6. other scripted answers
//  7. the quota ([API.SetQuota])
//  8. InternalError and hanging of an outage
//  9. the queue for the service's capacity ([API.SetCapacity])
//  10. the handler ([API.Handle]) and the latency ([API.SetLatency]); without a handler, an empty success
//  11. network delay
//
// # Where the forms differ
//
// A broken connection is ECONNREFUSED, ECONNRESET, EOF or unexpected EOF in memory and over HTTP/1.1; over HTTP/2 one stream is
// reset and the other calls on its connection go on. net/http itself sends requests again when a kept-alive connection breaks
// before the answer, if they are GETs or have an Idempotency-Key header: over a real connection such requests may arrive twice.
// A call of signature v1 by POST hides its action in the body, so that a script or an outage of that action strikes only after
// the body was read. In memory there is no TLS (Response.TLS is nil), no 1xx status, no Upgrade, no trailer.
package tctest
