package notte

import (
	"net/url"
	"strconv"

	"github.com/tidwall/gjson"
)

// Page is one page of a list. Pages count from 1.
type Page[T any] struct {
	Items       []T // at most 1,000
	Page        int
	PageSize    int
	HasNext     bool
	HasPrevious bool
}

func pageQuery(page, pageSize int) url.Values {
	query := url.Values{}
	if page > 0 {
		query.Set("page", strconv.Itoa(page))
	}
	if pageSize > 0 {
		query.Set("page_size", strconv.Itoa(pageSize))
	}
	return query
}

// maxItems bounds how many items of a list are read.
const maxItems = 1000

func parsePage[T any](v gjson.Result, parse func(gjson.Result) T) Page[T] {
	f := fieldsOf(v)
	page := Page[T]{
		Page:        int(f["page"].Int()),
		PageSize:    int(f["page_size"].Int()),
		HasNext:     f["has_next"].Bool(),
		HasPrevious: f["has_previous"].Bool(),
	}
	for item := range items(f["items"]) {
		if len(page.Items) == maxItems {
			break
		}
		page.Items = append(page.Items, parse(item))
	}
	return page
}
