package tools_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// products is a result as functions return it.
func products(n int) object {
	items := make([]object, n)
	for i := range items {
		items[i] = object{"title": fmt.Sprintf("Item %d", i), "price": float64(i), "url": "https://shop.test/" + strings.Repeat("x", 300)}
	}
	return object{"items": items, "a/b": object{"~": "odd"}, "html": strings.Repeat("<p>é</p>", 20_000), "": "no name", "page": 1}
}

func TestPartsOfResults(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		id := f.runOf(sandbox.Outcome{Result: products(240)}, object{}).str("run_id")
		get := func(args object) result { args["run_id"] = id; return f.call("get_run", args) }
		one := []any{object{"title": "Item 1"}}
		for _, c := range []struct {
			args, fields object
		}{
			{object{"path": "/page"}, object{"result": 1.0, "result_total": absent, "result_uri": absent}},
			{object{"path": "/items/7/title"}, object{"result": "Item 7"}},
			{object{"path": "/a~1b/~0"}, object{"result": "odd"}},
			{object{"path": "/"}, object{"result": "no name"}},
			{object{"path": "/items", "offset": 1, "limit": 1, "fields": []string{"title"}}, object{"result": one, "result_total": 240.0, "result_truncated": absent, "result_uri": absent}},
			{object{"path": "/items", "offset": "1", "limit": "1", "fields": `["title"]`}, object{"result": one}},
			{object{"path": "/items/3", "fields": "title, price"}, object{"result": object{"title": "Item 3", "price": 3.0}}},
			{object{"fields": []string{"page"}}, object{"result": object{"page": 1.0}}},
		} {
			r := get(c.args)
			f.wants(r, false, c.fields)
			if t.Failed() {
				t.Fatalf("after %v", c.args)
			}
		}
		f.wants(get(object{}), false, object{"result_truncated": true, "result_uri": "run://" + id + "/result"})
	})
}

// A list comes in whole elements, as many as fit, and all pages make up the list.
func TestPagesOfAList(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		id := f.runOf(sandbox.Outcome{Result: products(240)}, object{}).str("run_id")
		var all []any
		pages := 0
		for total := 1; len(all) < total; pages++ {
			r := f.call("get_run", object{"run_id": id, "path": "/items", "offset": len(all)})
			page, ok := r.object["result"].([]any)
			if !ok || len(page) == 0 || len(r.text) > 64_000 {
				t.Fatalf("a page of %d bytes: %.300s", len(r.text), r.text)
			}
			all = append(all, page...)
			total = int(r.object["result_total"].(float64))
			if last := len(all) == total; last == strings.Contains(r.str("next_step"), "offset") || last == (r.object["result_uri"] != nil) {
				t.Errorf("after %d of %d: %q, %v", len(all), total, r.str("next_step"), r.object["result_uri"])
			}
		}
		var want object
		raw, _ := json.Marshal(products(240))
		_ = json.Unmarshal(raw, &want)
		if pages < 2 || !reflect.DeepEqual(all, want["items"]) {
			t.Errorf("%d pages do not make up the list", pages)
		}
	})
}

