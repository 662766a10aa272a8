package notte

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/tidwall/gjson"
)

const (
	// answerTimeout bounds a whole call that is no stream, body included.
	answerTimeout = time.Minute

	// maxAnswer bounds the body of an answer: results are up to 16 MiB, and
	// escaped as a JSON string up to twice that.
	maxAnswer = 33 << 20

	// A GET is tried up to three times in all, as long as what Notte asks to
	// wait is short enough for a caller to sit through.
	maxRetries   = 2
	firstBackoff = 250 * time.Millisecond
	maxPatience  = 5 * time.Second
)

// send makes one request and returns its answer if that is of the 200s, with
// its body still to be read and closed.
func (c *Client) send(ctx context.Context, k call) (*http.Response, error) {
	req, err := c.request(ctx, k)
	if err != nil {
		return nil, err
	}
	var connected atomic.Bool // the hook may outlast Do
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }}
	resp, err := c.http.Do(req.WithContext(httptrace.WithClientTrace(ctx, trace)))
	if err != nil {
		return nil, c.connectionError(ctx, k, err, connected.Load())
	}
	if resp.StatusCode < 200 || resp.StatusCode >= 300 {
		return nil, c.failure(k, resp)
	}
	return resp, nil
}

// ask makes a call whose answer is JSON. A GET is repeated after failures that
// tend to pass; nothing else ever is.
func (c *Client) ask(ctx context.Context, k call) (gjson.Result, error) {
	for try := 0; ; try++ {
		answer, err := c.askOnce(ctx, k)
		wait, again := retryDelay(err, try)
		if !again || k.method != http.MethodGet {
			return answer, err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return gjson.Result{}, fmt.Errorf("could not %s: stopped between two tries: %w", k.op, context.Cause(ctx))
		}
	}
}

// tell makes a call whose answer's body does not matter.
func (c *Client) tell(ctx context.Context, k call) error {
	within, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	resp, err := c.send(within, k)
	if err != nil {
		return c.lateOr(ctx, within, k, err)
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, maxErrorBody)) // lets the connection be used again
	return nil
}

func (c *Client) askOnce(ctx context.Context, k call) (gjson.Result, error) {
	within, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	resp, err := c.send(within, k)
	if err != nil {
		return gjson.Result{}, c.lateOr(ctx, within, k, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return gjson.Result{}, c.connectionError(ctx, k, err, true)
	case len(body) > maxAnswer:
		return gjson.Result{}, fmt.Errorf("could not %s: the answer is longer than %d MiB, more than is read", k.op, maxAnswer>>20)
	}
	answer, ok := readJSON(c.scrub.clean(string(body)))
	if !ok || !answer.IsObject() {
		resp.Body = io.NopCloser(bytes.NewReader(body))
		return gjson.Result{}, c.failure(k, resp)
	}
	return answer, nil
}

// lateOr tells a call's own time-out from its caller's.
func (c *Client) lateOr(ctx, within context.Context, k call, err error) error {
	if ctx.Err() == nil && within.Err() != nil {
		return c.connectionError(ctx, k, context.Cause(within), true)
	}
	return err
}

// retryDelay says whether a GET is worth repeating after err, and when.
func retryDelay(err error, tries int) (time.Duration, bool) {
	if err == nil || tries >= maxRetries {
		return 0, false
	}
	backoff := firstBackoff << (2 * tries)
	if lost, ok := errors.AsType[*ConnectionError](err); ok {
		return backoff, !isTimeout(lost.Err) && !isTLS(lost.Err)
	}
	failed, ok := errors.AsType[*Error](err)
	if !ok || failed.RetryAfter > maxPatience {
		return 0, false
	}
	switch failed.StatusCode {
	case http.StatusTooManyRequests:
		return failed.RetryAfter, failed.RetryAfter > 0
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return max(backoff, failed.RetryAfter), true
	}
	return 0, false
}
