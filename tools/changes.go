package tools

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

// changePoll is how often the store is asked what other processes have changed.
const changePoll = time.Second

// Changes returns a channel that has the method of a notice whenever the pins or the
// resources may have changed, until ctx ends. It opens no store before it returns.
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
			t.s.pollPins(ctx)
			if t.s.pollResources(ctx) {
				say(mcp.MethodNotificationResourcesListChanged)
			}
			select {
			case <-poll.C:
			case <-pins:
				say(mcp.MethodNotificationToolsListChanged)
			case <-ctx.Done():
				return
			}
		}
	}()
	return notices
}

// pollPins wakes the watchers if the stored pins are not those that clients know.
func (s *service) pollPins(ctx context.Context) {
	if s.Pins.Off {
		return
	}
	generation, err := s.Functions.PinGeneration(ctx)
	if err == nil {
		s.board.changed(generation, false)
	} else if ctx.Err() == nil {
		s.Logger.Debug("the pins could not be watched", "err", logLine(err.Error()))
	}
}

// pollResources reports whether the resources of an owner are others than those that
// its clients have listed.
func (s *service) pollResources(ctx context.Context) (changed bool) {
	for _, owner := range s.shelf.owners() {
		list, err := s.resourcesOf(ctx, owner)
		if err == nil {
			s.shelf.put(owner, list)
		} else if ctx.Err() == nil {
			s.Logger.Debug("the resources could not be watched", "err", logLine(err.Error()))
		}
	}
	return s.shelf.takeChanged()
}

// maxShelf bounds the owners whose listed resources are known.
const maxShelf = 64

// shelf knows which resources clients have listed. The zero value is ready for use.
type shelf struct {
	mu      sync.Mutex        // guards what follows
	listed  map[string]string // by owner: the URIs
	changed bool              // the resources of an owner have changed since they were first listed
}

// put records the resources of an owner.
func (s *shelf) put(owner string, list []mcp.Resource) {
	var uris strings.Builder
	for _, r := range list {
		uris.WriteString(r.URI + "\n")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	known, is := s.listed[owner]
	s.changed = s.changed || is && known != uris.String()
	if s.listed == nil || !is && len(s.listed) == maxShelf {
		s.listed = make(map[string]string)
	}
	s.listed[owner] = uris.String()
}

// owners returns the owners whose clients have listed resources.
func (s *shelf) owners() (owners []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for owner := range s.listed {
		owners = append(owners, owner)
	}
	return owners
}

// takeChanged reports whether resources have changed since the last call.
func (s *shelf) takeChanged() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := s.changed
	s.changed = false
	return changed
}
