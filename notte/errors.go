package notte

import (
	"cmp"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ErrNoKey is the error of every call of a [Client] without a key. No request is
// made.
var ErrNoKey = errors.New("no Notte API key (get one at https://console.notte.cc)")

// ErrInvalidID is the error of a call with a function, run or thread ID that does not
// have 1 to 128 letters, digits, hyphens and underscores. No request is made.
var ErrInvalidID = errors.New("invalid ID")

// Error is a request that failed: Notte did not answer, answered with a failure,
// or answered something other than what was asked for (then StatusCode is in
// the 200s or 300s).
//
// errors.Is(err, errors.ErrUnsupported) reports whether Notte does not offer the
// call: status 405 or 501.
type Error struct {
	Op         string        // what was tried, to follow "could not": "start the build"
	API        string        // which API was called: AnythingAPI or FunctionsAPI
	Host       string        // of the API as configured, with its port
	StatusCode int           // of HTTP; 0: no answer
	Sent       bool          // Notte may have got the request; true for every answer
	Message    string        // Notte's own words, or Err's: at most 500 characters, one line, without key and links; may be empty
	RetryAfter time.Duration // how long Notte asks to wait, at most 24 h; 0 if it did not say
	Err        error         // why there was no answer; its text is neither bounded nor redacted; nil if there was one

	from     answerer     // whose answer it is
	proxy    string       // host of the proxy that the request was to go through; may be empty
	billable billable     // what the call may have started
	refused  bool         // the request is known not to have been carried out
	thread   bool         // the call was a turn of an earlier thread
	names    SettingNames // what to check, in the reader's words
}

// The APIs that an [Error] names.
const (
	AnythingAPI  = "Anything API"
	FunctionsAPI = "Functions API"
)

// SettingNames says what the settings of a [Config] are called where a user sets
// them, such as the name of an environment variable. Errors that advise to check
// a setting call it by this name.
type SettingNames struct {
	Key         string // empty means "the API key"
	APIURL      string // empty means "the URL of the Functions API"
	AnythingURL string // empty means "the URL of the Anything API"
	Proxies     string // the names of those of [Proxies], in parentheses after "the proxy settings"; may be empty

	// TrustAuthority says how a user makes this computer trust the authority of
	// a certificate, to follow "if you trust it". Empty means plain words.
	TrustAuthority string
}

// withDefaults returns n with plain words for the names that are empty.
func (n SettingNames) withDefaults() SettingNames {
	return SettingNames{
		Key:         cmp.Or(n.Key, "the API key"),
		APIURL:      cmp.Or(n.APIURL, "the URL of the "+FunctionsAPI),
		AnythingURL: cmp.Or(n.AnythingURL, "the URL of the "+AnythingAPI),
		Proxies:     n.Proxies,

		TrustAuthority: cmp.Or(n.TrustAuthority, "add the certificate of its authority to those that this computer trusts"),
	}
}

// proxies returns what to check if a proxy does not do its work.
func (n SettingNames) proxies() string {
	if n.Proxies == "" {
		return "the proxy settings"
	}
	return "the proxy settings (" + n.Proxies + ")"
}

// url returns the name of the setting that says where api is.
func (n SettingNames) url(api string) string {
	if n = n.withDefaults(); api == AnythingAPI {
		return n.AnythingURL
	}
	return n.APIURL
}

// statusOverloaded is what Notte's cluster answers when it is full.
const statusOverloaded = 529

// Error returns a few sentences: what was tried, why there was no answer or what
// Notte answered, and what to do next.
func (e *Error) Error() string {
	what := "could not " + cmp.Or(e.Op, "call Notte") + ": "
	if e.StatusCode == 0 {
		what += e.obstacle()
	} else {
		what += e.answer() + ". " + e.advice()
	}
	if e.mayHaveStarted() {
		what += e.billable.warning()
	}
	return what
}

// answer returns who answered, the status and the message.
func (e *Error) answer() string {
	status := cmp.Or(http.StatusText(e.StatusCode), "(no standard status)")
	if e.StatusCode == statusOverloaded {
		status = "Overloaded"
	}
	s := e.who() + " answered " + strconv.Itoa(e.StatusCode) + " " + status
	if msg := strings.TrimRight(e.Message, ". "); msg != "" {
		s += ": " + msg
	}
	return s
}

// Is matches errors.ErrUnsupported, see [Error].
func (e *Error) Is(target error) bool {
	return target == errors.ErrUnsupported &&
		(e.StatusCode == http.StatusMethodNotAllowed || e.StatusCode == http.StatusNotImplemented)
}

// Unwrap returns why there was no answer, nil if there was one.
func (e *Error) Unwrap() error { return e.Err }

// outcomeUnknown reports whether the request may have been carried out.
func (e *Error) outcomeUnknown() bool {
	switch {
	case e.refused:
		return false
	case e.StatusCode == 0:
		return e.Sent
	case e.StatusCode < 300, e.StatusCode == http.StatusRequestTimeout:
		return true
	}
	return e.StatusCode >= 500 && e.StatusCode != http.StatusNotImplemented
}

// mayHaveStarted reports whether the request may have started something.
func (e *Error) mayHaveStarted() bool { return e.billable != startsNothing && e.outcomeUnknown() }

// tryAgain ends a sentence with the advice to repeat the call at a time such as "in a
// minute". It leaves the advice out if a repetition may start something twice: then
// [billable.warning] says what to do.
func (e *Error) tryAgain(link, when string) string {
	if e.mayHaveStarted() {
		return "."
	}
	return link + "try again " + when + "."
}

// IsNotFound reports whether Notte itself answered that it has no such thing. A web
// page with status 404 does not count, because it is not Notte's.
func IsNotFound(err error) bool {
	failed, ok := errors.AsType[*Error](err)
	return ok && failed.StatusCode == http.StatusNotFound && failed.from == answerNotte
}

// NotCarriedOut returns err without the warning that the request may have been carried
// out, and [MayHaveStarted] returns false for it. It is for callers who have found out
// that the request was not carried out.
func NotCarriedOut(err error) error {
	failed, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	settled := *failed
	settled.refused = true
	return &settled
}

// MayHaveStarted reports whether a build or run may have begun although its start
// failed with err. Then it may be billed, or act on the world. It returns false
// only if the request was not sent or Notte refused it.
func MayHaveStarted(err error) bool {
	if failed, ok := errors.AsType[*Error](err); ok {
		return failed.outcomeUnknown()
	}
	return err != nil && !errors.Is(err, ErrNoKey) && !errors.Is(err, ErrInvalidID) && !errors.Is(err, errVariables)
}

// billable is what a call starts at Notte.
type billable string

const (
	startsNothing billable = ""
	startsBuild   billable = "build"
	startsRun     billable = "run"
)

// warning returns a space and what to do instead of repeating a start whose outcome
// is not known.
func (b billable) warning() string {
	switch b {
	case startsBuild:
		return " The build may have begun, and may be billed: do not start it again before you have looked at https://console.notte.cc."
	case startsRun:
		return " The run may have begun: do not start it again before you have looked it up, because it may act twice."
	}
	return ""
}
