package tools

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
	"golang.org/x/sync/errgroup"

	"github.com/anything-mcp/anything-mcp/functions"
	"github.com/anything-mcp/anything-mcp/notte"
)

// PinConfig says which functions are tools of their own.
type PinConfig struct {
	Off  bool     // none, and nothing can be pinned
	Most int      // that an account may have; 0: [functions.DefaultMaxPins]
	Set  []SetPin // pinned for this process, whatever is stored
}

// SetPin is a pin that the settings of a server ask for.
type SetPin struct {
	FunctionID string
	Name       string // empty: one like the function's name
}

const (
	// pinWait bounds how long a list of tools waits for the store, which another
	// program may have locked.
	pinWait = 3 * time.Second

	// setPinWait bounds how long a list of tools waits for Notte, for the pins of the
	// settings.
	setPinWait = 3 * time.Second

	// setPinRetry is how long pins of the settings that could not be looked up are not
	// looked up again.
	setPinRetry = 10 * time.Second

	setPinsAtOnce = 8  // look-ups
	maxPinLists   = 64 // accounts whose tools are kept
)

// pinboard keeps the pins of accounts as tools. The zero value is ready for use.
type pinboard struct {
	mu    sync.Mutex // guards lists, and makes one caller look up the pins of the settings
	lists map[functions.Account]*pinList

	looking sync.Mutex // orders what lookForPins finds

	watching sync.Mutex // guards all below
	watchers map[chan struct{}]bool
	known    bool  // told is known
	told     int64 // the generation of the pins that clients know
}

// pinList has the tools of an account's pins. It does not change.
type pinList struct {
	generation int64
	tools      map[string]server.ServerTool
	pins       []functions.Pin // those of tools, and those that are gone

	set   []functions.Pin // of the settings
	retry time.Time       // when to look up those that are missing; zero: none is
}

var noPins = new(pinList)

// unlisted marks a tool that can be called and is not listed.
var unlisted = mcp.NewMetaFromMap(map[string]any{"unlisted": true})

// pinsOf returns the pins of the account that client returns. It calls client only if
// anything is pinned, because that may ask for a password.
func (s *service) pinsOf(ctx context.Context, account func(context.Context) (*notte.Client, error)) (*pinList, error) {
	if s.Pins.Off || s.Unfit != nil {
		return noPins, nil
	}
	within, cancel := context.WithTimeout(ctx, pinWait)
	defer cancel()
	generation, err := s.Functions.PinGeneration(within)
	if err != nil {
		return nil, err
	}
	s.board.listed(generation)
	if generation == 0 && len(s.Pins.Set) == 0 {
		return noPins, nil
	}
	client, err := account(ctx)
	if err != nil || client.Ready() != nil {
		return noPins, nil // the calls of other tools say why
	}
	a := functions.AccountOf(client)
	s.board.mu.Lock()
	defer s.board.mu.Unlock()
	last := s.board.lists[a]
	if last == nil {
		last = &pinList{retry: time.Now()}
	} else if last.generation == generation && !last.isDue() {
		return last, nil
	}
	list := &pinList{generation: generation, set: last.set, retry: last.retry}
	if last.isDue() {
		list.set, list.retry = s.lookUpSet(ctx, client)
	}
	stored, err := s.Functions.Pins(ctx, client)
	if err != nil {
		return nil, err
	}
	s.addTools(list, stored)
	if len(s.board.lists) >= maxPinLists || s.board.lists == nil {
		s.board.lists = make(map[functions.Account]*pinList)
	}
	s.board.lists[a] = list
	return list, nil
}

// isDue reports whether pins of the settings have to be looked up.
func (l *pinList) isDue() bool { return !l.retry.IsZero() && !time.Now().Before(l.retry) }

// lookUpSet looks up the pins of the settings, and returns when to look up again those
// that could not be.
func (s *service) lookUpSet(ctx context.Context, client *notte.Client) (pins []functions.Pin, retry time.Time) {
	ctx, cancel := context.WithTimeout(ctx, setPinWait)
	defer cancel()
	found := make([]functions.Pin, len(s.Pins.Set))
	var all errgroup.Group
	all.SetLimit(setPinsAtOnce)
	for i, set := range s.Pins.Set {
		all.Go(func() error {
			made, err := s.Functions.Pin(ctx, client, s.pinRequest(functions.PinRequest{
				FunctionID: set.FunctionID, Name: set.Name, MadeBy: functions.MadeByFlag, DryRun: true,
				Query: s.queryOf(ctx, client.Owner(), set.FunctionID),
			}))
			if err != nil {
				s.Logger.Warn("a function of the settings is not pinned", "function", logLine(set.FunctionID), "err", logLine(err.Error()))
				return err
			}
			found[i] = made.Pin
			return nil
		})
	}
	if all.Wait() != nil {
		retry = time.Now().Add(setPinRetry)
	}
	for _, p := range found {
		if p.Name != "" {
			pins = append(pins, p)
		}
	}
	return pins, retry
}

