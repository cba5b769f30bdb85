package peer

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
)

// A Look returns the error code in the envelope of an answer, "" if the call succeeded, and an error if the answer could not
// be read. The body can be read from its beginning afterwards. Looking again at the same answer costs nothing.
type Look func(*http.Response) (code string, err error)

// headSize is how much of an answer Bounded looks at. The envelope of a failure has about 200 bytes.
const headSize = 4 << 10

var (
	errorKey = []byte(`"Error"`)
	heads    = sync.Pool{New: func() any { return new([headSize]byte) }}
)

// ReadAll reads the whole answer and decodes it.
func ReadAll(resp *http.Response) (string, error) {
	if seen, ok := resp.Body.(*inspected); ok {
		return seen.code, nil
	}
	data, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil {
		return "", err
	}
	code := decode(data)
	resp.Body = &inspected{ReadCloser: io.NopCloser(bytes.NewReader(data)), code: code}
	return code, nil
}

// Bounded reads the first 4 KiB of the answer and decodes them only if they are all of it and hold the key "Error".
func Bounded(resp *http.Response) (string, error) {
	if seen, ok := resp.Body.(*inspected); ok {
		return seen.code, nil
	}
	buffer := heads.Get().(*[headSize]byte)
	size := int64(headSize)
	if resp.ContentLength >= 0 {
		size = min(size, resp.ContentLength)
	}
	n, err := io.ReadFull(resp.Body, buffer[:size])
	whole := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || int64(n) == resp.ContentLength
	if err != nil && !whole {
		heads.Put(buffer)
		resp.Body.Close()
		return "", err
	}
	var code string
	if whole && bytes.Contains(buffer[:n], errorKey) {
		code = decode(buffer[:n])
	}
	resp.Body = &inspected{ReadCloser: resp.Body, buffer: buffer, head: buffer[:n], code: code}
	return code, nil
}

func decode(data []byte) (code string) {
	var envelope struct {
		Response struct {
			Error struct{ Code string }
		}
	}
	if json.Unmarshal(data, &envelope) != nil {
		return ""
	}
	return envelope.Response.Error.Code
}

// retryable and fault are the two questions that a user of these libraries asks about a code.
func retryable(code string) bool {
	return code == "RequestLimitExceeded" || fault(code)
}

func fault(code string) bool {
	return code == "InternalError"
}

// inspected is a body of which the head was read ahead.
type inspected struct {
	io.ReadCloser
	buffer *[headSize]byte // goes back to heads when head was read; nil for ReadAll
	head   []byte
	code   string
}

func (b *inspected) Read(p []byte) (int, error) {
	if b.buffer == nil {
		return b.ReadCloser.Read(p)
	}
	n := copy(p, b.head)
	b.head = b.head[n:]
	if len(b.head) == 0 {
		heads.Put(b.buffer)
		b.buffer = nil
	}
	if n > 0 {
		return n, nil
	}
	return b.ReadCloser.Read(p)
}
