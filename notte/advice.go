package notte

import (
	"net/http"
	"time"

	"github.com/anything-mcp/anything-mcp/text"
)

// advice returns what the status of Notte's answer means for the reader, and what
// to do next.
func (e *Error) advice() string {
	key, url, wait := e.names.withDefaults().Key, e.names.url(e.API), e.wait("a minute")
	switch status := e.StatusCode; {
	case e.from != answerNotte:
		return e.adviceOnOthersAnswer(key, url, wait)
	case status < 300:
		return "Something other than Notte's API may be at that address: check " + url + "."
	case status < 400:
		return "Redirects like this one are not followed, so that nothing is started twice and the API key stays with its host: check " +
			url + ", and set it to the new address if you trust that. If it leads to a sign-in page of the network, sign in there with a browser."
	case status == http.StatusUnauthorized:
		return "The API key is missing, mistyped or no longer valid: check " + key + " (keys are at https://console.notte.cc)."
	case status == http.StatusPaymentRequired:
		return "The account is out of credit or its plan does not include this: see its billing at https://console.notte.cc."
	case status == http.StatusForbidden:
		return "The API key is known but may not do this, or a limit of its plan is reached: see the account at https://console.notte.cc."
	case status == http.StatusNotFound:
		return e.adviceOnNotFound(key, url)
	case status == http.StatusMethodNotAllowed, status == http.StatusNotImplemented:
		return "Notte does not offer this call at this address: check " + url + "."
	case status == http.StatusConflict && e.thread:
		return "A turn of this thread still runs: wait until it has ended, then try again."
	case status == http.StatusRequestTimeout:
		return "Notte did not get the whole request in time" + e.tryAgain(": ", "once more")
	case status == http.StatusTooManyRequests:
		return "There were too many requests for this account: wait " + wait + " and try again."
	case status < 500:
		return "The request was not accepted as it is: change what the message names, then try again."
	case status == http.StatusServiceUnavailable, status == statusOverloaded:
		return "Notte is overloaded or down for the moment" + e.tryAgain(": ", "in "+wait)
	}
	return "The fault is on Notte's side" + e.tryAgain(": ", "in "+wait)
}

func (e *Error) adviceOnNotFound(key, url string) string {
	switch {
	case e.thread:
		return "Notte has no such thread for this API key, or the Anything API is not at this address: check the thread, " + key + " and " + url + "."
	case e.billable == startsBuild:
		return "The Anything API is not at this address: check " + url + "."
	}
	return "Notte has nothing under this ID for this API key: check the ID, and that " + key + " is of the account that owns it."
}

// wait returns how long Notte asks to wait, in whole seconds, or byDefault if it
// did not say.
func (e *Error) wait(byDefault string) string {
	if e.RetryAfter <= 0 {
		return byDefault
	}
	return text.Duration((e.RetryAfter + time.Second - 1).Truncate(time.Second))
}
