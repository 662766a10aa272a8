package functions

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// PinStore keeps pins. Its methods are safe for concurrent use, by several processes
// if it outlives one. Times are kept to the millisecond at least.
type PinStore interface {
	// Pins returns the pins of an account in the order of their names.
	Pins(ctx context.Context, a Account) ([]Pin, error)

	// PinGeneration returns a number that rises whenever the pins of any account
	// change, but for their times and for whether they are [PinOK] or
	// [PinChanged]. It is 0 until the first pin is stored.
	PinGeneration(ctx context.Context) (int64, error)

	// PutPin stores a pin, in the place of one with its name. In one step with
	// that it calls [CheckPlace], whose errors it returns.
	PutPin(ctx context.Context, a Account, p Pin, most int) error

	// SetPinState sets the state of a pin if there is one with this name.
	SetPinState(ctx context.Context, a Account, name string, state PinState) error

	// UsePin records when a pin was used last if there is one with this name.
	UsePin(ctx context.Context, a Account, name string, at time.Time) error

	// DeletePin deletes a pin, and reports whether there was one with this name.
	DeletePin(ctx context.Context, a Account, name string) (bool, error)
}

// CheckPlace returns an error if a pin has no place beside the pins that there are: a
// [*PinTakenError] if its name is in use by another function, a [*PinLimitError] if
// the account would have more than most pins. Those whose function is gone do not
// count.
func CheckPlace(pins []Pin, p Pin, most int) error {
	count := 0
	var least *Pin
	for i, other := range pins {
		switch {
		case other.Name == p.Name && other.FunctionID != p.FunctionID:
			return &PinTakenError{other}
		case other.Name == p.Name || other.State == PinGone:
			continue
		case least == nil || other.UsedAt.Before(least.UsedAt):
			least = &pins[i]
		}
		count++
	}
	if p.State != PinGone && least != nil && count >= most && !slices.ContainsFunc(pins, func(other Pin) bool { return other.Name == p.Name && other.State != PinGone }) {
		return &PinLimitError{most, *least}
	}
	return nil
}

// PinTakenError says that another function is pinned under a name.
type PinTakenError struct{ Pin Pin }

func (e *PinTakenError) Error() string {
	return fmt.Sprintf("%s is the name of another pinned function, %s: unpin that one first, or take another name", e.Pin.Name, e.Pin.FunctionID)
}

// PinLimitError says that the account has as many pins as it may have.
type PinLimitError struct {
	Most  int
	Least Pin // the one that was not used for the longest time
}

func (e *PinLimitError) Error() string {
	return fmt.Sprintf("%d functions are pinned, which is the limit: unpin one first; %s was not used for the longest time", e.Most, e.Least.Name)
}
