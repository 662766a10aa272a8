package tools

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/anything-mcp/anything-mcp/functions"
	"github.com/anything-mcp/anything-mcp/notte"
)

// changePoll is how often the store is asked what other processes have changed, once it
// is known what clients know.
const changePoll = time.Second

// Changes returns a channel that has the method of a notice whenever the pins or the
// resources may have changed, until ctx ends.
func (t *Toolbox) Changes(ctx context.Context) <-chan string {
	notices := make(chan string)
	pins := t.s.board.watch()
	go func() {
		defer close(notices)
		defer t.s.board.unwatch(pins)
		say := func(method string) {
			select {
			case notices <- method:
			case <-ctx.Done():
			}
		}
		poll := time.NewTicker(changePoll)
		defer poll.Stop()
		for {
			select {
			case <-poll.C:
				if t.s.board.isKnown() {
					t.Refresh(ctx)
				}
				if t.s.pollResources(ctx) {
					say(mcp.MethodNotificationResourcesListChanged)
				}
			case <-pins:
				say(mcp.MethodNotificationToolsListChanged)
			case <-ctx.Done():
				return
			}
		}
	}()
	return notices
}

// Refresh looks for pins that other processes have changed.
func (t *Toolbox) Refresh(ctx context.Context) {
	if t.s.Pins.Off || t.s.Unfit != nil {
		return
	}
	if err := t.s.lookForPins(ctx, false); err != nil && ctx.Err() == nil {
		t.s.Logger.Debug("the pins could not be watched", "err", logLine(err.Error()))
	}
}

// pollResources reports whether the resources of an account are others than those that
// its clients have listed.
func (s *service) pollResources(ctx context.Context) (changed bool) {
	for _, client := range s.shelf.clients() {
		list, err := s.resourcesOf(ctx, client)
		if err == nil {
			s.shelf.put(client, list)
		} else if ctx.Err() == nil {
			s.Logger.Debug("the resources could not be watched", "err", logLine(err.Error()))
		}
	}
	return s.shelf.takeChanged()
}

// maxShelf bounds the accounts whose listed resources are known.
const maxShelf = 64

// shelf knows which resources clients have listed. The zero value is ready for use.
type shelf struct {
	mu      sync.Mutex // guards what follows
	listed  map[functions.Account]shelved
	changed bool // the resources of an account have changed since they were first listed
}

// shelved is what the clients of an account have listed.
type shelved struct {
	client *notte.Client // of one of them
	uris   string
}

// put records the resources of a client's account.
func (s *shelf) put(client *notte.Client, list []mcp.Resource) {
	var sorted []string // their order changes with each use of a pin
	for _, r := range list {
		sorted = append(sorted, r.URI)
	}
	slices.Sort(sorted)
	uris := strings.Join(sorted, "\n")
	s.mu.Lock()
	defer s.mu.Unlock()
	a := functions.AccountOf(client)
	known, is := s.listed[a]
	s.changed = s.changed || is && known.uris != uris
	if s.listed == nil || !is && len(s.listed) == maxShelf {
		s.listed = make(map[functions.Account]shelved)
	}
	s.listed[a] = shelved{client, uris}
}

// clients returns a client of each account whose resources are listed.
func (s *shelf) clients() (clients []*notte.Client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, listed := range s.listed {
		clients = append(clients, listed.client)
	}
	return clients
}

// takeChanged reports whether resources have changed since the last call.
func (s *shelf) takeChanged() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := s.changed
	s.changed = false
	return changed
}