// What is no list comes in pages of its text, and an element that is too large by
// itself can be read or skipped.
func TestLargeParts(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		large := strings.Repeat("é", 40_000)
		whole := object{"html": large, "list": []any{1, object{"text": large, "id": 7}, 3}}
		id := f.runOf(sandbox.Outcome{Result: whole}, object{}).str("run_id")
		get := func(args object) result { args["run_id"] = id; return f.call("get_run", args) }

		pages := ""
		for more := true; more; {
			r := get(object{"path": "/html", "offset": len(pages)})
			pages += r.str("result")
			more = r.object["result_truncated"] == true
			if more && !strings.Contains(r.str("next_step"), fmt.Sprintf("offset %d", len(pages))) {
				t.Errorf("next_step = %q", r.str("next_step"))
			}
		}
		if pages != `"`+large+`"` {
			t.Errorf("the pages do not make up the text: %d bytes", len(pages))
		}

		f.wants(get(object{"path": "/list"}), false, object{"result": []any{1.0}, "result_total": 3.0, "result_uri": "run://" + id + "/result"})
		r := get(object{"path": "/list", "offset": 1})
		f.wants(r, false, object{"result": []any{}, "result_total": 3.0})
		if next := r.str("next_step"); !strings.Contains(next, "/list/1 ") || !strings.Contains(next, "offset 2") {
			t.Errorf("next_step = %q", next)
		}
		f.wants(get(object{"path": "/list", "offset": 1, "fields": []string{"id"}}), false, object{"result": []any{object{"id": 7.0}, 3.0}})
		if next := get(object{"path": "/list/1"}).str("next_step"); !strings.HasSuffix(next, `Or read one of its members with path: it is an object with the members "id", "text".`) {
			t.Errorf("next_step = %q", next)
		}
	})
}

func TestPartsThatAreNotThere(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		many := object{}
		for i := range 30 {
			many[fmt.Sprintf("%02d\x1b[31m\u202e%s", i, strings.Repeat("x", 500))] = i
		}
		id := f.runOf(sandbox.Outcome{Result: object{"items": []object{{"title": "a"}, {"url": "b"}}, "n": 1, "many": many, "none": object{}}}, object{}).str("run_id")
		for _, c := range []struct {
			args object
			says string
		}{
			{object{"path": "items"}, `"items" does not begin with a slash.`},
			{object{"path": "/itms"}, `there is no "itms" at the top of the result, which is an object with the members "items", "many", "n", "none".`},
			{object{"path": "/items/title"}, `there is no "title" at /items, which is a list of 2 elements.`},
			{object{"path": "/items/2"}, `there is no "2" at /items, which is a list of 2 elements.`},
			{object{"path": "/items/01"}, `there is no "01" at /items`},
			{object{"path": "/items/-1"}, `there is no "-1" at /items`},
			{object{"path": "/items/0/titel"}, `there is no "titel" at /items/0, which is an object with the member "title".`},
			{object{"path": "/n/x"}, `there is no "x" at /n, which is a number.`},
			{object{"path": "/none/x"}, `which is an object with no members.`},
			{object{"path": "/many/x"}, `and 10 more.`},
			{object{"path": "/" + strings.Repeat("x/\x1b", 400)}, `is a text of 1201 characters`},
			{object{"path": "/items", "fields": []string{"title", "urls"}}, `nothing at /items has a member "urls"; an element of it has the member "url".`},
			{object{"path": "/n", "fields": []string{"x"}}, `there are no objects at /n, which is a number.`},
			{object{"fields": 7}, `fields must be a list of names of members: it is the number 7.`},
			{object{"fields": []any{"a", 7}}, `fields must be a list of names of members: it is a list with 2 members.`},
			{object{"path": "/items", "offset": 2}, `it is 2, and the list at /items has 2 elements.`},
			{object{"path": "/n", "offset": 1}, `it is 1, and the result has 1 bytes.`},
			{object{"path": "/items", "limit": 0}, `limit must be a whole number above 0: it is the number 0.`},
		} {
			c.args["run_id"] = id
			r := f.call("get_run", c.args)
			f.wants(r, true, nil)
			if !strings.Contains(r.text, c.says) || len(r.text) > 1500 || strings.ContainsAny(r.text, "\x1b\u202e") {
				t.Errorf("%v: %s\nwant it to say %s", c.args, r.text, c.says)
			}
		}
	})
}

// A run without a result is what it is, whatever part of it is wanted.
func TestPartOfNoResult(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		id := f.runOf(sandbox.Outcome{After: -1}, object{"wait_seconds": 1}).str("run_id")
		f.wants(f.call("get_run", object{"run_id": id, "wait_seconds": 0, "path": "/items", "fields": "a"}), false, object{"status": "running", "result": absent})
	})
}
