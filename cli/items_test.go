package cli

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/anything-mcp/anything-mcp/functions"
)

var itemVariables = []functions.Variable{
	{Name: "n", Type: functions.Integer}, {Name: "tags", Type: functions.Array}, {Name: "site", Type: functions.String, Required: true},
}

func TestReadItems(t *testing.T) {
	for why, c := range map[string]struct {
		file  string
		items string // one a line
		lines []int
	}{
		"lines":           {"\n {\"n\": 1}\n\n{\"n\":2,\"a\":[]}", "{\"n\": 1}\n{\"n\":2,\"a\":[]}", []int{1, 3}},
		"a table":         {"site,n,tags,new\na,1,\"[\"\"x\"\"]\",7\n\"b\nc\",,,\n", `{"n":1,"new":"7","site":"a","tags":["x"]}` + "\n" + `{"site":"b\nc"}`, []int{2, 3}},
		"a byte mark":     {"\xef\xbb\xbfsite\r\na\r\n", `{"site":"a"}`, []int{2}},
		"a required text": {"site,n\n,2\n", `{"n":2,"site":""}`, []int{2}},
	} {
		list, err := readItems(strings.NewReader(c.file), itemVariables, 100)
		var got []string
		for _, item := range list.items {
			got = append(got, string(item))
		}
		if err != nil || strings.Join(got, "\n") != c.items || !slices.Equal(list.lines, c.lines) {
			t.Errorf("%s: %q at %v, %v; want %q at %v", why, got, list.lines, err, c.items, c.lines)
		}
	}
	many := strings.Repeat("{}\n", 50)
	if list, err := readItems(strings.NewReader(many), nil, 20); err != nil || len(list.items) != 21 {
		t.Errorf("of 50 items %d were read, %v; want one more than 20", len(list.items), err)
	}
}

func FuzzReadItems(f *testing.F) {
	f.Add("{\"n\":1}\n{}\n")
	f.Add("n,site\n1,\"a\nb\"\n")
	f.Add("\xef\xbb\xbf n;site\n1;2\n")
	f.Fuzz(func(t *testing.T, file string) {
		const most = 5
		list, err := readItems(strings.NewReader(file), itemVariables, most)
		if len(list.items) != len(list.lines) || len(list.items) > most+1 || err == nil && len(list.items) == 0 {
			t.Fatalf("%d items at %v, %v", len(list.items), list.lines, err)
		}
		for _, item := range list.items {
			if !json.Valid(item) || !gjson.ParseBytes(item).IsObject() {
				t.Errorf("the item %q is no object", item)
			}
		}
	})
}
