package notte

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tidwall/gjson"
)

const (
	// answerTimeout bounds a whole call that is no stream, body included.
	answerTimeout = time.Minute

	// maxAnswer bounds the body of an answer. Results are up to 16 MiB, and up
	// to twice that when they are escaped as a JSON string.
	maxAnswer = 33 << 20
)

// send makes one request. It returns an answer with a status in the 200s, whose
// body the caller must close, and every other answer as an error.
func (c *Client) send(ctx context.Context, k call) (*http.Response, error) {
	req, err := c.newRequest(ctx, k)
	if err != nil {
		return nil, err
	}
	var connected atomic.Bool // the hook may outlast Do
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }}
	resp, err := c.http.Do(req.WithContext(httptrace.WithClientTrace(ctx, trace)))
	if err != nil {
		return nil, c.noAnswer(ctx, k, err, connected.Load())
	}
	if q := parseQuota(resp.Header); q != nil {
		c.quota.Store(q)
	}
	if strings.EqualFold(resp.Header.Get("Content-Encoding"), "gzip") {
		resp.Body = &gzipBody{ReadCloser: resp.Body}
	}
	if resp.StatusCode < 200 || resp.StatusCode >= 300 {
		return nil, c.failure(k, resp)
	}
	return resp, nil
}

// do makes a call and ignores the body of its answer, unless that is not Notte's.
func (c *Client) do(ctx context.Context, k call) error {
	within, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	resp, err := c.send(within, k)
	if err != nil {
		return c.timeoutOr(ctx, within, k, err)
	}
	body := readSmallBody(resp.Body) // to its end, so that the connection can be used again
	if from, _ := answererOf(resp, body); from != answerNotte {
		resp.Body = io.NopCloser(strings.NewReader(body))
		return c.failure(k, resp)
	}
	return nil
}

// get looks something up in the Functions API.
func (c *Client) get(ctx context.Context, op string, query url.Values, path ...string) (gjson.Result, error) {
	return c.getJSON(ctx, call{op: op, method: http.MethodGet, endpoint: c.api, path: path, query: query})
}

// getJSON makes a call and returns its answer, a JSON object. It repeats a GET
// after a failure that tends to pass, and never another method.
func (c *Client) getJSON(ctx context.Context, k call) (gjson.Result, error) {
	for try := 0; ; try++ {
		answer, err := c.tryJSON(ctx, k)
		wait, again := retryDelay(err, try)
		if end, ok := ctx.Deadline(); !again || k.method != http.MethodGet || ok && time.Until(end) <= wait {
			return answer, err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return gjson.Result{}, fmt.Errorf("could not %s: stopped between two tries: %w", k.op, context.Cause(ctx))
		}
	}
}

func (c *Client) tryJSON(ctx context.Context, k call) (gjson.Result, error) {
	within, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	resp, err := c.send(within, k)
	if err != nil {
		return gjson.Result{}, c.timeoutOr(ctx, within, k, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return gjson.Result{}, c.noAnswer(ctx, k, err, true)
	case len(body) > maxAnswer:
		return gjson.Result{}, fmt.Errorf("could not %s: the answer is longer than the %d MiB that are read at most", k.op, maxAnswer>>20)
	}
	answer, ok := readJSON(c.redactor.Redact(string(body)))
	if !ok || !answer.IsObject() {
		resp.Body = io.NopCloser(bytes.NewReader(body))
		return gjson.Result{}, c.failure(k, resp)
	}
	return answer, nil
}

// timeoutOr returns err, or an Error about a time-out if the call's own time is
// over and its caller's is not.
func (c *Client) timeoutOr(ctx, within context.Context, k call, err error) error {
	if ctx.Err() == nil && within.Err() != nil {
		return c.noAnswer(ctx, k, context.Cause(within), true)
	}
	return err
}

// gzipBody is the body of an answer that was compressed although the request did not
// accept that, as some proxies do. It reads the gzip header with the first Read, so that
// making one does not wait.
type gzipBody struct {
	io.ReadCloser // compressed
	gzip          *gzip.Reader
}

func (b *gzipBody) Read(p []byte) (n int, err error) {
	if b.gzip == nil {
		if b.gzip, err = gzip.NewReader(b.ReadCloser); err != nil {
			return 0, err
		}
	}
	return b.gzip.Read(p)
}
