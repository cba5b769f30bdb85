package tctest

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// sentBody is the body of a request in memory.
type sentBody struct {
	r      *http.Request
	closed atomic.Bool
}

// close closes the body, once.
func (b *sentBody) close() {
	if b.r.Body != nil && !b.closed.Swap(true) {
		_ = b.r.Body.Close() // net/http does not look either
	}
}

// readAll reads the body to its end and closes it. A caller that gives up ends a read that blocks.
func (b *sentBody) readAll(c caller, limit int64) ([]byte, error) {
	want := b.r.ContentLength
	if b.r.Body == nil {
		if want > 0 {
			return nil, fmt.Errorf("http: Request.ContentLength=%d with nil Body", want)
		}
		return nil, nil
	}
	if b.r.Body == http.NoBody {
		b.close()
		return nil, nil
	}
	if b.r.GetBody == nil { // else it is in memory, and no read blocks
		defer b.closeWhenGone(c)()
	}
	var data []byte
	var err error
	if want > 0 && want <= limit {
		data, err = readExactly(b.r.Body, want)
	} else {
		data, err = io.ReadAll(io.LimitReader(b.r.Body, limit+1))
	}
	if gone := c.gone(); gone != nil {
		return nil, gone
	}
	switch {
	case err != nil:
		return nil, err
	case int64(len(data)) > limit:
		return nil, errTooLarge
	case want > 0 && int64(len(data)) != want:
		return nil, fmt.Errorf("http: ContentLength=%d with Body length %d", want, len(data))
	}
	b.close()
	return data, nil
}

// readExactly reads n bytes, and one more to see that there are no others.
func readExactly(r io.Reader, n int64) ([]byte, error) {
	data := make([]byte, n+1)
	got, err := io.ReadFull(r, data)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	return data[:got:got], err
}

// closeWhenGone closes the body as soon as the caller gives up, until the returned function is called.
func (b *sentBody) closeWhenGone(c caller) func() {
	stop := context.AfterFunc(c.ctx, b.close)
	if c.cancel == nil {
		return func() { stop() }
	}
	done := make(chan struct{})
	go func() {
		select {
		case <-c.cancel:
			b.close()
		case <-done:
		}
	}()
	return func() { stop(); close(done) }
}

// errReadClosed has the words that net/http uses.
var errReadClosed = errors.New("http: read on closed response body")

// receivedBody is the body of a response in memory. The service sends its parts when their time has come, whether they are
// read or not.
type receivedBody struct {
	caller
	parts  []segment
	due    time.Time // when the pause before the first part is over
	atEnd  error
	closed chan struct{}
	shut   atomic.Bool
}

func newReceivedBody(c caller, rep *reply) *receivedBody {
	b := &receivedBody{caller: c, parts: rep.body, atEnd: io.EOF}
	sent := 0
	for _, s := range rep.body {
		sent += len(s.data)
		if s.pause != 0 && b.closed == nil {
			b.closed = make(chan struct{})
			b.due = time.Now()
		}
	}
	if rep.cut == CutInBody && int64(sent) != rep.length { // a whole body is whole, whatever comes after it
		b.atEnd = io.ErrUnexpectedEOF
	}
	b.start()
	return b
}

// start sets when the first part is due.
func (b *receivedBody) start() {
	if b.closed != nil && len(b.parts) > 0 {
		b.due = b.due.Add(max(0, b.parts[0].pause))
	}
}

// Read returns what has been sent, or waits for it.
func (b *receivedBody) Read(p []byte) (int, error) {
	if b.shut.Load() {
		return 0, errReadClosed
	}
	for len(b.parts) > 0 && len(b.parts[0].data) == 0 && b.parts[0].pause == 0 {
		b.next()
	}
	if len(b.parts) == 0 {
		return 0, b.atEnd
	}
	if err := b.gone(); err != nil {
		return 0, err
	}
	if len(p) == 0 {
		return 0, nil
	}
	if err := b.await(); err != nil {
		return 0, err
	}
	part := &b.parts[0]
	part.pause = 0
	n := copy(p, part.data)
	part.data = part.data[n:]
	if len(part.data) > 0 {
		return n, nil
	}
	b.next()
	switch {
	case len(b.parts) == 0 && b.atEnd == io.EOF:
		return n, io.EOF // with the last bytes, as net/http does it
	case n == 0:
		return b.Read(p) // a pause before nothing
	}
	return n, nil
}

func (b *receivedBody) next() {
	b.parts = b.parts[1:]
	b.start()
}

// await waits until the first part is due.
func (b *receivedBody) await() error {
	pause := b.parts[0].pause
	if pause > 0 {
		pause = max(0, time.Until(b.due))
	}
	if err := b.wait(pause, b.closed); err != nil {
		return err
	}
	if b.shut.Load() {
		return errReadClosed
	}
	return nil
}

// Close ends the answer, and a Read that waits for it. It may be called more than once.
func (b *receivedBody) Close() error {
	if !b.shut.Swap(true) && b.closed != nil {
		close(b.closed)
	}
	return nil
}

// gunzipped is a body that is decompressed unseen, as net/http does it for callers that did not ask for gzip themselves.
type gunzipped struct {
	*receivedBody
	plain *gzip.Reader
	err   error
}

// Read returns decompressed bytes.
func (b *gunzipped) Read(p []byte) (int, error) {
	if b.shut.Load() {
		return 0, errReadClosed
	}
	if b.plain == nil && b.err == nil {
		b.plain, b.err = gzip.NewReader(b.receivedBody)
	}
	if b.err != nil {
		return 0, b.err
	}
	return b.plain.Read(p)
}
