package sdktest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"hash/crc64"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	cos "github.com/tencentyun/cos-go-sdk-v5"

	"github.com/tencenthttp/tencenthttp"
	"github.com/tencenthttp/tencenthttp/tctest"
)

const (
	bucketURL = "http://bucket-1250000000.cos.ap-guangzhou.myqcloud.com"

	noSuchKey = `<?xml version='1.0' encoding='utf-8' ?><Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message>` +
		`<Resource>bucket-1250000000.cos.ap-guangzhou.myqcloud.com/a.txt</Resource><RequestId>NjE0</RequestId></Error>`
	slowDown = `<?xml version='1.0' encoding='utf-8' ?><Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message><RequestId>NjE1</RequestId></Error>`
	listing  = `<?xml version='1.0' encoding='utf-8' ?><ListBucketResult><Name>bucket-1250000000</Name>` +
		`<Contents><Key>"Error"</Key><Size>7</Size></Contents></ListBucketResult>`
)

// newCOS returns a client whose own retries are the given number of attempts. Its own default is 3.
func newCOS(t *testing.T, rt http.RoundTripper, attempts int) *cos.Client {
	t.Helper()
	bucket, err := url.Parse(bucketURL)
	require.NoError(t, err)
	client := cos.NewClient(&cos.BaseURL{BucketURL: bucket}, &http.Client{
		Transport: &cos.AuthorizationTransport{SecretID: secretID, SecretKey: secretKey, Transport: rt},
	})
	client.Conf.RetryOpt.Count = attempts
	return client
}

// newStore returns an HTTP server in COS's place, and a base RoundTripper that leads there.
func newStore(t *testing.T, handler http.HandlerFunc) http.RoundTripper {
	t.Helper()
	server := httptest.NewServer(handler)
	base := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
	}}
	t.Cleanup(server.Close)
	t.Cleanup(base.CloseIdleConnections)
	return base
}

func getObject(client *cos.Client) error {
	resp, err := client.Object.Get(context.Background(), "a.txt", nil)
	if err == nil {
		resp.Body.Close()
	}
	return err
}

func TestCOS_Errors(t *testing.T) {
	for _, row := range []struct {
		name        string
		answer      tctest.Answer
		cosAttempts int
		wantCode    string
		wantWire    int
	}{
		{"404 NoSuchKey", tctest.Raw(404, "application/xml", noSuchKey), 1, "NoSuchKey", 1},
		{"404 NoSuchKey, COS's own retries", tctest.Raw(404, "application/xml", noSuchKey), 3, "NoSuchKey", 1},
		{"503 SlowDown", tctest.Raw(503, "application/xml", slowDown), 1, "SlowDown", 4},
		{"503 SlowDown, COS's own retries multiply", tctest.Raw(503, "application/xml", slowDown), 3, "SlowDown", 4 * 3},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := tctest.New(tctest.WithScript("", row.answer.Forever()))
				rt := newTransport(t, api.RoundTripper())

				err := getObject(newCOS(t, rt, row.cosAttempts))

				var cosError *cos.ErrorResponse
				require.ErrorAs(t, err, &cosError)
				assert.Equal(t, row.wantCode, cosError.Code)
				assert.NotEmpty(t, cosError.RequestID)
				assert.Equal(t, row.answer.Status, cosError.Response.StatusCode)
				assert.Equal(t, row.wantWire, api.Count())
				assert.Equal(t, strings.TrimPrefix(bucketURL, "http://"), rt.Stats()[0].Target.Host)
				assert.Empty(t, rt.Stats()[0].Target.Action)
			})
		})
	}
}

func TestCOS_SlowDownThenSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := tctest.New(tctest.WithScript("", tctest.Raw(503, "application/xml", slowDown).Times(2), tctest.Raw(200, "application/xml", listing)))

		result, _, err := newCOS(t, newTransport(t, api.RoundTripper()), 1).Bucket.Get(t.Context(), nil)

		require.NoError(t, err)
		assert.Equal(t, `"Error"`, result.Contents[0].Key)
		assert.Equal(t, 3, api.Count())
	})
}

func TestCOS_XMLPassesUntouched(t *testing.T) {
	for name, row := range map[string]tctest.Answer{
		"listing":        tctest.Raw(200, "application/xml", listing),
		"404":            tctest.Raw(404, "application/xml", noSuchKey),
		"503":            tctest.Raw(503, "application/xml", slowDown),
		"503 as text":    tctest.Raw(503, "text/xml; charset=utf-8", slowDown),
		"without a type": tctest.Raw(503, "", slowDown),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := tctest.New(tctest.WithScript("", row.Forever()))
				client := &http.Client{Transport: newTransport(t, api.RoundTripper())}
				resp, err := client.Get(bucketURL + "/a.txt")
				require.NoError(t, err)
				defer resp.Body.Close()
				body, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				assert.Equal(t, string(row.Body), string(body))
				assert.Equal(t, row.Status, resp.StatusCode)
				assert.EqualValues(t, len(body), resp.ContentLength)
			})
		})
	}
}

