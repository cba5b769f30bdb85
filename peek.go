package tencenthttp

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"io"
	"net/http"
	"strings"
	"sync"
)

// defaultMaxInspect is how much of an answer is looked at. A failure is a few hundred bytes; 64 KiB leaves room for a long message.
const defaultMaxInspect = 64 << 10

// inspectable tells whether an answer may be an envelope and may be read for it without keeping anything from the caller:
// JSON only, no stream, no upgraded connection, nothing that has no body, and
// nothing that is longer than limit.
func inspectable(resp *http.Response, limit int64) bool {
	if resp.Body == nil || resp.Body == http.NoBody || resp.ContentLength == 0 || resp.ContentLength > limit || limit == 0 {
		return false
	}
	if resp.Request != nil && resp.Request.Method == http.MethodHead {
		return false
	}
	if len(resp.Header["X-Cos-Request-Id"]) > 0 {
		return false // what the object storage answers with may be anybody's JSON
	}
	switch resp.StatusCode {
	case http.StatusSwitchingProtocols, http.StatusNoContent, http.StatusNotModified:
		return false
	}
	return isJSON(headerValue(resp.Header, "Content-Type"))
}

// isJSON takes a missing type for JSON: the first byte decides then.
func isJSON(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	switch media = strings.TrimSpace(media); {
	case media == "", media == "application/json", strings.EqualFold(media, "application/json"):
		return true
	}
	return len(media) > len("+json") && strings.EqualFold(media[len(media)-len("+json"):], "+json")
}

// look reads the body to its end, but at most limit bytes, and returns what it says, decoded. It returns nothing where the
// body is longer than limit, is no JSON object, or cannot be decoded. Its error is the one that the base's Read ended with, unless that is io.EOF.
func (b *answerBody) look(resp *http.Response, limit int64) ([]byte, error) {
	encoding := headerValue(resp.Header, "Content-Encoding")
	first := int64(firstRoom)
	if resp.ContentLength > 0 {
		first = resp.ContentLength + 1 // the byte more is for seeing the end
	}
	whole := b.fill(min(first, limit+1), limit+1, encoding == "")
	if b.length == 0 {
		b.recycle()
	}
	switch {
	case !whole:
		return nil, nil
	case b.err != io.EOF:
		return nil, b.err
	case b.length == 0:
		return nil, nil
	}
	seen := (*b.kept)[:b.length]
	if encoding == "" {
		return seen, nil
	}
	return decode(seen, encoding, limit), nil
}

const (
	// firstRoom is how much is read at first of an answer that does not say how long it is.
	firstRoom = 4 << 10
	// maxEmptyReads is how often a body may return no byte and no error in a row before the look gives up, as in bufio.
	maxEmptyReads = 100
)

// fill keeps what the body gives until it ends, with b.err set, and returns true. It returns false, with b.err nil, once limit
// bytes are kept or, if the bytes are plain, once they cannot be a JSON object.
func (b *answerBody) fill(first, limit int64, plain bool) bool {
	b.kept = getBuffer(int(first))
	for empty := 0; empty < maxEmptyReads; {
		room := (*b.kept)[b.length:min(int64(len(*b.kept)), limit)]
		n, err := b.base.Read(room)
		b.length += n
		if err != nil {
			b.err = err
			return true
		}
		if int64(b.length) >= limit || plain && !mayBeObject((*b.kept)[:b.length]) {
			return false
		}
		if empty++; n > 0 {
			empty = 0
		}
		if b.length == len(*b.kept) {
			b.grow(limit)
		}
	}
	return false
}

func (b *answerBody) grow(limit int64) {
	larger := getBuffer(int(min(4*int64(b.length), limit)))
	copy(*larger, *b.kept)
	putBuffer(b.kept)
	b.kept = larger
}

// mayBeObject tells whether data is the beginning of a JSON object, or still too short to tell.
func mayBeObject(data []byte) bool {
	if len(data) < len(utf8BOM) && bytes.HasPrefix(utf8BOM, data) {
		return true
	}
	data = bytes.TrimPrefix(data, utf8BOM)
	at := skipSpace(data, 0)
	return at == len(data) || data[at] == '{'
}

// decode returns the plain form of data, or nil if it is broken, of an encoding unknown here, or longer than limit.
func decode(data []byte, encoding string, limit int64) []byte {
	switch strings.ToLower(encoding) {
	case "identity":
		return data
	case "gzip", "x-gzip":
		if r, err := gzip.NewReader(bytes.NewReader(data)); err == nil {
			return readWhole(r, limit)
		}
	case "deflate":
		// RFC 9110, 8.4.1.2: the zlib format. Some servers send the bare stream, and the SDK reads nothing else.
		if r, err := zlib.NewReader(bytes.NewReader(data)); err == nil {
			return readWhole(r, limit)
		}
		return readWhole(flate.NewReader(bytes.NewReader(data)), limit)
	}
	return nil
}

// readWhole returns all that r gives, or nil if that ends in an error or is longer than limit.
func readWhole(r io.Reader, limit int64) []byte {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil || int64(len(data)) > limit {
		return nil
	}
	return data
}

// bufferSizes are the sizes of pooled buffers. The slack holds the byte that a look reads beyond the end.
var bufferSizes = [...]int{4<<10 + 512, 16<<10 + 512, defaultMaxInspect + 512}

var buffers [len(bufferSizes)]sync.Pool

// getBuffer returns a buffer of at least size bytes, pooled unless it is larger than the largest size.
func getBuffer(size int) *[]byte {
	for i, pooled := range bufferSizes {
		if size <= pooled {
			if buffer, ok := buffers[i].Get().(*[]byte); ok {
				return buffer
			}
			size = pooled
			break
		}
	}
	buffer := make([]byte, size)
	return &buffer
}

func putBuffer(buffer *[]byte) {
	for i, pooled := range bufferSizes {
		if len(*buffer) == pooled {
			buffers[i].Put(buffer)
		}
	}
}
