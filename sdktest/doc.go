// Package sdktest tests the transport in the hands of its users: the Tencent Cloud SDK, the COS SDK, otelhttp, oauth2, resty and
// net/http itself, over HTTP/1.1, HTTP/2 and in memory. It is a module of its own, so that none of them is required by the library.
package sdktest