func TestCOS_BreakerOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := tctest.New(tctest.WithScript("", tctest.Raw(503, "application/xml", slowDown).Forever()))
		client := newCOS(t, newTransport(t, api.RoundTripper(), tencenthttp.WithBreaker(hasty)), 1)
		require.Error(t, getObject(client))

		err := getObject(client)

		assert.Equal(t, 4, api.Count())
		var retryError *cos.RetryError // which has no Unwrap
		require.ErrorAs(t, err, &retryError)
		require.Len(t, retryError.Errs, 1)
		assert.ErrorIs(t, retryError.Errs[0], tencenthttp.ErrBreakerOpen)
	})
}

// newReluctantStore takes an upload at the third time, and then returns its checksum as COS does. It keeps what it received.
func newReluctantStore(t *testing.T, received *[][]byte) http.RoundTripper {
	t.Helper()
	return newStore(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		*received = append(*received, body)
		if len(*received) < 3 {
			w.Header().Set("Content-Type", "application/xml")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, slowDown)
			return
		}
		sum := crc64.Checksum(body, crc64.MakeTable(crc64.ECMA))
		w.Header().Set("X-Cos-Hash-Crc64ecma", strconv.FormatUint(sum, 10))
	})
}

// COS compares a checksum of what its body gave with what the service received: one byte lost or sent twice, and it fails. Its
// requests have no GetBody, whatever the reader is.
func TestCOS_UploadIsReplayed(t *testing.T) {
	object := randomBytes(100 << 10)
	for _, row := range []struct {
		name        string
		reader      io.Reader
		cosAttempts int
		opts        []tencenthttp.Option
		wantRetries uint64 // ours; those that are missing are COS's, which needs an io.Seeker for them
	}{
		{"a seeker", bytes.NewReader(object), 1, nil, 2},
		{"a stream", newPlainReader(object), 1, nil, 2},
		{"a stream, byte by byte", iotest.OneByteReader(bytes.NewReader(object)), 1, nil, 2},
		{"a seeker, longer than MaxReplay", bytes.NewReader(object), 3, []tencenthttp.Option{tencenthttp.WithMaxReplay(1000)}, 0},
		{"a seeker, nothing kept", bytes.NewReader(object), 3, []tencenthttp.Option{tencenthttp.WithMaxReplay(0)}, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			var received [][]byte
			rt := newTransport(t, newReluctantStore(t, &received), row.opts...)
			options := &cos.ObjectPutOptions{ObjectPutHeaderOptions: &cos.ObjectPutHeaderOptions{ContentLength: int64(len(object))}}

			_, err := newCOS(t, rt, row.cosAttempts).Object.Put(t.Context(), "a.bin", row.reader, options)

			require.NoError(t, err)
			require.Len(t, received, 3)
			for _, body := range received {
				assert.True(t, bytes.Equal(object, body))
			}
			assert.Equal(t, row.wantRetries, rt.Stats()[0].Retries)
		})
	}
}

func TestCOS_LargeObjectIsStreamed(t *testing.T) {
	const size, part = 32 << 20, 1 << 20
	for _, contentType := range []string{"application/octet-stream", "application/json", ""} {
		t.Run(contentType, func(t *testing.T) {
			first := make(chan struct{})
			sent := sha256.New()
			base := newStore(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Content-Type"] = []string{contentType}
				w.Header().Set("Content-Length", strconv.Itoa(size))
				chunk := randomBytes(part)
				for i := range size / part {
					chunk[0] = byte(i)
					sent.Write(chunk)
					_, _ = w.Write(chunk)
					if i == 0 {
						w.(http.Flusher).Flush()
						<-first // the client has had something before the rest is sent
					}
				}
			})

			resp, err := newCOS(t, newTransport(t, base), 1).Object.Get(t.Context(), "a.bin", nil)
			require.NoError(t, err)
			defer resp.Body.Close()
			received := sha256.New()
			_, err = io.CopyN(received, resp.Body, 1000)
			require.NoError(t, err)
			close(first)
			n, err := io.Copy(received, resp.Body)

			require.NoError(t, err)
			assert.EqualValues(t, size, n+1000)
			assert.Equal(t, sent.Sum(nil), received.Sum(nil))
		})
	}
}

// An object that is JSON reaches the caller as it is, whatever it says.
func TestCOS_StoredJSON(t *testing.T) {
	for name, object := range map[string]string{
		"an object":          `{"Error": {"Code": "InternalError"}}`,
		"a success":          `{"Response":{"RequestId":"x"}}`,
		"a failure, stored":  `{"Response":{"Error":{"Code":"AuthFailure","Message":"once"},"RequestId":"x"}}`,
		"broken JSON":        `{"Response":{"Error"`,
		"several, by lines":  "{\"a\":1}\n{\"b\":2}\n",
		"an array":           `[1,2,3]`,
		"only spaces":        "   \n\t  ",
		"with a BOM":         "\xef\xbb\xbf{\"a\":1}",
		"with invalid UTF-8": "{\"a\":\"\xff\"}",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := tctest.New(tctest.WithScript("", tctest.Raw(200, "application/json", object)))
				resp, err := newCOS(t, newTransport(t, api.RoundTripper()), 1).Object.Get(t.Context(), "a.json", nil)
				require.NoError(t, err)
				body, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				resp.Body.Close()
				assert.Equal(t, object, string(body))
				assert.Equal(t, 1, api.Count())
			})
		})
	}
}