// addTools makes the tools of a list: the pins of the settings first, and of those that
// are stored the ones that were used last.
func (s *service) addTools(list *pinList, stored []functions.Pin) {
	list.tools = make(map[string]server.ServerTool)
	taken := func(name string) bool { _, used := list.tools[name]; return used || s.reserved(name) }
	for _, p := range choosePins(list.set, stored, s.mostPins()) {
		t, err := s.newPinnedTool(p, functions.FreePinName(p.Name, taken))
		if err != nil {
			s.Logger.Warn("a pinned function cannot be listed", "pin", p.Name, "err", logLine(err.Error()))
			continue
		}
		if p.State == functions.PinGone {
			t.definition.Meta = unlisted
		}
		list.pins = append(list.pins, p)
		list.tools[t.name] = server.ServerTool{Tool: t.definition, Handler: t.handle}
	}
}

// choosePins returns the pins that are tools. Those that are gone are among them: they
// are not listed, but a call by an old list gets an answer.
func choosePins(set, stored []functions.Pin, most int) (chosen []functions.Pin) {
	chosen = append(chosen, set...)
	count := len(set)
	byUse := slices.SortedStableFunc(slices.Values(stored), func(a, b functions.Pin) int { return b.UsedAt.Compare(a.UsedAt) })
	for _, p := range byUse {
		if slices.ContainsFunc(set, func(other functions.Pin) bool { return other.Name == p.Name }) {
			continue
		}
		if p.State != functions.PinGone {
			if count >= most {
				continue
			}
			count++
		}
		chosen = append(chosen, p)
	}
	return chosen
}

// Toolbox gives transports access to pinned tools and to changes of lists. It is safe for concurrent use.
type Toolbox struct{ s *service }

// Tools returns the pinned tools of the caller who sent the request of ctx. They do not
// change.
func (t *Toolbox) Tools(ctx context.Context) (map[string]server.ServerTool, error) {
	list, err := t.s.pinsOf(ctx, t.s.Account)
	if err != nil {
		return nil, err
	}
	return list.tools, nil
}

// pinsChanged wakes the watchers after a change of this process.
func (s *service) pinsChanged(ctx context.Context) {
	_ = s.lookForPins(ctx, true) // what cannot be read now is polled
}

// lookForPins wakes the watchers if clients know other pins than are stored, or if sure
// is true.
func (s *service) lookForPins(ctx context.Context, sure bool) error {
	s.board.looking.Lock()
	defer s.board.looking.Unlock()
	generation, err := s.Functions.PinGeneration(ctx)
	if err == nil {
		s.board.changed(generation, sure)
	}
	return err
}

// watch returns a channel that gets a value when the pins have changed.
func (b *pinboard) watch() chan struct{} {
	b.watching.Lock()
	defer b.watching.Unlock()
	if b.watchers == nil {
		b.watchers = make(map[chan struct{}]bool)
	}
	mine := make(chan struct{}, 1)
	b.watchers[mine] = true
	return mine
}

func (b *pinboard) unwatch(mine chan struct{}) {
	b.watching.Lock()
	defer b.watching.Unlock()
	delete(b.watchers, mine)
}

// listed records that a client has listed the pins of a generation. While others can be
// told of changes, they may know an earlier one.
func (b *pinboard) listed(generation int64) {
	b.watching.Lock()
	defer b.watching.Unlock()
	if !b.known || len(b.watchers) == 0 {
		b.known, b.told = true, generation
	}
}

func (b *pinboard) isKnown() bool {
	b.watching.Lock()
	defer b.watching.Unlock()
	return b.known
}

// changed wakes the watchers if clients know another generation, or if sure is true.
func (b *pinboard) changed(generation int64, sure bool) {
	b.watching.Lock()
	defer b.watching.Unlock()
	unchanged := !b.known || generation == b.told
	b.known, b.told = true, generation
	if unchanged && !sure {
		return
	}
	for watcher := range b.watchers {
		select {
		case watcher <- struct{}{}:
		default: // it has not yet said the change before
		}
	}
}
