package notte

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Error is a failure that Notte answered with, or an answer that is not what
// was asked for (then StatusCode is in the 200s or 300s).
//
// errors.Is(err, errors.ErrUnsupported) holds where Notte does not offer the
// call: 405 and 501.
type Error struct {
	Op         string        // what was tried, to follow "could not": "start the build"
	StatusCode int           // of HTTP
	Message    string        // Notte's own words, at most 500 characters, one line, without the key; may be empty
	RetryAfter time.Duration // how long Notte asks to wait; 0 when it did not say

	call call // what was asked, for the advice
}

// Error says in a few sentences what was tried, what Notte answered, and what
// to do next.
func (e *Error) Error() string {
	text := strconv.Itoa(e.StatusCode) + " " + cmp.Or(http.StatusText(e.StatusCode), "(no standard status)")
	if e.StatusCode == statusOverloaded {
		text = strconv.Itoa(e.StatusCode) + " Overloaded"
	}
	s := fmt.Sprintf("could not %s: Notte answered %s", cmp.Or(e.Op, "call Notte"), text)
	if msg := strings.TrimRight(e.Message, ". "); msg != "" {
		s += ": " + msg
	}
	s += ". " + e.advice()
	if e.isOpen() {
		s += e.call.maybeStarted()
	}
	return s
}

// Is matches errors.ErrUnsupported, see [Error].
func (e *Error) Is(target error) bool {
	return target == errors.ErrUnsupported &&
		(e.StatusCode == http.StatusMethodNotAllowed || e.StatusCode == http.StatusNotImplemented)
}

// statusOverloaded is what Notte's cluster answers when it is full.
const statusOverloaded = 529

// advice is what the status means for whoever reads it, and what to do.
func (e *Error) advice() string {
	switch {
	case e.StatusCode < 400:
		return e.adviceOnWrongAnswer()
	case e.StatusCode >= 500:
		return e.adviceOnServerError()
	}
	switch e.StatusCode {
	case http.StatusUnauthorized:
		return "The API key is missing, mistyped or no longer valid: check " + keySetting + " (keys are at https://console.notte.cc)."
	case http.StatusPaymentRequired:
		return "The account is out of credit or its plan does not include this: see its billing at https://console.notte.cc."
	case http.StatusForbidden:
		return "The API key is known but may not do this, or a limit of its plan is reached: see the account at https://console.notte.cc."
	case http.StatusNotFound:
		return e.adviceOnNotFound()
	case http.StatusMethodNotAllowed:
		return "Notte does not offer this call at this address: check " + e.setting() + "."
	case http.StatusRequestTimeout:
		return "Notte did not get the whole request in time: try again."
	case http.StatusTooManyRequests:
		if e.RetryAfter > 0 {
			return "There were too many requests for this account: wait " + seconds(e.RetryAfter) + " and try again."
		}
		return "There were too many requests for this account: wait a minute and try again."
	}
	return "The request was not accepted as it is: change what the message names, then try again."
}

func (e *Error) adviceOnWrongAnswer() string {
	if e.StatusCode >= 300 {
		return "Redirects like this one are not followed, so that nothing is started twice and the API key stays with its host: check " +
			e.setting() + ", and set it to the new address if you trust that."
	}
	return "Something other than Notte's API may stand at that address, a proxy or a sign-in page for example: check " +
		e.setting() + "."
}

func (e *Error) adviceOnServerError() string {
	wait := "try again in a minute"
	if e.RetryAfter > 0 {
		wait = "try again in " + seconds(e.RetryAfter)
	}
	switch e.StatusCode {
	case http.StatusNotImplemented:
		return "Notte does not offer this call at this address: check " + e.setting() + "."
	case http.StatusServiceUnavailable, statusOverloaded:
		return "Notte is overloaded or down for the moment: " + wait + "."
	}
	return "The fault is on Notte's side: " + wait + "."
}

func (e *Error) adviceOnNotFound() string {
	if e.call.starts == startsBuild {
		return "The Anything API is not at this address: check " + e.setting() + "."
	}
	return "Notte has nothing under this ID for this API key: check the ID, and that " + keySetting + " is of the account that owns it."
}

func (e *Error) setting() string {
	return cmp.Or(e.call.endpoint.setting, apiSetting+" and "+anythingSetting)
}

// What a call may start, and bill.
const (
	startsBuild = "build"
	startsRun   = "run"
)

// maybeStarted is a warning, with a space before it, for a call that acts or
// costs money.
func (k call) maybeStarted() string {
	switch k.starts {
	case startsBuild:
		return " The build may have begun, and be billed, all the same: look at https://console.notte.cc before starting it again."
	case startsRun:
		return " The run may have begun all the same: look it up before starting it again, or it may act twice."
	}
	return ""
}

// seconds spells a wait the way people do, rounded up.
func seconds(d time.Duration) string {
	s := int((d + time.Second - 1) / time.Second)
	switch {
	case s == 1:
		return "1 second"
	case s < 120:
		return strconv.Itoa(s) + " seconds"
	}
	return strconv.Itoa((s+59)/60) + " minutes"
}

// maxRetryAfter bounds the wait that is believed.
const maxRetryAfter = 24 * time.Hour

// retryAfter is how long an answer asks to wait. Retry-After holds seconds or a
// date; X-RateLimit-Reset, which counts on a 429 only as every answer has it,
// holds the Unix time at which the quota is renewed.
func retryAfter(status int, h http.Header, now time.Time) time.Duration {
	d := time.Duration(0)
	after := strings.TrimSpace(h.Get("Retry-After"))
	if n, err := strconv.ParseFloat(after, 64); err == nil {
		d = time.Duration(min(max(n, 0), maxRetryAfter.Seconds()) * float64(time.Second))
	} else if t, err := http.ParseTime(after); err == nil {
		d = t.Sub(now)
	} else if n, err := strconv.ParseFloat(strings.TrimSpace(h.Get("X-RateLimit-Reset")), 64); err == nil && status == http.StatusTooManyRequests {
		n = min(max(n, 0), 1e15)
		if n >= 1e12 { // some servers count milliseconds
			n /= 1000
		}
		d = time.Unix(int64(n), 0).Sub(now)
	}
	return min(max(d, 0), maxRetryAfter)
}

// MayHaveStarted reports whether a start that failed with err may have begun,
// and be billed or act on the world, all the same. It is false only where that
// is certain: the request was not sent, or Notte refused it.
func MayHaveStarted(err error) bool {
	if lost, ok := errors.AsType[*ConnectionError](err); ok {
		return lost.Sent
	}
	if failed, ok := errors.AsType[*Error](err); ok {
		return failed.isOpen()
	}
	return err != nil && !errors.Is(err, ErrNoKey) && !errors.Is(err, ErrInvalidID) && !errors.Is(err, errVariables)
}

// isOpen reports whether the status leaves open what became of the request.
func (e *Error) isOpen() bool {
	return e.StatusCode < 300 || e.StatusCode == http.StatusRequestTimeout ||
		e.StatusCode >= 500 && e.StatusCode != http.StatusNotImplemented
}
