package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/anything-mcp/anything-mcp/functions"
)

var _ functions.Store = (*Store)(nil)

// CatalogueState returns what is known of an account's list.
func (s *Store) CatalogueState(ctx context.Context, a functions.Account) (functions.State, error) {
	return one(ctx, s, "read the catalogue in", nil, scanState,
		"SELECT read_at, complete, retry_at FROM catalogues WHERE owner = ? AND api_url = ?", a.Owner, a.APIURL)
}

func scanState(rows *sql.Rows) (state functions.State, err error) {
	var read, retry int64
	err = rows.Scan(&read, &state.Complete, &retry)
	state.ReadAt, state.RetryAt = timeOf(read), timeOf(retry)
	return state, err
}

// timeOf is the inverse of [millisOrZero].
func timeOf(millis int64) time.Time {
	if millis == 0 {
		return time.Time{}
	}
	return time.UnixMilli(millis)
}

// millisOrZero returns a time as the file holds it, and 0 for the zero time.
func millisOrZero(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return millis(t)
}

// LeaseCatalogue gives holder the right to read an account's list.
func (s *Store) LeaseCatalogue(ctx context.Context, a functions.Account, holder string, seen functions.State, now, until time.Time) (leased bool, err error) {
	err = s.write(ctx, "lease the catalogue in", false, func(t *tx) error {
		n, err := t.exec(`INSERT INTO catalogues (owner, api_url, holder, lease_until) VALUES (?1, ?2, ?3, ?4)
			ON CONFLICT DO UPDATE SET holder = ?3, lease_until = ?4 WHERE (holder IN ('', ?3) OR lease_until <= ?5) AND read_at <= ?6`,
			a.Owner, a.APIURL, holder, millis(until), millis(now), millisOrZero(seen.ReadAt))
		leased = n > 0
		return err
	})
	return leased && err == nil, err
}

// putBatch is how many functions are stored in one transaction, so that no other
// write waits for long.
const putBatch = 100

// PutReading stores what was read of an account's list.
func (s *Store) PutReading(ctx context.Context, a functions.Account, holder string, r functions.Reading) error {
	const op = "store the catalogue in"
	for batch := range slices.Chunk(r.Functions, putBatch) {
		err := s.write(ctx, op, false, func(t *tx) error {
			for _, f := range batch {
				if err := t.putFunction(a, f); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return s.write(ctx, op, false, func(t *tx) error { return t.endReading(a, holder, r) })
}

// endReading stores the new state of a list and ends the lease.
func (t *tx) endReading(a functions.Account, holder string, r functions.Reading) error {
	if r.Complete {
		if _, err := t.exec("DELETE FROM functions WHERE owner = ? AND api_url = ? AND read_at < ?", a.Owner, a.APIURL, millis(r.Began)); err != nil {
			return err
		}
	}
	read := millis(r.Began)
	if r.Failed {
		read = 0 // the earlier time stays
	}
	_, err := t.exec(`INSERT INTO catalogues (owner, api_url, read_at, complete, retry_at) VALUES (?1, ?2, ?3, ?4, ?5)
		ON CONFLICT DO UPDATE SET retry_at = ?5,
			read_at = iif(?3 = 0, read_at, ?3), complete = iif(?3 = 0, complete, ?4),
			holder = iif(holder = ?6, '', holder)`,
		a.Owner, a.APIURL, read, r.Complete, millisOrZero(r.RetryAt), holder)
	return err
}

// PutFunction stores one function.
func (s *Store) PutFunction(ctx context.Context, a functions.Account, f functions.Function) error {
	return s.write(ctx, "store a function in", false, func(t *tx) error { return t.putFunction(a, f) })
}

// putFunction stores a function, and its words if they may have changed.
func (t *tx) putFunction(a functions.Account, f functions.Function) error {
	body, err := json.Marshal(f)
	if err != nil {
		return err
	}
	var details []byte // stays as it is if f has none
	if f.Details != nil {
		if details, err = json.Marshal(f.Details); err != nil {
			return err
		}
	}
	var (
		n    int64
		site string
		old  []byte
	)
	err = t.get("SELECT n, site, body FROM functions WHERE owner = ? AND api_url = ? AND function_id = ?",
		[]any{a.Owner, a.APIURL, f.ID}, &n, &site, &old)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		err = t.get(`INSERT INTO functions (owner, api_url, function_id, site, updated_at, read_at, body, details)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING n`,
			[]any{a.Owner, a.APIURL, f.ID, f.Site, millisOrZero(f.UpdatedAt), millis(f.ReadAt), body, details}, &n)
	case err == nil:
		_, err = t.exec("UPDATE functions SET site = ?, updated_at = ?, read_at = ?, body = ?, details = ifnull(?, details) WHERE n = ?",
			f.Site, millisOrZero(f.UpdatedAt), millis(f.ReadAt), body, details, n)
	}
	if err != nil || site == f.Site && bytes.Equal(old, body) {
		return err
	}
	return t.putWords(a, n, f)
}

// putWords stores the words of a function. Those of the queries of its builds are
// among them, in which its user has said what it is for.
func (t *tx) putWords(a functions.Account, n int64, f functions.Function) error {
	if _, err := t.exec("DELETE FROM function_words WHERE rowid = ?", n); err != nil {
		return err
	}
	_, err := t.exec(`INSERT INTO function_words (rowid, name, description, site, queries) VALUES (?1, ?2, ?3, ?4,
		(SELECT group_concat(body ->> '$.query', char(10)) FROM
			(SELECT CAST(body AS TEXT) AS body FROM jobs WHERE owner = ?5 AND kind = 'build' AND function_id = ?6
			ORDER BY started_at DESC LIMIT 10)))`,
		n, f.Name, f.Description, f.Site, a.Owner, f.ID)
	return err
}

// DeleteFunction deletes a function.
func (s *Store) DeleteFunction(ctx context.Context, a functions.Account, id string) error {
	return s.write(ctx, "delete a function from", false, func(t *tx) error {
		_, err := t.exec("DELETE FROM functions WHERE owner = ? AND api_url = ? AND function_id = ?", a.Owner, a.APIURL, id)
		return err
	})
}

// forgetFunctions deletes the functions that were read before a time, and the lists.
func (s *Store) forgetFunctions(ctx context.Context, before time.Time) error {
	return s.write(ctx, "delete old functions from", false, func(t *tx) error {
		if _, err := t.exec("DELETE FROM functions WHERE read_at < ?", millis(before)); err != nil {
			return err
		}
		_, err := t.exec("DELETE FROM catalogues WHERE read_at < ?1 AND lease_until < ?1", millis(before))
		return err
	})
}
