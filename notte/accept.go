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

// stream makes a call whose answer is a stream of events or, for a run, its
// result as JSON.
func (c *Client) stream(ctx context.Context, k call) (*Stream, error) {
	within, cancel := context.WithCancelCause(ctx)
	resp, err := c.send(within, k)
	if err != nil {
		cancel(err)
		return nil, err
	}
	s := &Stream{
		op:      "follow the " + string(k.billable),
		host:    k.endpoint.url.Host,
		run:     k.billable == startsRun,
		message: c.message, redactor: c.redactor,
		log:    c.log,
		ctx:    ctx,
		body:   watch(resp.Body, c.idle, func() { cancel(ErrIdle) }),
		cancel: cancel,
	}
	s.events = s.body
	if s.accept(resp) {
		return s, nil
	}
	if ctx.Err() != nil || s.body.failure() != nil {
		err = s.lost()
	} else {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{s.events, s.body} // what has been looked at included
		err = c.failure(k, resp)
	}
	s.Close()
	return nil, err
}

// accept takes the answer as the stream's, if it is of a kind to be read. The
// API's own example clients do not look at the content type, so an answer that
// does not say what it is, or says no more than text, may show it.
func (s *Stream) accept(resp *http.Response) bool {
	if strings.EqualFold(resp.Header.Get("Content-Encoding"), "gzip") {
		// Nobody asked for it, but some proxies do not ask either.
		s.events = &gunzipped{packed: s.body}
	}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	switch kind {
	case eventStream:
		return true
	case jsonAnswer:
		s.json = s.run
		return s.run
	case "", "text/plain", "application/octet-stream":
		r := bufio.NewReaderSize(s.events, minRead)
		s.events = r
		return s.looksLikeEvents(r)
	}
	return false
}

// looksLikeEvents reports whether what comes first is a line of an event stream.
func (s *Stream) looksLikeEvents(r *bufio.Reader) bool {
	for size := 1; size <= 64; size++ {
		begin, err := r.Peek(size)
		begin = bytes.TrimLeft(bytes.TrimPrefix(begin, []byte("\uFEFF")), "\r\n")
		for _, name := range []string{"data:", "event:", "id:", "retry:", ":"} {
			if bytes.HasPrefix(begin, []byte(name)) {
				return true
			}
		}
		if err != nil {
			s.body.note(err)
			return false
		}
	}
	return false
}

// gunzipped unpacks a body from its first Read on.
type gunzipped struct {
	packed   io.Reader
	unpacked *gzip.Reader
}

func (g *gunzipped) Read(p []byte) (n int, err error) {
	if g.unpacked == nil {
		if g.unpacked, err = gzip.NewReader(g.packed); err != nil {
			return 0, err
		}
	}
	return g.unpacked.Read(p)
}
