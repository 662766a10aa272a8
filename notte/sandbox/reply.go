package sandbox

import (
	"bytes"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// encode returns v as JSON on one line. It does not escape <, > and &, because
// Notte's services do not.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// mustEncode returns v as JSON. It panics if v cannot be encoded.
func mustEncode(v any) []byte {
	data, err := encode(v)
	if err != nil {
		panic(fmt.Sprintf("sandbox: encoding JSON: %v", err))
	}
	return data
}

// writeJSON answers with v as JSON. It panics if v cannot be encoded.
func writeJSON(w http.ResponseWriter, status int, v any) {
	data := mustEncode(v)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(data)
}

// object is a JSON object with its members in order: names, each followed by its
// value.
type object []any

// MarshalJSON implements [json.Marshaler].
func (o object) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for pair := range slices.Chunk(o, 2) {
		name, isName := pair[0].(string)
		if !isName || len(pair) < 2 {
			return nil, fmt.Errorf("%v is not a name with a value", pair)
		}
		value, err := encode(pair[1])
		if err != nil {
			return nil, err
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(append(b, mustEncode(name)...), ':')
		b = append(b, value...)
	}
	return append(b, '}'), nil
}

// orNull returns text, or nil for the JSON null if text is empty.
func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// detail returns the body of a Functions API error, in FastAPI's form.
func detail(text string) any { return map[string]string{"detail": text} }

// anythingError returns the body of an Anything API error.
func anythingError(text string) any { return map[string]string{"error": text} }

// problem is one entry of FastAPI's 422 body.
type problem struct {
	Type string `json:"type"`
	Loc  []any  `json:"loc"`
	Msg  string `json:"msg"`
}

func missing(loc ...any) problem {
	return problem{Type: "missing", Loc: loc, Msg: "Field required"}
}

// route answers a request to the Functions API.
type route func(*http.Request) http.HandlerFunc

// answer is the response v, as JSON.
func answer(status int, v any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, status, v) }
}

func notFound(text string) http.HandlerFunc { return answer(http.StatusNotFound, detail(text)) }

func invalid(problems []problem) http.HandlerFunc {
	return answer(http.StatusUnprocessableEntity, map[string]any{"detail": problems})
}

// authorized reports whether r has an accepted key.
func (s *Server) authorized(r *http.Request) bool {
	key := bearer(r)
	if s.key == "" {
		return key != ""
	}
	return subtle.ConstantTimeCompare([]byte(key), []byte(s.key)) == 1
}

func bearer(r *http.Request) string {
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(key)
}

const unauthorized = "Missing or invalid API key"

// functionsAPI answers requests to a route that have an accepted key.
func (s *Server) functionsAPI(answer route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !s.authorized(r) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			writeJSON(w, http.StatusUnauthorized, detail(unauthorized))
			return
		}
		answer(r)(w, r)
	}
}

// jsonNotFound answers with the 404 or 405 of h, the handler of the mux, as JSON
// in the form of the API that was asked.
func jsonNotFound(w http.ResponseWriter, r *http.Request, h http.Handler) {
	p := statusRecorder{header: w.Header(), status: http.StatusNotFound}
	h.ServeHTTP(&p, r)
	w.Header().Del("X-Content-Type-Options")
	text := "Not Found"
	if p.status == http.StatusMethodNotAllowed {
		text = "Method Not Allowed"
	}
	if strings.HasPrefix(r.URL.Path, "/api/") {
		writeJSON(w, p.status, anythingError(text))
		return
	}
	writeJSON(w, p.status, detail(text))
}

// statusRecorder records a handler's status and headers, and drops its body.
type statusRecorder struct {
	header http.Header
	status int
}

func (p *statusRecorder) Header() http.Header         { return p.header }
func (p *statusRecorder) WriteHeader(status int)      { p.status = status }
func (p *statusRecorder) Write(b []byte) (int, error) { return len(b), nil }

// quota counts requests for the rate-limit headers.
type quota struct {
	limit   int
	refuses bool // requests beyond the limit

	mu    sync.Mutex // guards reset and used
	reset time.Time
	used  int
}

const (
	defaultQuota = 1000
	quotaWindow  = time.Minute
)

// count counts a request and sets its rate-limit headers. It reports whether the
// request may be served.
func (q *quota) count(h http.Header, now time.Time) bool {
	q.mu.Lock()
	if !now.Before(q.reset) {
		q.reset, q.used = now.Truncate(time.Second).Add(quotaWindow), 0
	}
	q.used++
	used, reset := q.used, q.reset
	q.mu.Unlock()

	h.Set("X-RateLimit-Limit", strconv.Itoa(q.limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(max(q.limit-used, 0)))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(reset.Unix(), 10))
	if used <= q.limit || !q.refuses {
		return true
	}
	h.Set("Retry-After", strconv.Itoa(int(math.Ceil(reset.Sub(now).Seconds()))))
	return false
}

// index answers GET /, for people who open the Server's address in a browser.
func index(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	fmt.Fprintf(w, `This is a sandbox of Notte's Anything API and Functions API. All it says is simulated.

curl -N -X POST http://%s/api/anything/start \
  -H "Authorization: Bearer anything" -H "Content-Type: application/json" \
  -d '{"query": "fetch the top 3 hacker news posts"}'
`, r.Host)
}

// formatTime formats t the way Notte does: UTC with microseconds.
func formatTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z07:00") }
