package notte

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
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
	}
	s.decoder = decoder{run: k.billable == startsRun, turn: newTurn(c, s.skip)}
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		s.clock = new(time.Until(date))
	}
	if !s.decoder.run {
		s.decoder.language = languageOf(resp)
	}
	s.body = watch(resp.Body, s.idleTimeout(), func() { cancel(ErrIdle) })
	s.reader = s.body
	if s.accept(resp) {
		if s.decoder.run && !s.events {
			s.noResult = func(body []byte) error {
				resp.Body = io.NopCloser(bytes.NewReader(body))
				return c.failure(k, resp)
			}
		}
		return s, nil
	}
	if ctx.Err() != nil || s.body.failure() != nil {
		err = s.lost()
	} else {
		resp.Body = readCloser{s.reader, s.body} // with what sniffEvents has read
		err = c.failure(k, resp)
	}
	s.Close()
	return nil, err
}

// readCloser is a body that is read through another reader.
type readCloser struct {
	io.Reader
	io.Closer
}

// accept reports whether the stream can read an answer of this content type, and
// prepares to read it. If the type is missing or general, it looks at the first bytes,
// because the API's own example clients do not check the type.
func (s *Stream) accept(resp *http.Response) bool {
	if !s.decoder.run {
		s.setThread(s.client.Redact(resp.Header.Get(threadHeader)), "")
	}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	switch kind {
	case eventStream:
		s.events = true
	case "", "text/plain", "application/octet-stream":
		r := bufio.NewReaderSize(s.reader, minRead)
		s.reader = r
		s.events = s.sniffEvents(r)
	case jsonAnswer:
		if s.body.anyByte = true; s.decoder.run {
			return true
		}
	}
	if !s.events && !s.decoder.run && (kind == jsonAnswer || resp.StatusCode == http.StatusAccepted) {
		return s.acceptDetached(resp.StatusCode)
	}
	return s.events
}

// threadHeader is the header in which v2 names the thread of a build.
const threadHeader = "X-Thread-Id"

// setThread records the thread that the answer names, if id is an ID.
func (s *Stream) setThread(id, url string) {
	if ValidID(id) {
		s.threadID, s.threadURL = id, s.client.links().thread(url)
		s.decoder.turn.threadID = id
	}
}

// acceptDetached reports whether the answer to a build's start says that the build
// goes on at Notte: with status 202, or with the thread in a JSON object.
func (s *Stream) acceptDetached(status int) bool {
	body := readSmallBody(readCloser{s.reader, s.body.ReadCloser})
	s.reader = strings.NewReader(body) // for the error, if it is not detached
	answer, ok := readJSON(s.client.Redact(body))
	f := fieldsOf(answer)
	id := f.text("thread_id", "threadId")
	s.detached = ok && ValidID(id) || status == http.StatusAccepted && (answer.IsObject() || s.threadID != "")
	if !ValidID(id) {
		id = s.threadID // from the header
	}
	s.setThread(id, f.string("url"))
	return s.detached
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
