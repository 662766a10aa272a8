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
	maxErrorBody = 1 << 20 // bytes read of an answer that tells of a failure
	maxParts     = 5       // items read of a list of errors, and of a field's path
	maxMessage   = 500     // characters kept of its words

	// errorBodyTimeout bounds the wait for the body of a failure, which may
	// not stall a caller who has its status already.
	errorBodyTimeout = 10 * time.Second
)

// failure returns an answer that is not the one asked for as an [*Error], and
// closes its body.
func (c *Client) failure(k call, resp *http.Response) error {
	e := c.newError(k)
	e.StatusCode, e.Sent = resp.StatusCode, true
	said := c.message(errorMessage(readErrorBody(resp.Body)))
	switch {
	case resp.StatusCode < 300:
		said = strings.TrimSuffix("not "+k.wanted()+" but "+cmp.Or(resp.Header.Get("Content-Type"), "an answer without a type")+": "+said, ": ")
	case resp.StatusCode < 400:
		said = "it redirects to " + location(resp)
	default:
		e.RetryAfter = parseRetryAfter(resp.StatusCode, resp.Header, time.Now())
	}
	e.Message = c.redactor.RedactLine(said, maxMessage)
	return e
}

// message makes outside text fit to stand in an error: one line of at most
// maxMessage characters, without the key and without the paths and queries of
// links, which may hold tokens.
func (c *Client) message(s string) string {
	s = text.WithoutLinks(text.Prefix(s, 64<<10)) // before a link is cut in half
	return text.WithoutLinks(c.redactor.RedactLine(s, maxMessage))
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
		return errorText(gjson.Parse(body), 4)
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

// errorText returns the words for a reader in an error's JSON, from objects and
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
	said := strings.Join(parts, ": ")
	if where := fieldPath(f["loc"]); where != "" && said != "" {
		return where + ": " + said
	}
	if code := f.text("code"); code != "" && !strings.Contains(said, code) {
		return strings.TrimSpace(said + " (" + code + ")")
	}
	return said
}

// appendUnique adds s to parts unless it is empty or one of them contains it.
func appendUnique(parts []string, s string) []string {
	if s == "" || slices.ContainsFunc(parts, func(said string) bool { return strings.Contains(said, s) }) {
		return parts
	}
	return append(parts, s)
}

// fieldPath names the field that FastAPI found at fault: ["body", "query"] is
// "query".
func fieldPath(loc gjson.Result) string {
	var path []string
	for part := range items(loc) {
		if len(path) > maxParts {
			break
		}
		path = append(path, scalarText(part))
	}
	if len(path) > 1 && path[0] == "body" {
		path = path[1:]
	}
	return strings.Join(path, ".")
}
