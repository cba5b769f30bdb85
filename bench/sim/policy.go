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
	// New returns a client of its own whose requests go through base. What it draws should come from the seed.
	New func(base http.RoundTripper, seed uint64) (Client, error)
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

// payload is the body of every request.
const payload = `{"Limit":1}`

// Over returns the client that calls DescribeInstances through rt, as the SDK would.
func Over(rt http.RoundTripper) Client {
	return func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://cvm.tencentcloudapi.com/", bytes.NewReader([]byte(payload)))
		if err != nil {
			return err
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
		resp, err := rt.RoundTrip(req)
		if err != nil {
			return err
		}
		return outcome(resp)
	}
}

// outcome reads an answer to its end.
func outcome(resp *http.Response) error {
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	var envelope struct {
		Response struct{ Error struct{ Code string } }
	}
	if json.Unmarshal(data, &envelope) != nil || resp.StatusCode != http.StatusOK || envelope.Response.Error.Code != "" {
		return &Failure{Status: resp.StatusCode, Code: envelope.Response.Error.Code}
	}
	return nil
}
