package tctest_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"time"
)

// signer signs requests after the public documentation, independently of what the package does to check them.
type signer struct {
	id, key, token string
	now            time.Time
	service        string   // empty: cvm
	headers        []string // empty: content-type and host
	lower          bool     // header values in lower case, as the documentation has it
	date           string   // empty: the one of now
}

func hmacOf(h func() hash.Hash, key, s string) string {
	m := hmac.New(h, []byte(key))
	_, _ = io.WriteString(m, s)
	return string(m.Sum(nil))
}

func hexOf(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}

// tc3 signs with TC3-HMAC-SHA256.
func (s signer) tc3(r *http.Request) *http.Request {
	payload := ""
	if r.Body != nil && r.GetBody != nil {
		b, _ := r.GetBody()
		all, _ := io.ReadAll(b)
		payload = string(all)
	}
	if r.Header.Get("X-TC-Content-SHA256") != "" {
		payload = r.Header.Get("X-TC-Content-SHA256")
	}
	if s.service == "" {
		s.service = "cvm"
	}
	if s.headers == nil {
		s.headers = []string{"content-type", "host"}
	}
	if s.date == "" {
		s.date = s.now.UTC().Format("2006-01-02")
	}
	var canonical strings.Builder
	canonical.WriteString(r.Method + "\n/\n" + r.URL.RawQuery + "\n")
	for _, name := range s.headers {
		v := r.Header.Get(name)
		if name == "host" {
			v = r.URL.Host
		}
		if s.lower {
			v = strings.ToLower(v)
		}
		canonical.WriteString(name + ":" + v + "\n")
	}
	canonical.WriteString("\n" + strings.Join(s.headers, ";") + "\n" + hexOf(payload))
	scope := s.date + "/" + s.service + "/tc3_request"
	timestamp := strconv.FormatInt(s.now.Unix(), 10)
	key := hmacOf(sha256.New, hmacOf(sha256.New, hmacOf(sha256.New, "TC3"+s.key, s.date), s.service), "tc3_request")
	signature := hex.EncodeToString([]byte(hmacOf(sha256.New, key, "TC3-HMAC-SHA256\n"+timestamp+"\n"+scope+"\n"+hexOf(canonical.String()))))
	r.Header.Set("X-TC-Timestamp", timestamp)
	if s.token != "" {
		r.Header.Set("X-TC-Token", s.token)
	}
	r.Header.Set("Authorization", fmt.Sprintf("TC3-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s",
		s.id, scope, strings.Join(s.headers, ";"), signature))
	return r
}

// v1 returns a call signed with signature v1: a GET with a query or a POST with a form.
func (s signer) v1(method string, algorithm string, params map[string]string) *http.Request {
	params["SecretId"] = s.id
	params["Timestamp"] = strconv.FormatInt(s.now.Unix(), 10)
	if s.token != "" {
		params["Token"] = s.token
	}
	h := sha1.New
	if algorithm != "" {
		params["SignatureMethod"] = algorithm
	}
	if algorithm == "HmacSHA256" {
		h = sha256.New
	}
	names := make([]string, 0, len(params))
	for name := range params {
		names = append(names, name)
	}
	sort.Strings(names)
	plain, form := "", url.Values{}
	for _, name := range names {
		plain += "&" + name + "=" + params[name]
		form.Set(name, params[name])
	}
	form.Set("Signature", base64.StdEncoding.EncodeToString([]byte(hmacOf(h, s.key, method+"cvm.tencentcloudapi.com/?"+plain[1:]))))
	if method == http.MethodGet {
		r, _ := http.NewRequest(method, endpoint+"?"+form.Encode(), nil)
		return r
	}
	r, _ := http.NewRequest(method, endpoint, bytes.NewBufferString(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}
