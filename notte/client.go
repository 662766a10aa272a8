// Package notte is a client for Notte's Anything and Functions APIs: the first
// builds a web automation from one sentence, the second runs it again.
package notte

import (
	"cmp"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/anything-mcp/anything-mcp/text"
)

// Where Notte's APIs are, unless a [Config] says otherwise.
const (
	DefaultAPIURL      = "https://api.notte.cc"
	DefaultAnythingURL = "https://anything.notte.cc"
)

// Config says where Notte is and who asks.
type Config struct {
	// Key goes to the two URLs below and nowhere else. Space around it is
	// cut off. Without one, calls fail with ErrNoKey.
	Key APIKey

	// APIURL and AnythingURL are the base URLs of the Functions API and the
	// Anything API, http or https, with or without a path. Empty means
	// DefaultAPIURL and DefaultAnythingURL.
	APIURL, AnythingURL string

	// Names says what the settings are called in errors.
	Names SettingNames

	// HTTPClient is copied. Its Timeout, which would cut long streams, and
	// its CheckRedirect are replaced. Nil means NewHTTPClient
	// without proxies.
	HTTPClient *http.Client

	// IdleTimeout ends a stream after so long without an event. 0 means
	// DefaultIdleTimeout or, for a stream in v2, DefaultIdleTimeoutV2. Less
	// than 0 means no limit.
	IdleTimeout time.Duration

	// UserAgent is sent with every request. Empty means "anything-mcp".
	UserAgent string

	// Logger gets a line about events that had to be skipped, by reason and
	// size, never by content. Nil means none.
	Logger *slog.Logger
}

// Client calls Notte's APIs. It is safe for concurrent use.
//
// Its errors are [*Error] where a request failed, and wrap [ErrNoKey],
// [ErrInvalidID] or the context's cause otherwise. No error's text holds the key.
type Client struct {
	key       APIKey
	redactor  text.Redactor
	api       endpoint
	anything  endpoint
	names     SettingNames
	http      *http.Client
	idle      time.Duration // 0: the default of the stream's language
	userAgent string
	log       *slog.Logger
	quota     atomic.Pointer[quota] // nil: no answer has told one
}

// endpoint is where an API is.
type endpoint struct {
	api string // AnythingAPI or FunctionsAPI
	url *url.URL
}

// SettingError is a setting of a [Config] that cannot be used. Its text repeats
// neither the key nor a URL, which may hold a password.
type SettingError struct {
	Setting string // what Config.Names calls it
	Reason  string // to follow the name
}

func (e *SettingError) Error() string { return e.Setting + " " + e.Reason }

// NewClient checks cfg and returns a Client. It makes no request. Its errors are
// [*SettingError].
func NewClient(cfg Config) (*Client, error) {
	names := cfg.Names.withDefaults()
	key := APIKey(strings.TrimSpace(cfg.Key.secret()))
	if strings.ContainsFunc(key.secret(), func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, &SettingError{names.Key, "holds characters that no key has (spaces, line ends or letters beyond ASCII): copy the key again from https://console.notte.cc"}
	}
	api, err := parseBaseURL(names.APIURL, cfg.APIURL, DefaultAPIURL)
	if err != nil {
		return nil, err
	}
	anything, err := parseBaseURL(names.AnythingURL, cfg.AnythingURL, DefaultAnythingURL)
	if err != nil {
		return nil, err
	}
	return &Client{
		key:       key,
		redactor:  key.redactor(),
		api:       endpoint{FunctionsAPI, api},
		anything:  endpoint{AnythingAPI, anything},
		names:     names,
		http:      streamingClient(cfg.HTTPClient),
		idle:      cfg.IdleTimeout,
		userAgent: cmp.Or(cfg.UserAgent, "anything-mcp"),
		log:       cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler)),
	}, nil
}

// parseBaseURL parses the setting called name, or byDefault if it is empty.
func parseBaseURL(name, setting, byDefault string) (*url.URL, error) {
	u, err := url.Parse(cmp.Or(strings.TrimSpace(setting), byDefault))
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
		return u, nil
	}
	return nil, &SettingError{name, "is not a usable base URL: " + wrong + "; give one like " + byDefault}
}

// Owner identifies the key's holder: 32 hexadecimal digits from a hash of the
// key, the same in every process, or "" without a key. Jobs are stored under it,
// because it does not reveal the key.
func (c *Client) Owner() string { return c.key.owner() }

// APIURL returns the base URL of the Functions API.
func (c *Client) APIURL() string { return c.api.url.String() }

// AnythingURL returns the base URL of the API that builds.
func (c *Client) AnythingURL() string { return c.anything.url.String() }

// links returns what decides which links of a stream are told.
func (c *Client) links() links { return links{c.api.url, c.anything.url} }

// Redact returns s with "[redacted]" in the place of the key, in each spelling
// that JSON and URLs give it. Texts that this package returns are redacted
// already, but a text joined from several events may hold a key that was split
// between them.
func (c *Client) Redact(s string) string { return c.redactor.Redact(s) }

// Pending returns how many bytes at the end of s may be the beginning of a key
// whose rest is still to come. A caller that cuts a stream's text into pieces must
// move these bytes to the next piece, and redact that again.
func (c *Client) Pending(s string) int { return c.redactor.Pending(s) }

// Ready returns [ErrNoKey] if there is no key, and so no call can succeed.
func (c *Client) Ready() error {
	if c.key == "" {
		return ErrNoKey
	}
	return nil
}
