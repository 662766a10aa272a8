package notte

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"mime"
	"net/http"
	"strings"
)

const (
	eventStream = "text/event-stream"
	jsonAnswer  = "application/json"
)

// stream makes a call and returns its answer, a stream of events or, for a run,
// its result as JSON.
func (c *Client) stream(ctx context.Context, k call) (*Stream, error) {
	within, cancel := context.WithCancelCause(ctx)
	resp, err := c.send(within, k)
	if err != nil {
		cancel(err)
		return nil, err
	}
	s := &Stream{
		client: c,
		ctx:    ctx,
		cancel: cancel,
		op:     "follow the " + string(k.billable),
		host:   k.endpoint.url.Host,
		run:    k.billable == startsRun,
		body:   watch(resp.Body, c.idle, func() { cancel(ErrIdle) }),
	}
	s.reader = s.body
	if s.accept(resp) {
		return s, nil
	}
	if ctx.Err() != nil || s.body.failure() != nil {
		err = s.lost()
	} else {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{s.reader, s.body} // with what sniffEvents has read
		err = c.failure(k, resp)
	}
	s.Close()
	return nil, err
}

// accept reports whether the stream can read an answer of this content type, and
// sets how. If the type is missing or general, it looks at the first bytes,
// because the API's own example clients do not check the type.
func (s *Stream) accept(resp *http.Response) bool {
	if strings.EqualFold(resp.Header.Get("Content-Encoding"), "gzip") {
		s.reader = &gzipReader{compressed: s.body} // some proxies compress unasked
	}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	switch kind {
	case eventStream:
		s.language = languageOf(resp)
		return true
	case jsonAnswer:
		s.body.anyByte = true
		return s.run
	case "", "text/plain", "application/octet-stream":
		r := bufio.NewReaderSize(s.reader, minRead)
		s.reader = r
		s.language = languageOf(resp)
		return s.sniffEvents(r)
	}
	return false
}

// sniffEvents reports whether the answer begins with a line of an event stream.
func (s *Stream) sniffEvents(r *bufio.Reader) bool {
	for size := 1; size <= 64; size++ {
		begin, err := r.Peek(size)
		begin = bytes.TrimLeft(bytes.TrimPrefix(begin, []byte("\uFEFF")), "\r\n")
		for _, name := range []string{"data:", "event:", "id:", "retry:", ":"} {
			if bytes.HasPrefix(begin, []byte(name)) {
				return true
			}
		}
		if err != nil {
			s.body.setErr(err)
			return false
		}
	}
	return false
}

// gzipReader decompresses from its first Read on: making one does not wait for
// the header.
type gzipReader struct {
	compressed io.Reader
	gzip       *gzip.Reader
}

func (g *gzipReader) Read(p []byte) (n int, err error) {
	if g.gzip == nil {
		if g.gzip, err = gzip.NewReader(g.compressed); err != nil {
			return 0, err
		}
	}
	return g.gzip.Read(p)
}
