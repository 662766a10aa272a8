package notte

import (
	"cmp"
	"html"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

const (
	maxErrorBody = 1 << 20 // bytes read of an answer that tells of a failure
	maxMessage   = 500     // characters kept of it

	// errorBodyTimeout bounds the wait for the body of a failure, which may
	// not stall a caller who has its status already.
	errorBodyTimeout = 10 * time.Second
)

// failure turns an answer that is not the one asked for into an *Error, and
// closes its body.
func (c *Client) failure(k call, resp *http.Response) error {
	e := &Error{Op: k.op, StatusCode: resp.StatusCode, call: k}
	body := readErrorBody(resp.Body)
	switch {
	case resp.StatusCode < 300:
		e.Message = "not " + k.wanted() + " but " + cmp.Or(resp.Header.Get("Content-Type"), "an answer without a type")
		if said := errorMessage(body); said != "" {
			e.Message += ": " + said
		}
	case resp.StatusCode < 400:
		e.Message = "it redirects to " + location(resp)
	default:
		e.RetryAfter = retryAfter(resp.StatusCode, resp.Header, time.Now())
		e.Message = errorMessage(body)
	}
	e.Message = c.scrub.line(e.Message)
	return e
}

// readErrorBody reads what comes of a body within bounds of size and time, and
// closes it.
func readErrorBody(body io.ReadCloser) string {
	defer time.AfterFunc(errorBodyTimeout, func() { body.Close() }).Stop()
	defer body.Close()
	b, _ := io.ReadAll(io.LimitReader(body, maxErrorBody)) // what came before an error may do
	return string(b)
}

// location is where a redirect leads, without what may be secret in it.
func location(resp *http.Response) string {
	to, err := resp.Location()
	if err != nil {
		return "nowhere"
	}
	to.User, to.RawQuery, to.Fragment = nil, "", ""
	return to.String()
}

// errorMessage is what a failure's body says to a reader: the words in JSON of
// any of the shapes that Notte and the proxies before it use, the title of HTML,
// or the text itself. It is as long and as dirty as it came.
func errorMessage(body string) string {
	body = strings.TrimSpace(strings.TrimPrefix(body, "\uFEFF"))
	switch {
	case body == "":
		return ""
	case validJSON(body):
		return words(gjson.Parse(body), 4)
	case body[0] == '<':
		return html.UnescapeString(title(body))
	}
	return body
}

var titleElement = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title`)

// title is the text of the first title element, or empty.
func title(page string) string {
	m := titleElement.FindStringSubmatch(page)
	if m == nil {
		return ""
	}
	return m[1]
}

// words finds the words for a reader in an error's JSON, going into objects
// depth levels at most:
//
//	{"message": "…", "detail": "…"}
//	{"error": "…"}  {"error": {"code": …, "message": "…"}}
//	{"detail": "…"}  {"detail": [{"loc": […], "msg": "…"}]}
func words(v gjson.Result, depth int) string {
	switch {
	case v.IsArray():
		var all []string
		for i, item := range v.Array() {
			if i == 5 {
				break
			}
			all = appendNew(all, words(item, depth-1))
		}
		return strings.Join(all, "; ")
	case !v.IsObject():
		return text(v)
	case depth <= 0:
		return ""
	}
	var all []string
	for _, key := range []string{"message", "error", "msg", "detail", "title", "reason", "error_description", "errors"} {
		all = appendNew(all, words(v.Get(key), depth-1))
	}
	said := strings.Join(all, ": ")
	if where := fieldPath(v.Get("loc")); where != "" && said != "" {
		return where + ": " + said
	}
	if code := text(v.Get("code")); code != "" && !strings.Contains(said, code) {
		return strings.TrimSpace(said + " (" + code + ")")
	}
	return said
}

// appendNew adds s to all unless one of them says it already.
func appendNew(all []string, s string) []string {
	for _, said := range all {
		if strings.Contains(said, s) {
			return all
		}
	}
	if s == "" {
		return all
	}
	return append(all, s)
}

// fieldPath names the field that FastAPI found at fault: ["body", "query"] is
// "query".
func fieldPath(loc gjson.Result) string {
	var path []string
	for i, part := range loc.Array() {
		if i == 0 && part.Str == "body" && len(loc.Array()) > 1 {
			continue
		}
		path = append(path, text(part))
	}
	return strings.Join(path, ".")
}

// terminalEscape matches the escape sequences of ECMA-48: colours, cursor
// movements, and strings for the terminal such as its title.
var terminalEscape = regexp.MustCompile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|[\\]P_^X][^\x07\x1b]*(?:\x07|\x1b\\\\)?|[ -/]*[0-~])")

// flatten makes the beginning of s one clean line: no terminal escapes, no
// control or invisible characters, no runs of white space. What it leaves is
// enough for truncate.
func flatten(s string) string {
	if len(s) > 8*maxMessage {
		s = s[:8*maxMessage]
	}
	s = terminalEscape.ReplaceAllString(strings.ToValidUTF8(s, "\uFFFD"), "")
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// truncate cuts s to maxMessage characters.
func truncate(s string) string {
	if utf8.RuneCountInString(s) > maxMessage {
		return string([]rune(s)[:maxMessage-1]) + "…"
	}
	return s
}
