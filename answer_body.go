package tencenthttp

import (
	"io"
	"sync/atomic"
)

// answerBody is an answer's body of which the beginning was looked at. Reading it gives what the base RoundTripper's body would
// have given: the same bytes, the same error at the same offset, and after Close whatever the base gives after Close.
type answerBody struct {
	base   io.ReadCloser
	kept   *[]byte // pooled; what was looked at and not yet read again
	read   int     // bytes of kept that the caller has
	length int     // bytes of kept that the look filled
	err    error   // what ended the look, or the body; nil if more may follow
	closed atomic.Bool
	end    func() // releases the attempt's context at the end of the body; nil if there is none
}

// Read implements io.Reader. The buffer goes back to its pool here and not in Close, which may run beside a Read.
//
// The end of the body comes in a Read of its own. Whoever looks at Response.Request's context beside the body, as the SDK does
// between two events of a stream, has then handled all that came before it when that context is released.
func (b *answerBody) Read(p []byte) (int, error) {
	if b.closed.Load() {
		return b.base.Read(p)
	}
	if b.read < b.length {
		n := copy(p, (*b.kept)[b.read:b.length])
		b.advance(n)
		return n, nil
	}
	if b.err == nil {
		n, err := b.base.Read(p)
		b.err = err
		if n > 0 || err == nil {
			return n, nil
		}
	}
	b.release()
	return 0, b.err
}

// WriteTo implements io.WriterTo, so that io.Copy need not copy once more what is in memory already.
func (b *answerBody) WriteTo(w io.Writer) (int64, error) {
	var kept int64
	if !b.closed.Load() && b.read < b.length {
		rest := (*b.kept)[b.read:b.length]
		n, err := w.Write(rest)
		if err == nil && n < len(rest) {
			err = io.ErrShortWrite
		}
		kept = int64(n)
		if b.advance(n); err != nil {
			return kept, err
		}
		if b.err == io.EOF {
			b.release()
			return kept, nil
		}
	}
	n, err := io.Copy(w, readerOnly{b})
	return kept + n, err
}

func (b *answerBody) advance(n int) {
	if b.read += n; b.read == b.length {
		b.recycle()
	}
}

// readerOnly hides WriteTo from io.Copy.
type readerOnly struct{ io.Reader }

// Close implements io.Closer.
func (b *answerBody) Close() error {
	b.closed.Store(true)
	err := b.base.Close()
	b.release()
	return err
}

func (b *answerBody) release() {
	if b.end != nil {
		b.end()
	}
}

func (b *answerBody) recycle() {
	if b.kept != nil {
		putBuffer(b.kept)
		b.kept = nil
	}
}
