package notte

import (
	"cmp"
	"html"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/anything-mcp/anything-mcp/text"
)

const (
	maxErrorBody = 1 << 20 // bytes read of an answer that tells of a failure
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
		return scalarText(v)
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
	if code := scalarText(v.Get("code")); code != "" && !strings.Contains(said, code) {
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
		path = append(path, scalarText(part))
	}
	return strings.Join(path, ".")
}
