package notte

import (
	"cmp"
	"html"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/anything-mcp/anything-mcp/text"
)

const (
	maxSmallBody = 1 << 20 // bytes read of a body of which only a message is used
	maxParts     = 5       // items read of a list of errors, and of a field's path
	maxMessage   = 500     // characters of an Error's Message

	// smallBodyTimeout bounds the wait for such a body, because the answer's
	// status is known already.
	smallBodyTimeout = 10 * time.Second
)

// failure returns an answer that is not the one asked for as an [*Error], and
// closes its body.
func (c *Client) failure(k call, resp *http.Response) error {
	e := c.newError(k)
	e.StatusCode, e.Sent = resp.StatusCode, true
	body := readSmallBody(resp.Body)
	e.from, e.refused = answererOf(resp, body)
	words := c.message(errorMessage(body))
	switch {
	case resp.StatusCode < 300:
		kind := cmp.Or(resp.Header.Get("Content-Type"), "an answer without a type")
		words = strings.TrimSuffix("not "+k.wanted()+" but "+kind+": "+words, ": ")
	case resp.StatusCode < 400:
		words = "it redirects to " + location(resp)
	default:
		e.RetryAfter = parseRetryAfter(resp.StatusCode, resp.Header, time.Now())
	}
	e.Message = c.redactor.RedactLine(words, maxMessage) // a header's words are not clean yet
	return e
}

// message makes outside text fit to stand in an error: one line of at most
// maxMessage characters, without the key and without the paths and queries of
// links, which may hold tokens.
func (c *Client) message(s string) string {
	s = text.WithoutLinks(text.Prefix(s, 64<<10)) // before a link is cut in half
	return text.WithoutLinks(c.redactor.RedactLine(s, maxMessage))
}

// readSmallBody returns what comes of a body within maxSmallBody and
// smallBodyTimeout, and closes it.
func readSmallBody(body io.ReadCloser) string {
	defer time.AfterFunc(smallBodyTimeout, func() { body.Close() }).Stop()
	defer body.Close()
	b, _ := io.ReadAll(io.LimitReader(body, maxSmallBody)) // the part before a read error is used
	return string(b)
}

// location returns where a redirect leads, without the parts that may be secret.
func location(resp *http.Response) string {
	to, err := resp.Location()
	if err != nil {
		return "nowhere"
	}
	to.User, to.RawQuery, to.Fragment = nil, "", ""
	return to.String()
}

// errorMessage returns what a failure's body says to a reader: the texts in JSON
// of any of the shapes that Notte and the proxies before it use, the title of
// HTML, or the body itself. It neither bounds nor cleans them.
func errorMessage(body string) string {
	switch body = trimBody(body); {
	case body == "":
		return ""
	case validJSON(body):
		return errorText(gjson.Parse(body), 4)
	case body[0] == '<':
		return html.UnescapeString(title(body))
	}
	return body
}

var titleElement = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title`)

// title returns the text of the first title element, or "".
func title(page string) string {
	m := titleElement.FindStringSubmatch(page)
	if m == nil {
		return ""
	}
	return m[1]
}

// errorText returns the text for a reader in an error's JSON, from objects and
// lists at most depth levels deep:
//
//	{"message": "…", "detail": "…"}
//	{"error": "…"}  {"error": {"code": …, "message": "…"}}
//	{"detail": "…"}  {"detail": [{"loc": […], "msg": "…"}]}
func errorText(v gjson.Result, depth int) string {
	switch {
	case v.Type != gjson.JSON:
		return scalarText(v)
	case depth <= 0:
		return ""
	}
	var parts []string
	if v.IsArray() {
		n := 0
		for item := range items(v) {
			if n++; n > maxParts {
				break
			}
			parts = appendUnique(parts, errorText(item, depth-1))
		}
		return strings.Join(parts, "; ")
	}
	f := fieldsOf(v)
	for _, key := range []string{"message", "error", "msg", "detail", "title", "reason", "error_description", "errors"} {
		parts = appendUnique(parts, errorText(f[key], depth-1))
	}
	joined := strings.Join(parts, ": ")
	if where := fieldPath(f["loc"]); where != "" && joined != "" {
		return where + ": " + joined
	}
	if code := f.text("code"); code != "" && !strings.Contains(joined, code) {
		return strings.TrimSpace(joined + " (" + code + ")")
	}
	return joined
}

// appendUnique adds s to parts unless it is empty or one of them contains it.
func appendUnique(parts []string, s string) []string {
	if s == "" || slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(part, s) }) {
		return parts
	}
	return append(parts, s)
}

// fieldPath returns the name of the field that FastAPI reports as wrong: "query"
// for ["body", "query"].
func fieldPath(loc gjson.Result) string {
	var path []string
	for part := range items(loc) {
		if len(path) == maxParts {
			break
		}
		path = append(path, scalarText(part))
	}
	if len(path) > 1 && path[0] == "body" {
		path = path[1:]
	}
	return strings.Join(path, ".")
}
