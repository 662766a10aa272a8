// Package notte speaks Notte's two APIs: the Anything API, which builds a web
// automation from one sentence, and the Functions API, which runs it again.
package notte

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Where Notte's APIs are, unless a [Config] says otherwise.
const (
	DefaultAPIURL      = "https://api.notte.cc"
	DefaultAnythingURL = "https://anything.notte.cc"
)

// DefaultIdleTimeout is how long a stream may be silent before it counts as
// lost. An agent that works tells of it every few seconds.
const DefaultIdleTimeout = 5 * time.Minute

// The settings that errors name, so that a reader knows what to change.
const (
	keySetting      = "NOTTE_API_KEY"
	apiSetting      = "NOTTE_API_URL"
	anythingSetting = "NOTTE_ANYTHING_URL"
)

// ErrNoKey is what every call fails with, before any request, on a [Client]
// without a key.
var ErrNoKey = errors.New("no Notte API key: set " + keySetting + " (a key is to be had at https://console.notte.cc)")

// ErrInvalidID is what a call fails with, before any request, when a function
// or run ID is not of 1 to 128 letters, digits, hyphens and underscores.
var ErrInvalidID = errors.New("invalid ID")

// Config says where Notte is and who asks.
type Config struct {
	// Key goes to the two URLs below and nowhere else. Space around it is
	// cut off. Without one, calls fail with ErrNoKey.
	Key APIKey

	// APIURL and AnythingURL are the base URLs of the Functions API and the
	// Anything API, http or https, with or without a path. Empty means
	// DefaultAPIURL and DefaultAnythingURL.
	APIURL, AnythingURL string

	// HTTPClient is copied: its Timeout, which would cut long streams, and
	// its CheckRedirect are replaced. Nil means NewHTTPClient().
	HTTPClient *http.Client

	// IdleTimeout ends a stream after so long without a byte. 0 means
	// DefaultIdleTimeout, less than 0 none.
	IdleTimeout time.Duration

	// UserAgent is sent with every request. Empty means "anything-mcp".
	UserAgent string

	// Logger is told of events that had to be skipped, by type and size,
	// never by content. Nil means none.
	Logger *slog.Logger
}

// Client calls Notte's APIs. It is safe for concurrent use.
//
// Errors are [*Error] when Notte answered with a failure, [*ConnectionError]
// when it did not answer, and wrap ErrNoKey, ErrInvalidID or the context's
// cause otherwise. No error's text holds the key.
type Client struct {
	key       APIKey
	scrub     scrubber
	api       endpoint
	anything  endpoint
	http      *http.Client
	idle      time.Duration
	userAgent string
	log       *slog.Logger
}

// endpoint is where an API is and which setting says so.
type endpoint struct {
	url     *url.URL
	setting string
}

// NewClient checks cfg and returns a Client. It makes no request.
func NewClient(cfg Config) (*Client, error) {
	key := APIKey(strings.TrimSpace(cfg.Key.secret()))
	if strings.ContainsFunc(key.secret(), func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New(keySetting + " holds characters that no key has (spaces, line ends or letters beyond ASCII): copy the key again from https://console.notte.cc")
	}
	api, err := newEndpoint(cfg.APIURL, DefaultAPIURL, apiSetting)
	if err != nil {
		return nil, err
	}
	anything, err := newEndpoint(cfg.AnythingURL, DefaultAnythingURL, anythingSetting)
	if err != nil {
		return nil, err
	}
	return &Client{
		key:       key,
		scrub:     newScrubber(key),
		api:       api,
		anything:  anything,
		http:      streamingClient(cfg.HTTPClient),
		idle:      cmp.Or(cfg.IdleTimeout, DefaultIdleTimeout),
		userAgent: cmp.Or(cfg.UserAgent, "anything-mcp"),
		log:       cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler)),
	}, nil
}

// newEndpoint checks a base URL, byDefault if it is empty. Its errors do not
// repeat the URL, which may hold a password.
func newEndpoint(raw, byDefault, setting string) (endpoint, error) {
	u, err := url.Parse(cmp.Or(strings.TrimSpace(raw), byDefault))
	var wrong string
	switch {
	case err != nil:
		wrong = "it cannot be read as a URL"
	case u.Scheme != "http" && u.Scheme != "https":
		wrong = "it does not begin with https:// or http://"
	case u.User != nil:
		wrong = "it holds a user name or password"
	case u.Hostname() == "":
		wrong = "it names no host"
	case u.RawQuery != "" || u.Fragment != "":
		wrong = "it holds a query or a fragment"
	default:
		return endpoint{url: u, setting: setting}, nil
	}
	return endpoint{}, fmt.Errorf("%s is not a usable base URL: %s; give one like %s", setting, wrong, byDefault)
}

// Owner names the key's holder: 32 hexadecimal digits from a hash of the key,
// the same in every process, or "" without a key. It tells whose jobs are whose
// and gives nothing away.
func (c *Client) Owner() string { return c.key.owner() }

