package notte

import (
	"mime"
	"net/http"
	"strings"
)

// answerer is who answered a request, as far as the answer shows it. Not every answer
// on the way to Notte is Notte's.
type answerer uint8

const (
	answerNotte   answerer = iota // also if there was no answer
	answerPage                    // a web page in the place of Notte's API
	answerBlock                   // something that blocks requests with a web page
	answerNetwork                 // the network, which wants a sign-in
	answerProxy                   // the proxy
)

// answererOf returns who gave an answer with this body, and reports whether that
// shows that the request did not reach Notte. JSON counts as Notte's answer whatever
// the headers say, because they may be those of a proxy that Notte itself uses.
func answererOf(resp *http.Response, body string) (from answerer, unreached bool) {
	switch status := resp.StatusCode; {
	case status == http.StatusNetworkAuthenticationRequired:
		return answerNetwork, true
	case status == http.StatusProxyAuthRequired:
		return answerProxy, true
	case validJSON(trimBody(body)):
		return answerNotte, false
	case resp.Header.Get("Cf-Mitigated") != "": // Cloudflare wants a browser to prove itself
		return answerBlock, true
	case !isPage(resp, body):
		return answerNotte, false
	case status == http.StatusUnauthorized, status == http.StatusForbidden,
		status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		return answerBlock, false
	case status < 300, status >= 400 && status < 500:
		return answerPage, false
	}
	return answerNotte, false // a gateway of Notte's that could not reach what is behind it
}

// isPage reports whether an answer that is not JSON is a web page: HTML, or XML, by
// its type or its first character.
func isPage(resp *http.Response, body string) bool {
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return kind == "text/html" || kind == "application/xhtml+xml" || strings.HasPrefix(trimBody(body), "<")
}

// trimBody returns a body without a byte order mark and the space around it.
func trimBody(body string) string {
	return strings.TrimSpace(strings.TrimPrefix(body, "\uFEFF"))
}

// who returns who answered, for the beginning of a clause.
func (e *Error) who() string {
	switch e.from {
	case answerPage:
		return "something other than Notte's API"
	case answerBlock:
		return "something between this computer and Notte"
	case answerNetwork:
		return "the network"
	case answerProxy:
		return e.proxyName()
	}
	return "Notte"
}

// adviceOnOthersAnswer returns what to do after an answer that is not Notte's.
func (e *Error) adviceOnOthersAnswer(key, url, wait string) string {
	switch e.from {
	case answerNetwork:
		return "It wants a sign-in: open any web page in a browser, sign in there, then try again."
	case answerProxy:
		return e.proxyLogin()
	case answerBlock:
		return "That is the web page of a bot check such as Cloudflare's, of a gateway or of a filter, so " + key + " is probably not the reason. " +
			"Ask those who run the network to let requests to " + e.Host + " pass" + e.tryAgain(", or ", "in "+wait+" or from another network")
	}
	return "It may be a sign-in page of the network, a proxy or another web server: open any web page in a browser to see whether the network wants a sign-in, and check " + url + "."
}
