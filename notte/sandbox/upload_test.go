package sandbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// uploadRequest returns a request that uploads source with these further fields.
func uploadRequest(ctx context.Context, path, source string, fields map[string]string) *http.Request {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	file, _ := form.CreateFormFile("file", "posts.py")
	file.Write([]byte(source))
	for name, value := range fields {
		form.WriteField(name, value)
	}
	form.Close()
	r := request(ctx, "POST", path, body.String())
	r.Header.Set("Content-Type", form.FormDataContentType())
	return r
}

// uploaded uploads a source and decodes the answer.
func uploaded(t *testing.T, s *sandbox.Server, path, source string, fields map[string]string) (status int, v map[string]any) {
	t.Helper()
	resp := send(t, s, uploadRequest(t.Context(), path, source, fields))
	if err := json.NewDecoder(resp.Body).Decode(&v); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, v
}

func TestVariablesOfASource(t *testing.T) {
	for source, want := range map[string]string{
		"def run(): pass":                    ``,
		"def other(a): pass":                 ``,
		"  def run(a): pass":                 ``,
		"def runs(a): pass":                  ``,
		"def run(a":                          ``,
		"def run(a): pass":                   `a`,
		"async def run(a:int=3)->list: pass": `a int 3`,
		"x = 1\ndef run(\n    a: str,  # first, of two\n    b = 'x,y', \n)": `a str, b 'x,y'`,
		"def run(a: dict[str, list[int]] = {'k': [1, 2]}, *, b: int): ...":  `a dict[str, list[int]] {'k': [1, 2]}, b int`,
		"def run(a: str | None = None, /, *args, **kwargs): ...":            `a str | None None`,
		"def run(a: Literal['x', \"y=\\\"\"] = f(b=1)): ...":                `a Literal['x', "y=\""] f(b=1)`,
		"def run(größe: int = 1): ...":                                      `größe int 1`,
	} {
		inBubble(t, func(t *testing.T, s *sandbox.Server) {
			_, v := uploaded(t, s, "/functions", source, nil)
			var got []string
			for _, variable := range v["variables"].([]any) {
				v := variable.(map[string]any)
				text := v["name"].(string)
				for _, field := range []string{"type", "default"} {
					if value, ok := v[field].(string); ok {
						text += " " + value
					}
				}
				got = append(got, text)
			}
			if strings.Join(got, ", ") != want {
				t.Errorf("%q\n got %q\nwant %q", source, got, want)
			}
		})
	}
}

func TestCreateAndUpdateFunction(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sandbox.Server) {
		status, f := uploaded(t, s, "/functions", "def run(count: int = 3): pass",
			map[string]string{"name": "n", "description": "d", "shared": "true", "response_format": `{"type":"array"}`})
		if status != 200 || f["name"] != "n" || f["description"] != "d" || f["shared"] != true || f["source"] != "rest-api" || f["latest_version"] != "1" {
			t.Errorf("created %d %v", status, f)
		}
		path := "/functions/" + f["function_id"].(string)
		<-time.After(time.Hour)
		if status, next := uploaded(t, s, path, "def run(user): pass", nil); status != 200 || next["latest_version"] != "2" ||
			fmt.Sprint(next["versions"]) != "[1 2]" || next["created_at"] != f["created_at"] || next["updated_at"] == f["updated_at"] {
			t.Errorf("updated %d %v", status, next)
		}
		if status, same := uploaded(t, s, path+"?version=2", "def run(name): pass", nil); status != 200 || same["latest_version"] != "2" {
			t.Errorf("replaced %d %v", status, same)
		}
		got := ok(t, s, "GET", path, "")
		if fmt.Sprint(got["variables"]) != "[map[default:<nil> name:name type:<nil>]]" || fmt.Sprint(got["response_format"]) != "map[type:array]" {
			t.Errorf("got %v", got)
		}
		if status, v := uploaded(t, s, path+"?version=7", "def run(): pass", nil); status != 404 {
			t.Errorf("an unknown version: %d %v", status, v)
		}
		for name, fields := range map[string]map[string]string{"shared": {"shared": "perhaps"}, "response_format": {"response_format": "{"}} {
			status, v := uploaded(t, s, "/functions", "def run(): pass", fields)
			if loc := fmt.Sprint(v["detail"].([]any)[0].(map[string]any)["loc"]); status != 422 || loc != "[body "+name+"]" {
				t.Errorf("%s: %d %v", name, status, v)
			}
		}
		if status, v := call(t, s, "POST", "/functions", `{}`); status != 422 {
			t.Errorf("without a file: %d %v", status, v)
		}
	}, sandbox.WithSpeed(0))
}

// FuzzUpload checks that no source stops the Server, and that the names of
// variables are words.
func FuzzUpload(f *testing.F) {
	for _, source := range []string{"def run(a: int = 3): pass", "def run(a='", "def run(a: [", "def run(\"\\", "def run(#", "def run(a,,=:=)"} {
		f.Add(source)
	}
	f.Fuzz(func(t *testing.T, source string) {
		s := sandbox.New(sandbox.WithSpeed(0))
		defer s.Close()
		w := httptest.NewRecorder()
		s.ServeHTTP(w, uploadRequest(t.Context(), "/functions", source, nil))
		var v struct{ Variables []sandbox.Variable }
		if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil || w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		for _, variable := range v.Variables {
			if variable.Name == "" || strings.ContainsAny(variable.Name, " \n\t,:=()[]{}'\"*/#") {
				t.Errorf("a variable is called %q", variable.Name)
			}
		}
	})
}
