package tencenthttp

import (
	"bytes"
	"io"
	"sync"
	"sync/atomic"
)

// recording streams a body and keeps what was read, as long as that is not more than max. The source is closed when the call is
// over, or else the next attempt could not read on where the last one stopped.
type recording struct {
	source io.ReadCloser
	max    int64

	mu   sync.Mutex // held while the source is read
	kept []byte
	read int64 // bytes read from the source
	lost bool  // kept is not all of them, or will not be
	err  error // what the source ended with

	closing sync.Mutex                   // held for a moment only, also while the source is read
	current atomic.Pointer[recordedBody] // the last attempt's; changes under both mutexes
	wanted  bool                         // it was closed
	final   bool                         // there is no further attempt
	closed  bool
}

// recordedBody is a recording from its beginning, for one attempt.
type recordedBody struct {
	recording *recording
	at        int
	touched   atomic.Bool
}

// reader returns the recording from its beginning. The last reader is cut off: what still reads it belongs to an attempt that is over.
func (r *recording) reader() (*recordedBody, error) {
	if !r.mu.TryLock() {
		return nil, errBodyInUse
	}
	defer r.mu.Unlock()
	if err := r.loss(); err != nil {
		return nil, err
	}
	body := &recordedBody{recording: r}
	r.closing.Lock()
	defer r.closing.Unlock()
	r.current.Store(body)
	r.wanted = false
	return body, nil
}

// readAhead reads the source to its end, and returns whether all of it is kept: a signature needs the whole body before its first
// byte is sent. It blocks as long as the source does.
func (r *recording) readAhead() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	var chunk [4 << 10]byte
	for !r.lost && r.err == nil {
		n, err := r.source.Read(chunk[:])
		r.keep(chunk[:n])
		r.err = err
	}
	return !r.lost && r.err == io.EOF
}

// replayable does not wait for a read that blocks: a body that is still being read cannot be had again.
func (r *recording) replayable() error {
	if !r.mu.TryLock() {
		return errBodyInUse
	}
	defer r.mu.Unlock()
	return r.loss()
}

// loss tells why the body cannot be read from its beginning. The caller holds mu.
func (r *recording) loss() error {
	switch {
	case r.err != nil && r.err != io.EOF:
		return r.err
	case r.lost && r.read > 0:
		return errBodyTooLarge
	}
	return nil
}

// copy returns what there is of the body if that is all of it.
func (r *recording) copy() (io.ReadCloser, error) {
	if !r.mu.TryLock() {
		return nil, errBodyInUse
	}
	defer r.mu.Unlock()
	if r.lost || r.err != io.EOF {
		return nil, errBodyTooLarge
	}
	return io.NopCloser(bytes.NewReader(r.kept)), nil
}

func (b *recordedBody) Read(p []byte) (int, error) {
	r := b.recording
	r.mu.Lock()
	defer r.mu.Unlock()
	b.touched.Store(true)
	if r.current.Load() != b {
		return 0, errBodyReplaced
	}
	if b.at < len(r.kept) {
		n := copy(p, r.kept[b.at:])
		b.at += n
		return n, nil
	}
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.source.Read(p)
	b.at += n
	r.keep(p[:n])
	r.err = err
	return n, err
}

func (r *recording) keep(p []byte) {
	r.read += int64(len(p))
	if r.lost = r.lost || r.read > r.max; r.lost {
		r.kept = nil
		return
	}
	r.kept = append(r.kept, p...)
}

// Close closes the source if the call is over; else the end of the call will. An earlier attempt's has no say: net/http may
// close that late.
func (b *recordedBody) Close() error {
	r := b.recording
	r.closing.Lock()
	defer r.closing.Unlock()
	if r.current.Load() != b {
		return nil
	}
	r.wanted = true
	if r.final {
		return r.close()
	}
	return nil
}

// finish says that no attempt follows. The source is closed now if the last attempt has closed its body, or if there was none.
func (r *recording) finish(now bool) {
	r.closing.Lock()
	defer r.closing.Unlock()
	r.final = true
	if now || r.wanted {
		_ = r.close() // nobody is left to be told
	}
}

func (r *recording) close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	return r.source.Close()
}
