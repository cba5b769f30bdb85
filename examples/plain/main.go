// Plain shows tencenthttp under a plain http.Client, for programs that call Tencent Cloud without its SDK. It calls a fake on this
// machine; with nil for the transport's base and a key of yours it would call the real one.
//
//	go run -C examples ./plain
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/tctest"
)

func main() {
	fake := tctest.NewServer(
		tctest.WithCredential("AKIDplain", "the fake's key", ""),
		tctest.WithScript("DescribeZones", tctest.Fail("InternalError").Times(2), tctest.Success(map[string]int{"TotalCount": 7})),
		tctest.WithScript("StopInstances", tctest.FailWith("InvalidInstanceId.NotFound", "The instance does not exist.")),
	)
	err := run(os.Stdout, fake.Transport())
	fake.Close()
	if err != nil {
		fmt.Fprintln(os.Stderr, "plain:", err)
		os.Exit(1)
	}
}

// run makes two calls, one that the transport saves and one that nothing can.
func run(w io.Writer, base http.RoundTripper) error {
	transport, err := tencenthttp.NewTransport(base)
	if err != nil {
		return err
	}
	c := caller{&http.Client{Transport: transport}, "AKIDplain", "the fake's key"}

	var zones struct{ TotalCount int }
	if err := c.call("DescribeZones", map[string]any{}, &zones); err != nil {
		return err
	}
	fmt.Fprintf(w, "DescribeZones: %d zones, after %d attempts\n", zones.TotalCount, transport.Stats()[0].Attempts)

	err = c.call("StopInstances", map[string]any{"InstanceIds": []string{"ins-1a2b3c4d"}}, nil)
	failure, ok := errors.AsType[*tencenthttp.APIError](err)
	if !ok {
		return fmt.Errorf("StopInstances: %w; an *APIError was expected", err)
	}
	fmt.Fprintf(w, "StopInstances: %v\n", failure)
	fmt.Fprintf(w, "  code %s, message %q\n", failure.Code, failure.Message)
	return nil
}

// caller calls the service cvm.
type caller struct {
	client              *http.Client
	secretID, secretKey string
}

// call makes one call and stores the fields of its answer in result. A failure that the API reports is an *tencenthttp.APIError.
func (c caller) call(action string, params, result any) error {
	body, err := json.Marshal(params)
	if err != nil {
		return err
	}
	// The transport may send the request again: http.NewRequest sets GetBody for a bytes.Reader.
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "https://cvm.tencentcloudapi.com/", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-TC-Action", action)
	req.Header.Set("X-TC-Version", "2017-03-12")
	req.Header.Set("X-TC-Region", "ap-guangzhou")
	sign(req, body, c.secretID, c.secretKey, time.Now())

	resp, err := c.client.Do(req)
	if err != nil {
		return err // no answer: a *tencenthttp.CallError says why
	}
	defer resp.Body.Close()
	envelope, err := tencenthttp.ReadEnvelope(resp) // leaves the body as it was
	switch {
	case err != nil:
		return err
	case envelope != nil && envelope.Error != nil:
		return envelope.Error
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("HTTP status %s", resp.Status)
	case result == nil:
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(&struct{ Response any }{result})
}
