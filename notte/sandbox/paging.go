package sandbox

import (
	"net/http"
	"strconv"
)

// paging is the query of a list.
type paging struct {
	page, size int
	onlyActive bool
}

const (
	defaultPageSize = 10
	maxPageSize     = 100
)

// readPaging reads page (from 1), page_size (1 to 100, 10 unless given) and
// only_active (true unless given). It checks only_current_token and
// include_system, which have no effect here.
func readPaging(r *http.Request) (paging, []problem) {
	p := paging{page: 1, size: defaultPageSize, onlyActive: true}
	q := r.URL.Query()
	var problems []problem
	number := func(name string, into *int, most int) {
		text := q.Get(name)
		if text == "" {
			return
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > most {
			problems = append(problems, problem{"int_parsing", []any{"query", name},
				"Input should be an integer between 1 and " + strconv.Itoa(most)})
		}
		*into = n
	}
	flag := func(name string, into *bool) {
		text := q.Get(name)
		if text == "" {
			return
		}
		var err error
		if *into, err = strconv.ParseBool(text); err != nil {
			problems = append(problems, problem{"bool_parsing", []any{"query", name},
				"Input should be a valid boolean, unable to interpret input"})
		}
	}
	number("page", &p.page, 1_000_000)
	number("page_size", &p.size, maxPageSize)
	flag("only_active", &p.onlyActive)
	flag("only_current_token", new(bool))
	flag("include_system", new(bool))
	return p, problems
}

// cut returns the page of all that p asks for, on the wire.
func (p paging) cut(all []object) object {
	from := min((p.page-1)*p.size, len(all))
	to := min(from+p.size, len(all))
	return object{
		"items", append([]object{}, all[from:to]...), "page", p.page, "page_size", p.size,
		"has_next", to < len(all), "has_previous", p.page > 1,
	}
}
