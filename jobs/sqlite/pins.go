package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/anything-mcp/anything-mcp/functions"
)

const selectPins = "SELECT name, function_id, state, created_at, used_at, body FROM pins WHERE owner = ? AND api_url = ? ORDER BY name"

// pinBody is what has no column of its own.
type pinBody struct {
	Title     string                     `json:"title,omitempty"`
	Text      string                     `json:"text,omitempty"`
	TextFrom  functions.TextFrom         `json:"text_from,omitempty"`
	Query     string                     `json:"query,omitempty"`
	Variables []functions.Variable       `json:"variables,omitempty"`
	Fixed     map[string]json.RawMessage `json:"fixed,omitempty"`
	Version   string                     `json:"version,omitempty"`
	MadeBy    string                     `json:"made_by,omitempty"`
}

// Pins returns the pins of an account.
func (s *Store) Pins(ctx context.Context, a functions.Account) ([]functions.Pin, error) {
	return collect(ctx, s, "read the pinned functions in", scanPin, selectPins, a.Owner, a.APIURL)
}

func scanPin(rows *sql.Rows) (p functions.Pin, err error) {
	var (
		created, used int64
		raw           []byte
		body          pinBody
	)
	if err := rows.Scan(&p.Name, &p.FunctionID, &p.State, &created, &used, &raw); err != nil {
		return p, err
	}
	p.CreatedAt, p.UsedAt = time.UnixMilli(created), time.UnixMilli(used)
	err = json.Unmarshal(raw, &body)
	p.Title, p.Text, p.TextFrom, p.Query = body.Title, body.Text, body.TextFrom, body.Query
	p.Variables, p.Fixed, p.Version, p.MadeBy = body.Variables, body.Fixed, body.Version, body.MadeBy
	return p, err
}

// PinGeneration returns a number that rises whenever pins change. It does not create a
// database, because it is asked for each list of tools.
func (s *Store) PinGeneration(ctx context.Context) (int64, error) {
	if s.isNew() {
		return 0, nil
	}
	found, err := collect(ctx, s, "look for changed pins in", func(rows *sql.Rows) (n int64, err error) {
		return n, rows.Scan(&n)
	}, "SELECT n FROM pin_generation")
	if err != nil || len(found) == 0 {
		return 0, err
	}
	return found[0], nil
}

// isNew reports whether there is no database yet.
func (s *Store) isNew() bool {
	if db, err := s.current(); s.memory || db != nil || err != nil {
		return false
	}
	_, err := os.Stat(s.path)
	return errors.Is(err, fs.ErrNotExist)
}

// PutPin stores a pin.
func (s *Store) PutPin(ctx context.Context, a functions.Account, p functions.Pin, most int) error {
	body, err := json.Marshal(pinBody{p.Title, p.Text, p.TextFrom, p.Query, p.Variables, p.Fixed, p.Version, p.MadeBy})
	if err != nil {
		return err
	}
	var answer error // not the change's, because that would fail the whole transaction
	err = s.write(ctx, "pin a function in", true, func(t *tx) error {
		pins, err := query(t, scanPin, selectPins, a.Owner, a.APIURL)
		if err != nil {
			return err
		}
		if answer = functions.CheckPlace(pins, p, most); answer != nil {
			return nil
		}
		_, err = t.exec(`INSERT INTO pins (owner, api_url, name, function_id, state, created_at, used_at, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET function_id = excluded.function_id, state = excluded.state,
			created_at = excluded.created_at, used_at = excluded.used_at, body = excluded.body`,
			a.Owner, a.APIURL, p.Name, p.FunctionID, p.State, millis(p.CreatedAt), millis(p.UsedAt), body)
		return err
	})
	if err != nil {
		return err
	}
	return answer
}

// SetPinState sets the state of a pin.
func (s *Store) SetPinState(ctx context.Context, a functions.Account, name string, state functions.PinState) error {
	return s.write(ctx, "change a pin in", false, func(t *tx) error {
		_, err := t.exec("UPDATE pins SET state = ? WHERE owner = ? AND api_url = ? AND name = ?", state, a.Owner, a.APIURL, name)
		return err
	})
}

// UsePin records when a pin was used last.
func (s *Store) UsePin(ctx context.Context, a functions.Account, name string, at time.Time) error {
	return s.write(ctx, "change a pin in", false, func(t *tx) error {
		_, err := t.exec("UPDATE pins SET used_at = max(used_at, ?) WHERE owner = ? AND api_url = ? AND name = ?", millis(at), a.Owner, a.APIURL, name)
		return err
	})
}

// DeletePin deletes a pin.
func (s *Store) DeletePin(ctx context.Context, a functions.Account, name string) (was bool, err error) {
	err = s.write(ctx, "unpin a function in", true, func(t *tx) error {
		n, err := t.exec("DELETE FROM pins WHERE owner = ? AND api_url = ? AND name = ?", a.Owner, a.APIURL, name)
		was = n > 0
		return err
	})
	return was && err == nil, err
}
