package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// Policy is a way to make calls: a library with its settings.
type Policy struct {
	Name string
	// MaxWait is the longest that it lets a call wait, whatever the deadline; zero if as long as that allows. It cannot be blamed for
	// calls that would have succeeded later.
	MaxWait time.Duration
	// New returns a client of its own.
	New func(Site) (Client, error)
}

// Site is where a client works.
type Site struct {
	// Base takes its requests to the service.
	Base http.RoundTripper
	// Seed is for what it draws.
	Seed uint64
	// Quota is what the service allows at first, for those who know it.
	Quota Quota
}

// Client makes one call, an idempotent one, and returns why it failed. It may be used by any number of goroutines.
type Client func(ctx context.Context) error

// Failure is an answer that is no success.
type Failure struct {
	Status int
	Code   string // of the envelope; empty if there is none
}

func (f *Failure) Error() string {
	if f.Code != "" {
		return f.Code
	}
	return "HTTP " + strconv.Itoa(f.Status)
}

// Payload is the body of every request.
const Payload = `{"Limit":1}`

// NewRequest returns the request that every client sends: DescribeInstances, as the SDK would make it.
func NewRequest(ctx context.Context) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://cvm.tencentcloudapi.com/", bytes.NewReader([]byte(Payload)))
	if err != nil {
		return nil, err
	}
	now := time.Now()
	req.Header = http.Header{
		"Content-Type":   {"application/json"},
		"X-Tc-Action":    {"DescribeInstances"},
		"X-Tc-Version":   {"2017-03-12"},
		"X-Tc-Region":    {"ap-guangzhou"},
		"X-Tc-Timestamp": {strconv.FormatInt(now.Unix(), 10)},
		"Authorization": {fmt.Sprintf("TC3-HMAC-SHA256 Credential=AKIDstorm/%s/cvm/tc3_request, "+
			"SignedHeaders=content-type;host, Signature=00", now.UTC().Format(time.DateOnly))},
	}
	return req, nil
}

// Over returns the client that sends its requests through rt.
func Over(rt http.RoundTripper) Client {
	return func(ctx context.Context) error {
		req, err := NewRequest(ctx)
		if err != nil {
			return err
		}
		resp, err := rt.RoundTrip(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		data, err := io.ReadAll(resp.Body)
		if err != nil {
			return err
		}
		return Judge(resp.StatusCode, data)
	}
}

// Judge returns a Failure unless an answer is a success.
func Judge(status int, body []byte) error {
	var envelope struct {
		Response struct{ Error struct{ Code string } }
	}
	if json.Unmarshal(body, &envelope) != nil || status != http.StatusOK || envelope.Response.Error.Code != "" {
		return &Failure{Status: status, Code: envelope.Response.Error.Code}
	}
	return nil
}
