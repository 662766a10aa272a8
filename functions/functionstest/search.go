package functionstest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/anything-mcp/anything-mcp/functions"
)

func testSearch(t *testing.T, s functions.Store) {
	read(t, s, mine, 0,
		function("posts", "hacker-news-top-posts", "Fetches the top posts.", "news.ycombinator.com"),
		function("menu", "Speisekarte", "Liest die Karte der Crème-brûlée-Bar.", "bar.example"),
		function("about", "about", "Mentions posts once, among many other words that say nothing of it at all.", ""),
		function("日本", "価格 取得", "", "shop.example"),
	)
	for _, test := range []struct {
		words, want []string
	}{
		{[]string{"posts"}, []string{"posts", "about"}}, // a name says more than a description
		{[]string{"hacker"}, []string{"posts"}},
		{[]string{"top", "hack"}, []string{"posts"}}, // the beginning of the last word
		{[]string{"hack", "top"}, []string{"posts"}},
		{[]string{"hack", "zzz"}, nil},
		{[]string{"ycombinator"}, []string{"posts"}},
		{[]string{"creme", "brule"}, []string{"menu"}},
		{[]string{"CRÈME"}, []string{"menu"}},
		{[]string{"absent"}, nil},
		{[]string{"価格"}, []string{"日本"}},
		{[]string{"AND"}, nil},
		{[]string{`"`}, nil},
		{[]string{"zzz", "title", "say"}, []string{"about"}},
	} {
		wantIDs(t, s, functions.Search{Words: test.words}, test.want...)
	}
}

func testSites(t *testing.T, s functions.Store) {
	read(t, s, mine, 0, function("a", "x", "", "news.example.com"), function("b", "x", "", "example.com"), function("c", "x", "", "badexample.com"), function("d", "x", "", ""))
	for site, want := range map[string][]string{
		"example.com": {"a", "b"}, "news.example.com": {"a"}, "com": {"a", "b", "c"}, "%": nil, "": nil, "_xample.com": nil,
	} {
		for _, words := range [][]string{nil, {"x"}} {
			got := ids(t, s, mine, functions.Search{Words: words, Sites: []string{site}})
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("%v of %q: %q, want %q", words, site, got, want)
			}
		}
	}
}

func testPages(t *testing.T, s functions.Store) {
	var all []functions.Function
	var want []string
	for i := range 250 {
		f := function(fmt.Sprint("f", i), "same", "", "")
		f.UpdatedAt = after(i)
		all, want = append(all, f), append(want, f.ID)
	}
	slices.Reverse(want) // the one that was changed last comes first
	read(t, s, mine, 300, all...)
	for _, words := range [][]string{nil, {"same"}} {
		var got []string
		for offset := 0; offset < 300; offset += 60 {
			got = append(got, ids(t, s, mine, functions.Search{Words: words, Limit: 60, Offset: offset})...)
		}
		if words != nil {
			slices.Sort(got)
			slices.Sort(want)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%v: %d functions by pages: %q", words, len(got), got)
		}
	}
}

func testAccounts(t *testing.T, s functions.Store) {
	read(t, s, mine, 0, function("f", "mine", "", ""))
	for _, other := range []functions.Account{{Owner: "you", APIURL: mine.APIURL}, {Owner: mine.Owner, APIURL: "https://other.test"}} {
		if got := ids(t, s, other, functions.Search{}); got != nil {
			t.Errorf("%v has %q", other, got)
		}
		if got := ids(t, s, other, functions.Search{Words: []string{"mine"}}); got != nil {
			t.Errorf("%v finds %q", other, got)
		}
		read(t, s, other, 10)
		if err := s.DeleteFunction(t.Context(), other, "f"); err != nil {
			t.Error(err)
		}
		wantIDs(t, s, functions.Search{}, "f")
	}
}
