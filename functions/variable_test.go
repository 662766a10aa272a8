package functions_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// look adds a function with these variables and returns its signature.
func (f *fixture) look(variables ...sandbox.Variable) (id, signature string) {
	f.t.Helper()
	id = f.notte.AddFunction(sandbox.Function{Name: "f", Variables: variables})
	got, err := f.Get(f.t.Context(), f.client, id)
	if err != nil {
		f.t.Fatal(err)
	}
	return id, got.Signature()
}

// What Notte tells is Python source.
func TestSignature(t *testing.T) {
	const none = "-" // no default
	inBubble(t, func(t *testing.T, f *fixture) {
		for _, c := range []struct{ name, annotation, value, want string }{
			{"a", "", none, "a: any"},
			{"a", "str", none, "a: string"},
			{"a", "str", "'en'", `a: string = "en"`},
			{"a", "str", `"it's"`, `a: string = "it's"`},
			{"a", "str", `'it\'s\n<b>'`, `a: string = "it's <b>"`},
			{"a", "str", "None", "a?: string"},
			{"a", "str", "'a' + 'b'", "a?: string"},
			{"a", "str", "os.environ['X']", "a?: string"},
			{"a", "int", "3", "a: integer = 3"},
			{"a", "int", "-3", "a: integer = -3"},
			{"a", "int", "3 * 2", "a?: integer"},
			{"a", "float", "1.5", "a: number = 1.5"},
			{"a", "bool", "False", "a: boolean = false"},
			{"a", "list[str]", "[]", "a?: array"},
			{"a", "List[Dict[str, int]]", none, "a: array"},
			{"a", "dict", none, "a: object"},
			{"a", "typing.Mapping[str, typing.Any]", none, "a: object"},
			{"a", "str | None", "None", "a?: string"},
			{"a", "None | int", none, "a: integer"},
			{"a", "Optional[int]", "None", "a?: integer"},
			{"a", "typing.Optional[list[str | None]]", "None", "a?: array"},
			{"a", "Union[str, None]", none, "a: string"},
			{"a", "Union[str, int]", none, "a: any"},
			{"a", "str | int", none, "a: any"},
			{"a", "'int'", "3", "a: integer = 3"},
			{"a", "Annotated[int, 'a, b']", none, "a: integer"},
			{"a", "Literal['x', 'y']", "'x'", `a: "x" | "y" = "x"`},
			{"a", `Literal["a|b", 'c, d'] | None`, "None", `a?: "a|b" | "c, d"`},
			{"a", "Literal[1, 2]", "1", "a: 1 | 2 = 1"},
			{"a", "Literal['x', Color.RED]", none, "a: any"},
			{"a", "Literal[]", none, "a: any"},
			{"a", "Literal['\u200b']", none, "a: any"},
			{"a", "Customer", none, "a: any"},
			{"a", "int[", none, "a: integer"},
			{"a", "]]", none, "a: any"},
			{"a", "|", none, "a: any"},
			{"a", strings.Repeat("list[", 500), none, "a: any"},
			{"api_key", "str", "'s3cret'", "api_key?: string"},
			{"userPassword", "str", "'s3cret'", "userPassword?: string"},
			{"pass_word", "str", "'s3cret'", "pass_word?: string"},
			{"passphrase", "str", "'s3cret'", "passphrase?: string"},
			{"smtp_pass", "str", "'s3cret'", "smtp_pass?: string"},
			{"passengers", "int", "2", "passengers: integer = 2"},
		} {
			v := sandbox.Variable{Name: c.name, Type: c.annotation, Default: &c.value}
			if c.value == none {
				v.Default = nil
			}
			if _, got := f.look(v); got != c.want {
				t.Errorf("%s: %s = %s is %q, want %q", c.name, c.annotation, c.value, got, c.want)
			}
		}
	})
}

