package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// sign signs a POST to "/" with TC3-HMAC-SHA256 (https://www.tencentcloud.com/document/product/267/37447). The signature holds for 300
// seconds, and the transport does not send it again after 270.
func sign(req *http.Request, body []byte, secretID, secretKey string, now time.Time) {
	service, _, _ := strings.Cut(req.URL.Host, ".")
	timestamp := strconv.FormatInt(now.Unix(), 10)
	date := now.UTC().Format(time.DateOnly)
	scope := date + "/" + service + "/tc3_request"

	canonical := "POST\n/\n\ncontent-type:" + req.Header.Get("Content-Type") + "\nhost:" + req.URL.Host + "\n\ncontent-type;host\n" + hash(string(body))
	key := mac(mac(mac("TC3"+secretKey, date), service), "tc3_request")
	signature := hex.EncodeToString([]byte(mac(key, "TC3-HMAC-SHA256\n"+timestamp+"\n"+scope+"\n"+hash(canonical))))

	req.Header.Set("X-TC-Timestamp", timestamp)
	req.Header.Set("Authorization", "TC3-HMAC-SHA256 Credential="+secretID+"/"+scope+", SignedHeaders=content-type;host, Signature="+signature)
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func mac(key, text string) string {
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte(text))
	return string(m.Sum(nil))
}
