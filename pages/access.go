package pages

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	// sessionTime is how long a person stays signed in.
	sessionTime = 12 * time.Hour
	// maxSessions bounds the sessions. The oldest one ends for a further one.
	maxSessions = 1000
	// maxWrong is how many wrong tokens are read in wrongTime.
	maxWrong  = 10
	wrongTime = time.Minute
)

// access knows who may use the pages. Its sessions end with the process. It is safe for
// concurrent use.
type access struct {
	token *[sha256.Size]byte // nil: there is none

	open bool // no session is needed

	mu       sync.Mutex // guards what follows
	code     string     // empty: there is none, or it was used
	sessions map[string]time.Time
	wrong    []time.Time // when the last wrong tokens came, the newest last; at most maxWrong
}

func newAccess(token, code string) *access {
	a := &access{open: token == "" && code == "", code: code, sessions: make(map[string]time.Time)}
	if token != "" {
		sum := sha256.Sum256([]byte(token))
		a.token = &sum
	}
	return a
}

// allows reports whether the sender of a request may use the pages.
func (a *access) allows(r *http.Request) bool {
	if a.open {
		return true
	}
	cookie, err := r.Cookie(cookieName(r))
	if err != nil {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	end, found := a.sessions[cookie.Value] // a value has 130 random bits, and cannot be guessed bit by bit
	return found && time.Now().Before(end)
}

// redeem reports whether code is the one that opens the pages once, and uses it up.
func (a *access) redeem(code string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.code == "" || subtle.ConstantTimeCompare([]byte(code), []byte(a.code)) != 1 {
		return false
	}
	a.code = ""
	return true
}

// tokenCheck is the result of checking a token.
type tokenCheck int

const (
	tokenWrong tokenCheck = iota
	tokenRight
	tokenUnread // too many wrong ones came before
)

// check compares a token in constant time.
func (a *access) check(token string) tokenCheck {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	if len(a.wrong) == maxWrong && now.Sub(a.wrong[0]) < wrongTime {
		return tokenUnread
	}
	sum := sha256.Sum256([]byte(strings.TrimSpace(token)))
	if a.token != nil && subtle.ConstantTimeCompare(sum[:], a.token[:]) == 1 {
		return tokenRight
	}
	a.wrong = append(a.wrong[max(0, len(a.wrong)-maxWrong+1):], now)
	return tokenWrong
}

// begin begins a session and gives the browser its cookie.
func (a *access) begin(w http.ResponseWriter, r *http.Request) {
	value, now := rand.Text(), time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	oldest := ""
	for one, end := range a.sessions {
		if !now.Before(end) {
			delete(a.sessions, one)
		} else if oldest == "" || end.Before(a.sessions[oldest]) {
			oldest = one
		}
	}
	if len(a.sessions) >= maxSessions {
		delete(a.sessions, oldest)
	}
	a.sessions[value] = now.Add(sessionTime)
	http.SetCookie(w, newCookie(r, value, sessionTime))
}

// end ends the session of a request, if it has one.
func (a *access) end(w http.ResponseWriter, r *http.Request) {
	if cookie, err := r.Cookie(cookieName(r)); err == nil {
		a.mu.Lock()
		delete(a.sessions, cookie.Value)
		a.mu.Unlock()
	}
	http.SetCookie(w, newCookie(r, "", -time.Second))
}

func newCookie(r *http.Request, value string, age time.Duration) *http.Cookie {
	return &http.Cookie{
		Name: cookieName(r), Value: value, Path: "/", MaxAge: int(age.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: r.TLS != nil || strings.HasPrefix(r.Header.Get("Origin"), "https:"), // TLS may end at a proxy
	}
}

// cookieName returns the name of the cookie. Browsers keep the cookies of all ports of a
// host together, so that the name has the port.
func cookieName(r *http.Request) string {
	const name = "anything_mcp"
	if _, port, err := net.SplitHostPort(r.Host); err == nil {
		return name + "_" + port
	}
	return name
}
