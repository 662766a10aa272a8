package notte

import (
	"net/http"
	"time"

	"github.com/anything-mcp/anything-mcp/text"
)

// advice returns what the status of Notte's answer means for the reader, and what
// to do next.
func (e *Error) advice() string {
	switch {
	case e.StatusCode < 400:
		return e.adviceOnWrongAnswer()
	case e.StatusCode >= 500:
		return e.adviceOnServerError()
	}
	switch e.StatusCode {
	case http.StatusUnauthorized:
		return "The API key is missing, mistyped or no longer valid: check " + e.names.withDefaults().Key + " (keys are at https://console.notte.cc)."
	case http.StatusPaymentRequired:
		return "The account is out of credit or its plan does not include this: see its billing at https://console.notte.cc."
	case http.StatusForbidden:
		return "The API key is known but may not do this, or a limit of its plan is reached: see the account at https://console.notte.cc."
	case http.StatusNotFound:
		return e.adviceOnNotFound()
	case http.StatusMethodNotAllowed:
		return e.adviceOnUnsupported()
	case http.StatusConflict:
		if e.thread {
			return "A turn of this thread still runs: wait until it has ended, then try again."
		}
	case http.StatusRequestTimeout:
		return "Notte did not get the whole request in time: try again."
	case http.StatusTooManyRequests:
		return "There were too many requests for this account: wait " + e.wait("a minute") + " and try again."
	}
	return "The request was not accepted as it is: change what the message names, then try again."
}

func (e *Error) adviceOnWrongAnswer() string {
	if e.StatusCode >= 300 {
		return "Redirects like this one are not followed, so that nothing is started twice and the API key stays with its host: check " +
			e.names.url(e.API) + ", and set it to the new address if you trust that."
	}
	return "Something other than Notte's API may be at that address, a proxy or a sign-in page for example: check " +
		e.names.url(e.API) + "."
}

func (e *Error) adviceOnServerError() string {
	switch e.StatusCode {
	case http.StatusNotImplemented:
		return e.adviceOnUnsupported()
	case http.StatusServiceUnavailable, statusOverloaded:
		return "Notte is overloaded or down for the moment: try again in " + e.wait("a minute") + "."
	}
	return "The fault is on Notte's side: try again in " + e.wait("a minute") + "."
}

func (e *Error) adviceOnUnsupported() string {
	return "Notte does not offer this call at this address: check " + e.names.url(e.API) + "."
}

func (e *Error) adviceOnNotFound() string {
	if e.thread {
		return "Notte has no such thread for this API key, or the Anything API is not at this address: check the thread, " +
			e.names.withDefaults().Key + " and " + e.names.url(e.API) + "."
	}
	if e.billable == startsBuild {
		return "The Anything API is not at this address: check " + e.names.url(e.API) + "."
	}
	return "Notte has nothing under this ID for this API key: check the ID, and that " + e.names.withDefaults().Key + " is of the account that owns it."
}

// wait returns how long Notte asks to wait, in whole seconds, or byDefault if it
// did not say.
func (e *Error) wait(byDefault string) string {
	if e.RetryAfter <= 0 {
		return byDefault
	}
	return text.Duration((e.RetryAfter + time.Second - 1).Truncate(time.Second))
}
