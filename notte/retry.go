package notte

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// A GET is tried up to three times in all, unless Notte asks to wait for
	// longer than maxPatience.
	maxRetries   = 2
	firstBackoff = 250 * time.Millisecond
	maxPatience  = 5 * time.Second

	// maxRetryAfter bounds the wait that Notte may ask for.
	maxRetryAfter = 24 * time.Hour
)

// retryDelay reports whether a GET is worth repeating after err, and how long to
// wait first.
func retryDelay(err error, tries int) (time.Duration, bool) {
	failed, ok := errors.AsType[*Error](err)
	if !ok || tries >= maxRetries || failed.RetryAfter > maxPatience {
		return 0, false
	}
	backoff := firstBackoff << (2 * tries)
	switch failed.StatusCode {
	case 0:
		return backoff, !isTimeout(failed.Err) && !isTLS(failed.Err) && !isFinalRefusal(failed.Err)
	case http.StatusTooManyRequests:
		return failed.RetryAfter, failed.RetryAfter > 0
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return max(backoff, failed.RetryAfter), true
	}
	return 0, false
}

// quota is how many requests Notte still takes until a time.
type quota struct {
	remaining int
	reset     time.Time
}

// parseQuota returns what an answer tells of the quota, or nil.
func parseQuota(h http.Header) *quota {
	n, err := strconv.Atoi(strings.TrimSpace(h.Get("X-RateLimit-Remaining")))
	reset, ok := parseReset(h)
	if err != nil || !ok {
		return nil
	}
	return &quota{n, reset}
}

// Quota returns how many requests Notte still takes until reset, as its last answer
// told. ok is false if that is not known, or past.
func (c *Client) Quota() (remaining int, reset time.Time, ok bool) {
	q := c.quota.Load()
	if q == nil || !time.Now().Before(q.reset) {
		return 0, time.Time{}, false
	}
	return q.remaining, q.reset, true
}

// parseReset returns the time in X-RateLimit-Reset.
func parseReset(h http.Header) (time.Time, bool) {
	n, err := strconv.ParseFloat(strings.TrimSpace(h.Get("X-RateLimit-Reset")), 64)
	n = min(max(n, 0), 1e15)
	if n >= 1e12 { // some servers count milliseconds
		n /= 1000
	}
	return time.Unix(int64(n), 0), err == nil && n == n
}

// parseRetryAfter returns how long an answer asks to wait. Retry-After holds
// seconds or a date. X-RateLimit-Reset holds the Unix time at which the quota is
// renewed; every answer has it, so it counts on a 429 only.
func parseRetryAfter(status int, h http.Header, now time.Time) time.Duration {
	d := time.Duration(0)
	after := strings.TrimSpace(h.Get("Retry-After"))
	if n, err := strconv.ParseFloat(after, 64); err == nil {
		d = time.Duration(min(max(n, 0), maxRetryAfter.Seconds()) * float64(time.Second))
	} else if t, err := http.ParseTime(after); err == nil {
		d = t.Sub(now)
	} else if reset, ok := parseReset(h); ok && status == http.StatusTooManyRequests {
		d = reset.Sub(now)
	}
	return min(max(d, 0), maxRetryAfter)
}
