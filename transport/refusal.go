package transport

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// refusal is an error response to an HTTP request. It is a JSON-RPC error even if
// the request never became a call, so that every client can show its text.
type refusal struct {
	status int
	id     json.RawMessage // nil if there is none
	err    *rpcError
	remedy string // what the operator can set so that such requests are taken; for the log
}

func refused(status int, text string) *refusal {
	return &refusal{status: status, err: &rpcError{codeServer, text}}
}

func (b *refusal) write(w http.ResponseWriter) {
	line, _ := encodeError(b.id, b.err)
	writeJSON(w, b.status, line)
}

func writeJSON(w http.ResponseWriter, status int, document []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(document) // an error means that the client is gone
}

// logRefusal logs that the server refused r.
func (d *dispatcher) logRefusal(r *http.Request, b *refusal) {
	from, _, _ := net.SplitHostPort(r.RemoteAddr)
	level, key := slog.LevelDebug, from+b.err.text
	switch b.status {
	case http.StatusForbidden:
		level, key = slog.LevelWarn, cmp.Or(b.remedy, b.err.text) // a host once, whatever its port
	case http.StatusUnauthorized:
		level = slog.LevelInfo
	}
	attrs := []any{"status", b.status, "why", b.err.text, "from", from}
	if b.remedy != "" {
		attrs = append(attrs, "remedy", b.remedy)
	}
	d.refusals.log(level, key, attrs...)
}

const (
	// refusalsEvery is how long a refusal is not logged again.
	refusalsEvery = time.Hour
	// maxRefusals bounds the different refusals that are logged in that time, for
	// each level.
	maxRefusals = 100
)

// refusalLog logs refused messages and requests. It bounds the lines, because
// everyone who can connect can cause them.
type refusalLog struct {
	logger *slog.Logger

	mu    sync.Mutex // guards what follows
	since time.Time
	seen  map[slog.Level][]string // the keys that were logged since then
}

// log logs a refusal, unless one with the same key was logged within the hour.
func (l *refusalLog) log(level slog.Level, key string, attrs ...any) {
	if !l.logger.Enabled(context.Background(), level) {
		return
	}
	switch n := l.add(level, key); {
	case n == maxRefusals:
		attrs = append(attrs, "note", "further refusals of this level are not logged for up to an hour")
		fallthrough
	case n > 0:
		l.logger.Log(context.Background(), level, "refused a request", attrs...)
	}
}

// add returns how many refusals of the level have been logged with this one, or 0 if
// it must not be logged.
func (l *refusalLog) add(level slog.Level, key string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); now.Sub(l.since) >= refusalsEvery {
		l.since, l.seen = now, make(map[slog.Level][]string)
	}
	seen := l.seen[level]
	if len(seen) == maxRefusals || slices.Contains(seen, key) {
		return 0
	}
	l.seen[level] = append(seen, key)
	return len(seen) + 1
}
