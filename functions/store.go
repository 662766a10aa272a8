package functions

import (
	"context"
	"errors"
	"time"
)

// ErrNotFound is the error for a function that a [Store] does not have.
var ErrNotFound = errors.New("no such function in the catalogue")

// Account is whose functions are meant: those of an owner (see [notte.Client.Owner])
// at one of Notte's APIs.
type Account struct{ Owner, APIURL string }

// State is what is known of an account's list. The zero value is that of one that was
// never read.
type State struct {
	ReadAt   time.Time // when it was read last, in whole or up to its bound
	Complete bool      // it was read to its end
	RetryAt  time.Time // Notte is not to be asked for it again before
}

// Reading is what was read of an account's list.
type Reading struct {
	Began     time.Time
	Functions []Function // without Details
	Complete  bool       // the list was read to its end: an earlier function that is not among them is gone
	Failed    bool       // it was not read as far as it was to be
	RetryAt   time.Time  // see [State]
}

// Search says which functions are looked for.
type Search struct {
	Words  []string // any of them, the last one as the beginning of a word; none: all functions
	Sites  []string // only functions of these hosts and of the hosts below them; none: of all
	Limit  int
	Offset int
}

// Store keeps catalogues and pins. Its methods are safe for concurrent use, by several
// processes if it outlives one. Package functionstest holds its contract as a test.
// Times are kept to the millisecond at least.
type Store interface {
	PinStore

	// CatalogueState returns what is known of an account's list.
	CatalogueState(ctx context.Context, a Account) (State, error)

	// LeaseCatalogue gives holder the right to read the list until a time, and
	// reports whether it did: not if another holder has it at now, or if the list
	// was read since holder saw it.
	LeaseCatalogue(ctx context.Context, a Account, holder string, seen State, now, until time.Time) (bool, error)

	// PutReading stores what holder has read, and ends its lease. If the reading
	// is complete it deletes the functions that were read before it began and are
	// not part of it. It leaves Details as they are.
	PutReading(ctx context.Context, a Account, holder string, r Reading) error

	// PutFunction stores one function, with its Details unless they are nil.
	PutFunction(ctx context.Context, a Account, f Function) error

	// DeleteFunction deletes a function if there is one with this ID.
	DeleteFunction(ctx context.Context, a Account, id string) error

	// GetFunction returns a function, or ErrNotFound.
	GetFunction(ctx context.Context, a Account, id string) (Function, error)

	// SearchFunctions returns the functions that match, without Details: the best
	// match first or, without words, the one that was changed last. Name,
	// description and site are searched, and the queries of the account's builds
	// that made the function, if the store knows them.
	SearchFunctions(ctx context.Context, a Account, s Search) ([]Function, error)
}
