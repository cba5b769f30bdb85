package peer

import (
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// AWS returns a transport around a retryer of the caller's.
func AWS(base http.RoundTripper, look Look, retryer aws.RetryerV2) http.RoundTripper {
	return &awsTransport{base: base, look: look, retryer: retryer}
}