func TestCheck(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		id, signature := f.look(
			sandbox.Variable{Name: "site", Type: "str"},
			sandbox.Variable{Name: "count", Type: "int", Default: new("3")},
			sandbox.Variable{Name: "share", Type: "float | None", Default: new("None")},
			sandbox.Variable{Name: "deep", Type: "bool", Default: new("False")},
			sandbox.Variable{Name: "tags", Type: "list[str]", Default: new("None")},
			sandbox.Variable{Name: "filter", Type: "dict", Default: new("None")},
			sandbox.Variable{Name: "order", Type: "Literal['up', 'down']", Default: new("'up'")},
			sandbox.Variable{Name: "other", Type: "Thing", Default: new("None")},
		)
		for _, c := range []struct{ variables, want string }{
			{`{"site":"a"}`, ""},
			{`{"site":1,"count":"5","share":"0.5","deep":"True","tags":"[]","filter":"{}","order":"down","other":{"x":1}}`, ""},
			{`{"site":true,"count":5.0,"share":1,"deep":true,"tags":[1],"filter":{},"other":[]}`, ""},
			{`{"site":"","count":null,"share":null,"order":null}`, ""},
			{``, "site is missing"},
			{`{}`, "site is missing"},
			{`{"site":null}`, "site must be a text and is null"},
			{`{"site":{"a":1}}`, "site must be a text and is an object"},
			{`{"site":"a","cuont":1}`, `there is no variable "cuont"`},
			{`{"Site":"a"}`, `site is missing; there is no variable "Site"`},
			{`{"site":"a","count":"many"}`, `count must be a whole number and is "many"`},
			{`{"site":"a","count":1.5}`, "count must be a whole number and is 1.5"},
			{`{"site":"a","count":true}`, "count must be a whole number and is true"},
			{`{"site":"a","count":[1]}`, "count must be a whole number and is a list"},
			{`{"site":"a","count":""}`, `count must be a whole number and is ""`},
			{`{"site":"a","share":"x"}`, `share must be a number and is "x"`},
			{`{"site":"a","deep":"maybe"}`, `deep must be true or false and is "maybe"`},
			{`{"site":"a","tags":{}}`, "tags must be a list and is an object"},
			{`{"site":"a","filter":[]}`, "filter must be an object and is a list"},
			{`{"site":"a","order":"left"}`, `order must be one of up, down and is "left"`},
		} {
			_, known, err := f.Check(t.Context(), f.client, id, json.RawMessage(c.variables))
			if want := `The variables do not fit the function "f", which takes ` + signature + ": " + c.want; !known || (err == nil) != (c.want == "") || err != nil && err.Error() != want {
				t.Errorf("%s: %v, %v\nwant %s", c.variables, known, err, want)
			}
		}
	})
}

// A function is asked for again before a run is refused, and again when it is older
// than a minute. Without an answer the run goes ahead.
func TestCheckAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		id, _ := f.look(sandbox.Variable{Name: "a"})
		check := func(name string, requests int, wantKnown bool, wantErr string) {
			t.Helper()
			before := len(f.notte.Requests())
			_, known, err := f.Check(t.Context(), f.client, id, json.RawMessage(fmt.Sprintf(`{%q:1}`, name)))
			n := len(f.notte.Requests()) - before
			if known != wantKnown || n != requests || (err == nil) != (wantErr == "") || err != nil && !strings.Contains(err.Error(), wantErr) {
				t.Errorf("%s: %v, %v, %d requests", name, known, err, n)
			}
		}
		check("a", 0, true, "")
		check("b", 1, true, `no variable "b"`)
		f.notte.UpdateFunction(id, func(n *sandbox.Function) { n.Variables = []sandbox.Variable{{Name: "b"}} })
		check("b", 1, true, "")
		check("b", 0, true, "")
		f.notte.UpdateFunction(id, func(n *sandbox.Function) { n.Variables[0].Name = "c" })
		<-time.After(time.Minute)
		check("b", 1, true, `takes c: any: c is missing; there is no variable "b"`)
		for _, steps := range [][]sandbox.Step{{sandbox.Reset()}, {sandbox.Delay(time.Hour)}, {sandbox.Status(500, "text/plain", "x")}} {
			f.notte.Fault("GET", "/functions/{id}", steps...)
			before := time.Now()
			_, known, err := f.Check(t.Context(), f.client, id, json.RawMessage(`{"b":1}`))
			if known || err != nil || time.Since(before) > 3*time.Second {
				t.Errorf("without an answer: %v, %v after %v", known, err, time.Since(before))
			}
		}
	})
}

// Variables that cannot be told exactly are not checked.
func TestCheckUnclear(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		var many []sandbox.Variable
		for i := range 65 {
			many = append(many, sandbox.Variable{Name: fmt.Sprint("v", i)})
		}
		for _, variables := range [][]sandbox.Variable{many, {{Name: "\u202ea"}}, {{Name: strings.Repeat("a", 65)}}} {
			id, _ := f.look(variables...)
			if got, known, err := f.Check(t.Context(), f.client, id, json.RawMessage(`{"x":1}`)); !got.Unclear || !known || err != nil {
				t.Errorf("%v, %v, %v", got.Unclear, known, err)
			}
		}
	})
}
