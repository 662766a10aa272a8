package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"

	"github.com/anything-mcp/anything-mcp/functions"
)

const functionColumns = "function_id, site, updated_at, read_at, body"

// GetFunction returns a function with its details.
func (s *Store) GetFunction(ctx context.Context, a functions.Account, id string) (functions.Function, error) {
	return one(ctx, s, "read a function from", functions.ErrNotFound, scanWholeFunction,
		"SELECT "+functionColumns+", details FROM functions WHERE owner = ? AND api_url = ? AND function_id = ?", a.Owner, a.APIURL, id)
}

// scanFunction reads a function from a row of functionColumns, and of more columns
// into more.
func scanFunction(rows *sql.Rows, more ...any) (f functions.Function, err error) {
	var (
		id, site      string
		updated, read int64
		body          []byte
	)
	if err := rows.Scan(append([]any{&id, &site, &updated, &read, &body}, more...)...); err != nil {
		return f, err
	}
	err = json.Unmarshal(body, &f)
	f.ID, f.Site, f.UpdatedAt, f.ReadAt = id, site, timeOf(updated), timeOf(read)
	return f, err
}

func scanListedFunction(rows *sql.Rows) (functions.Function, error) { return scanFunction(rows) }

func scanWholeFunction(rows *sql.Rows) (functions.Function, error) {
	var details []byte
	f, err := scanFunction(rows, &details)
	if err == nil && details != nil {
		f.Details = new(functions.Details)
		err = json.Unmarshal(details, f.Details)
	}
	return f, err
}

// SearchFunctions returns the functions that match, in the order of FTS5's own
// ranking. A name says more than a description, and a description more than a query
// that was about many things.
func (s *Store) SearchFunctions(ctx context.Context, a functions.Account, q functions.Search) ([]functions.Function, error) {
	from, score, order := "functions", "-updated_at", "updated_at DESC, n DESC" // as the index has them
	where, args := "owner = ? AND api_url = ?", []any{a.Owner, a.APIURL}
	if len(q.Words) > 0 {
		from = "function_words JOIN functions ON n = function_words.rowid"
		score, order = "bm25(function_words, 10, 4, 6, 2)", "score, n DESC"
		where += " AND function_words MATCH ?"
		args = append(args, matchAny(q.Words))
	}
	if len(q.Sites) > 0 {
		sites, err := json.Marshal(q.Sites)
		if err != nil {
			return nil, err
		}
		where += ` AND functions.site <> '' AND EXISTS (SELECT 1 FROM json_each(?) WHERE value <> ''
			AND (functions.site = value OR substr(functions.site, -length(value) - 1) = '.' || value))`
		args = append(args, string(sites))
	}
	// The rows are read in a second step, because sorting them whole takes longer.
	return collect(ctx, s, "search the catalogue in", scanListedFunction,
		"SELECT "+functionColumns+" FROM (SELECT n AS hit, "+score+" AS score FROM "+from+" WHERE "+where+
			" ORDER BY "+order+" LIMIT ? OFFSET ?) JOIN functions ON n = hit ORDER BY score, hit DESC",
		append(args, q.Limit, q.Offset)...)
}

// matchAny returns the words as a query of FTS5 that any of them matches. The last one
// may be the beginning of a word.
func matchAny(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = `"` + strings.ReplaceAll(word, `"`, `""`) + `"`
	}
	return strings.Join(quoted, " OR ") + " *"
}
