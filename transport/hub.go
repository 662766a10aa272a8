package transport

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

// noticeDelay is how long a change waits for further changes before clients are told.
// So a client gets at most one notice about a list in this time.
const noticeDelay = 500 * time.Millisecond

// lists is a set of lists that can change.
type lists uint8

const (
	toolList lists = 1 << iota
	resourceList
)

// noticeMethods has the method of the notice about each list.
var noticeMethods = map[lists]string{
	toolList:     mcp.MethodNotificationToolsListChanged,
	resourceList: mcp.MethodNotificationResourcesListChanged,
}

// hub tells clients which lists have changed. It is safe for concurrent use.
type hub struct {
	toolbox Toolbox         // nil: nothing changes
	ctx     context.Context // ends when no client is told any more
	end     context.CancelFunc
	watches sync.WaitGroup

	mu        sync.Mutex // guards what follows, and told of all followers
	followers []*follower
	unwatch   context.CancelFunc // nil: changes are not watched, because nobody follows
	changed   lists              // what clients must be told
	due       bool               // noticeDelay has passed since the first of changed
	held      int                // calls whose answers come before all notices
}

// follower is a stream on which a client is told of changes.
type follower struct {
	session string        // of several streams of a session the newest is told; empty: the stream has no session
	lists   lists         // what the client wants to be told
	told    lists         // what it has not been sent yet
	wake    chan struct{} // holds a value if told is not empty
}

func newHub(toolbox Toolbox) *hub {
	h := &hub{toolbox: toolbox}
	h.ctx, h.end = context.WithCancel(context.Background())
	return h
}

// close ends tell of all followers. It is idempotent.
func (h *hub) close() {
	h.mu.Lock() // afterwards no watch begins
	defer h.mu.Unlock()
	h.end()
}

// wait returns when nothing of a closed hub runs any more, except tell.
func (h *hub) wait() { h.watches.Wait() }

// follow begins to collect what the client of one stream is to be told: changes of l.
// The caller calls tell, and leave in the end.
func (h *hub) follow(session string, l lists) *follower {
	f := &follower{session: session, lists: l, wake: make(chan struct{}, 1)}
	if l == 0 {
		return f // it can be told nothing
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.followers = append(h.followers, f)
	if h.toolbox != nil && h.unwatch == nil && h.ctx.Err() == nil {
		var ctx context.Context
		ctx, h.unwatch = context.WithCancel(h.ctx)
		changes := h.toolbox.Changes(ctx)
		h.watches.Go(func() {
			for method := range changes {
				h.note(method)
			}
		})
	}
	return f
}

// refresh returns when nothing is missed that other processes change from now on.
func (h *hub) refresh(ctx context.Context) {
	if h.toolbox != nil {
		h.toolbox.Refresh(ctx)
	}
}

// leave undoes follow.
func (h *hub) leave(f *follower) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.followers = slices.DeleteFunc(h.followers, func(other *follower) bool { return other == f })
	if len(h.followers) == 0 && h.unwatch != nil {
		h.unwatch()
		h.unwatch = nil
	}
}

// tell calls send with the method of each notice, until ctx ends, the hub is closed or
// send fails.
func (h *hub) tell(ctx context.Context, f *follower, send func(method string) error) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.ctx.Done():
			return
		case <-f.wake:
		}
		h.mu.Lock()
		told := f.told
		f.told = 0
		h.mu.Unlock()
		for list := toolList; list <= resourceList; list <<= 1 {
			if told&list != 0 && send(noticeMethods[list]) != nil {
				return
			}
		}
	}
}

// note notes that a list has changed.
func (h *hub) note(method string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for list, its := range noticeMethods {
		if its != method {
			continue
		}
		if h.changed == 0 {
			time.AfterFunc(noticeDelay, h.delayPassed)
		}
		h.changed |= list
	}
}

func (h *hub) delayPassed() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.due = true
	h.wakeFollowers()
}

// hold keeps notices back until release is called.
func (h *hub) hold() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.held++
}

// release undoes hold.
func (h *hub) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.held--
	h.wakeFollowers()
}

// wakeFollowers makes tell send what has changed, if it is time. The caller holds mu.
func (h *hub) wakeFollowers() {
	if !h.due || h.held > 0 {
		return
	}
	sessions := make(map[string]bool)
	for _, f := range slices.Backward(h.followers) {
		if f.session != "" && sessions[f.session] {
			continue
		}
		sessions[f.session] = true
		if f.told |= h.changed & f.lists; f.told != 0 {
			select {
			case f.wake <- struct{}{}:
			default: // it holds a value already
			}
		}
	}
	h.changed, h.due = 0, false
}
