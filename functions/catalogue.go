package functions

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/sync/singleflight"

	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/text"
)

// Fresh is how long what Notte told counts as true.
const Fresh = time.Minute

// patience bounds how long a call waits for Notte.
const patience = 3 * time.Second

// Catalogue answers questions about the functions of accounts. It asks Notte only
// when it is asked, and only if what is stored is older than a minute; if Notte does
// not answer within 3 seconds, it answers from what is stored. It is safe for
// concurrent use.
type Catalogue struct {
	store   Store
	log     *slog.Logger
	holder  string             // names this process in leases
	reading singleflight.Group // callers share one reading of a list
}

// New returns the catalogue that store keeps. It neither reads nor writes anything.
// A nil logger logs nothing.
func New(store Store, logger *slog.Logger) *Catalogue {
	return &Catalogue{store: store, log: cmp.Or(logger, slog.New(slog.DiscardHandler)), holder: rand.Text()}
}

// AccountOf returns whose functions a client reaches.
func AccountOf(client *notte.Client) Account { return Account{client.Owner(), client.APIURL()} }

// Query says what to find.
type Query struct {
	Text    string    // words; empty: all functions
	Site    string    // a host or a domain above it; empty: all
	Limit   int       // of functions that are returned
	Offset  int       // functions that are skipped
	Changed time.Time // what was read before is not fresh, because a function was made since
}

// List is what was found.
type List struct {
	Functions []Function
	More      bool      // there are more than Limit
	AsOf      time.Time // when Notte told the list
	Stale     bool      // Notte could not be asked just now
	Partial   bool      // the account has more functions than are read, or than could be
}

// Find returns the functions of the client's account that match best. It fails if
// nothing is stored and Notte cannot be asked.
func (c *Catalogue) Find(ctx context.Context, client *notte.Client, q Query) (List, error) {
	state, isFresh, err := c.update(ctx, client, q.Changed)
	if err != nil {
		return List{}, err
	}
	list := List{AsOf: state.ReadAt, Stale: !isFresh, Partial: !state.Complete}
	s := Search{Words: words(q.Text), Limit: q.Limit + 1, Offset: q.Offset}
	if q.Site != "" {
		s.Sites = []string{cmp.Or(cleanSite(q.Site), q.Site)}
	}
	if len(s.Words) == 0 && strings.TrimSpace(q.Text) != "" {
		return list, nil
	}
	list.Functions, err = c.store.SearchFunctions(ctx, AccountOf(client), s)
	if list.More = len(list.Functions) > q.Limit; list.More {
		list.Functions = list.Functions[:q.Limit]
	}
	return list, err
}

// maxWords bounds the words of a search, because the time that it takes rises with
// them.
const maxWords = 12

// words returns the different words of a text. Of too many it leaves out the shortest,
// which say least.
func words(query string) (all []string) {
	for word := range strings.FieldsFuncSeq(strings.ToLower(text.Prefix(query, maxQuery)), isGap) {
		if !slices.Contains(all, word) {
			all = append(all, word)
		}
	}
	for len(all) > maxWords {
		shortest := 0
		for i := range all {
			if len(all[i]) < len(all[shortest]) {
				shortest = i
			}
		}
		all = slices.Delete(all, shortest, shortest+1)
	}
	return all
}

// maxQuery bounds what is read of a query, in bytes.
const maxQuery = 2000

func isGap(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) }

const (
	maxSimilar = 3
	maxHosts   = 5 // that are looked for in a request
)

// hostInText matches the hosts that a request names.
var hostInText = regexp.MustCompile(`(?i)\b(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}\b`)

// Similar returns up to three stored functions that may already do what a request
// asks for: they match its words, and it names their site or a domain above it. It
// asks Notte nothing. It returns none if the store cannot be read.
func (c *Catalogue) Similar(ctx context.Context, client *notte.Client, request string) []Function {
	s := Search{Words: words(request), Limit: maxSimilar}
	for _, host := range hostInText.FindAllString(text.Prefix(request, maxQuery), maxHosts) {
		s.Sites = append(s.Sites, cleanSite(host))
	}
	if s.Sites == nil {
		return nil
	}
	found, err := c.store.SearchFunctions(ctx, AccountOf(client), s)
	if err != nil {
		c.log.Debug("similar functions could not be looked up", "err", err)
	}
	return found
}

// Get returns a function with its Details. If Notte does not answer, that is what is
// stored, whose ReadAt tells its age. The error is Notte's if nothing is stored, and
// also if Notte says that there is no such function: see [notte.IsNotFound].
func (c *Catalogue) Get(ctx context.Context, client *notte.Client, id string) (Function, error) {
	stored, err := c.store.GetFunction(ctx, AccountOf(client), id)
	if err == nil && stored.Details != nil && isFresh(stored.Details.ReadAt) && isFresh(stored.ReadAt) {
		return stored, nil
	}
	read, readErr := c.read(ctx, client, id)
	if readErr != nil && err == nil && !notte.IsNotFound(readErr) {
		return stored, nil
	}
	return read, readErr
}

// Check checks the variables of a run, a JSON object or nil. It returns the function
// and, if they do not fit what Notte has told of it during this call, a
// [*VariablesError]. If Notte cannot be asked, known is false and there is no error:
// the run then tells what is wrong.
func (c *Catalogue) Check(ctx context.Context, client *notte.Client, id string, variables json.RawMessage) (f Function, known bool, err error) {
	fits := func(f Function) error { return f.Check(variables) }
	f, err = c.current(ctx, client, id, fits)
	if err != nil {
		return f, false, nil
	}
	return f, true, fits(f)
}

// current returns a function as Notte tells it. What is stored counts for a minute if it
// fits. If Notte cannot be asked, current returns what is stored and Notte's error.
func (c *Catalogue) current(ctx context.Context, client *notte.Client, id string, fits func(Function) error) (Function, error) {
	stored, err := c.store.GetFunction(ctx, AccountOf(client), id)
	if err == nil && isFresh(stored.ReadAt) && fits(stored) == nil {
		return stored, nil
	}
	f, err := c.read(ctx, client, id)
	if err != nil {
		return stored, err
	}
	return f, nil
}

func isFresh(at time.Time) bool { return time.Since(at) < Fresh }

// read reads a function from Notte and stores it, and what that means for its pins.
func (c *Catalogue) read(ctx context.Context, client *notte.Client, id string) (Function, error) {
	within, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	now := time.Now()
	told, err := client.GetFunction(within, id)
	a := AccountOf(client)
	var f Function
	var storeErr error
	switch {
	case notte.IsNotFound(err):
		storeErr = c.store.DeleteFunction(ctx, a, id)
	case err != nil:
		return Function{}, err
	default:
		told.ID = id // the function that was asked for, whatever the answer calls it
		f = newFunction(told, now, false)
		if stored, err := c.store.GetFunction(ctx, a, id); err == nil {
			f.Listed = stored.Listed
		}
		storeErr = c.store.PutFunction(ctx, a, f)
	}
	storeErr = errors.Join(storeErr, c.settlePins(ctx, a, func(p Pin) PinState {
		switch {
		case p.FunctionID != id:
			return p.State
		case err != nil:
			return PinGone
		}
		return p.stateFor(f)
	}))
	if storeErr != nil && !errors.Is(storeErr, context.Canceled) {
		c.log.Debug("a function could not be stored in the catalogue", "function", id, "err", storeErr)
	}
	return f, err
}
