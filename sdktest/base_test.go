package sdktest

import (
	"net/http"
	"slices"
	"testing"

	"github.com/tencenthttp/tencenthttp/tctest"
)

// base is a way to the fake API.
type base struct {
	name string
	dial func(*testing.T, ...tctest.Option) (*tctest.API, http.RoundTripper)
}

// unsignedBases are all ways to a fake API that does not look at signatures, and bases those to one that does. What depends on
// connections is tested on each of them.
var (
	unsignedBases = []base{
		{"memory", func(_ *testing.T, opts ...tctest.Option) (*tctest.API, http.RoundTripper) {
			api := tctest.New(opts...)
			return api, api.RoundTripper()
		}},
		{"http1", dialServer},
		{"http2", func(t *testing.T, opts ...tctest.Option) (*tctest.API, http.RoundTripper) {
			return dialServer(t, append(slices.Clip(opts), tctest.WithHTTP2())...)
		}},
	}
	bases = checkSignatures(unsignedBases)
)

func dialServer(t *testing.T, opts ...tctest.Option) (*tctest.API, http.RoundTripper) {
	server := tctest.NewServer(opts...)
	t.Cleanup(server.Close)
	return server.API, server.Transport()
}

func checkSignatures(unsigned []base) []base {
	signed := slices.Clone(unsigned)
	for i, b := range unsigned {
		signed[i].dial = func(t *testing.T, opts ...tctest.Option) (*tctest.API, http.RoundTripper) {
			return b.dial(t, append(slices.Clip(opts), tctest.WithCredential(secretID, secretKey, ""))...)
		}
	}
	return signed
}