// AnythingURL is where builds are started.
func (c *Client) AnythingURL() string { return c.anything.url.String() }

// Scrub takes the key out of a text, however it is spelled there. What this
// package returns is scrubbed already; a text put together of several events
// may hold a key that none of them held whole.
func (c *Client) Scrub(s string) string { return c.scrub.clean(s) }

// Ready returns [ErrNoKey] if there is no key, and so no call can succeed.
func (c *Client) Ready() error {
	if c.key == "" {
		return ErrNoKey
	}
	return nil
}

// NewHTTPClient returns a client fit for streams: it bounds the wait for a
// connection and for the answer's header, and nothing after that.
//
// The wait for the header is as long as [DefaultIdleTimeout]: where Notte
// answers a run's start at once with its result rather than with a stream, the
// header comes when the run is over, minutes later, and to give up sooner would
// lose the result of a run that goes on.
func NewHTTPClient() *http.Client {
	dialer := net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}
	return &http.Client{Transport: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           dialer.DialContext,
		ForceAttemptHTTP2:     true,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: DefaultIdleTimeout,
		ExpectContinueTimeout: time.Second,
		IdleConnTimeout:       90 * time.Second,
		MaxIdleConnsPerHost:   4,
		// An answer's header may not eat the memory that bodies may not.
		MaxResponseHeaderBytes: 256 << 10,
		// Requests are small, and bodies are read past the buffer: a thousand
		// quiet streams need no more.
		ReadBufferSize:  1 << 10,
		WriteBufferSize: 1 << 10,
	}}
}

// streamingClient is a copy of base that neither cuts streams nor carries the
// key to another host.
func streamingClient(base *http.Client) *http.Client {
	if base == nil {
		base = NewHTTPClient()
	}
	own := *base
	own.Timeout = 0
	own.CheckRedirect = followWithinHost
	return &own
}

// followWithinHost follows a GET's redirects on its own scheme and host. All
// others come back as the answer, to be told of: to repeat a POST could start
// something twice, and another host must not get the key.
func followWithinHost(next *http.Request, via []*http.Request) error {
	first := via[0]
	if first.Method != http.MethodGet || len(via) >= 5 ||
		next.URL.Scheme != first.URL.Scheme || !strings.EqualFold(next.URL.Host, first.URL.Host) {
		return http.ErrUseLastResponse
	}
	return nil
}

// ValidID reports whether id can be the ID of a function or a run: 1 to 128
// letters, digits, hyphens and underscores. Calls fail with [ErrInvalidID],
// before any request, when one is not.
func ValidID(id string) bool { return checkID("", id) == nil }

// checkID refuses what could turn one path into another. The ID itself is left
// out of the error: it may be anything.
func checkID(what, id string) error {
	for _, r := range id {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
		default:
			id = ""
		}
	}
	if id == "" || len(id) > 128 {
		return fmt.Errorf("%w: a %s ID has 1 to 128 letters, digits, hyphens and underscores; give it as an earlier answer gave it", ErrInvalidID, what)
	}
	return nil
}

// marshal is json.Marshal without the escaping of HTML.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// call is one request to be made.
type call struct {
	op       string // what is tried, to follow "could not": "start the build"
	method   string
	endpoint endpoint
	path     []string // checked elements
	query    url.Values
	body     any    // marshalled; nil for none
	accept   string // empty for JSON
	starts   string // startsBuild or startsRun for a call that acts and costs money
}

// wanted names the answer that the call asks for.
func (k call) wanted() string {
	if k.starts != "" {
		return "an event stream"
	}
	return "JSON"
}

// request makes the call's request. The key travels in its header alone.
func (c *Client) request(ctx context.Context, k call) (*http.Request, error) {
	if c.key == "" {
		return nil, fmt.Errorf("could not %s: %w", k.op, ErrNoKey)
	}
	u := k.endpoint.url.JoinPath(k.path...)
	u.RawQuery = k.query.Encode()
	var body []byte
	if k.body != nil {
		var err error
		if body, err = marshal(k.body); err != nil {
			return nil, fmt.Errorf("could not %s: the request cannot be put as JSON: %w", k.op, err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, k.method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("could not %s: %w", k.op, err)
	}
	h := req.Header
	h.Set("Authorization", "Bearer "+c.key.secret())
	h.Set("Accept", cmp.Or(k.accept, "application/json"))
	h.Set("User-Agent", c.userAgent)
	h.Set("X-Notte-Request-Origin", "anything-mcp")
	if k.body != nil {
		h.Set("Content-Type", "application/json")
	}
	if k.starts != "" {
		h.Set("Accept-Encoding", "identity") // a packed event is a late event
	}
	if k.starts == startsRun {
		h.Set("X-Notte-Api-Key", c.key.secret()) // which the OpenAPI description requires
	}
	return req, nil
}
