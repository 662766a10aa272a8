package transport

import (
	"fmt"
	"sync"
)

// callLimit counts calls, or open streams, and bounds their number. It is closed
// when the server stops.
type callLimit struct {
	max  int
	what string        // in the sentence of a refusal: "calls are running"
	idle chan struct{} // closed when the limit is closed and the last call has left

	mu     sync.Mutex // guards what follows
	n      int
	closed bool
}

func newCallLimit(max int, what string) *callLimit {
	return &callLimit{max: max, what: what, idle: make(chan struct{})}
}

// enter counts one more call, or returns why it is refused. Each call that enters
// must leave.
func (l *callLimit) enter() *rpcError {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return &rpcError{codeServer, "The server is stopping and takes no new calls. Ask again when it is back."}
	case l.n >= l.max:
		return &rpcError{codeServer, fmt.Sprintf(
			"%d %s, and this server allows no more at once. Try again when some have ended.", l.n, l.what)}
	}
	l.n++
	return nil
}

func (l *callLimit) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.n--; l.closed && l.n == 0 {
		close(l.idle)
	}
}

// close refuses further calls. It is idempotent.
func (l *callLimit) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed && l.n == 0 {
		close(l.idle)
	}
	l.closed = true
}
