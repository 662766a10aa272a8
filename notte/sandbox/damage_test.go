package sandbox_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

func TestDamagedFile(t *testing.T) {
	head := `{"format":1,"change":"x"}` + "\n"
	for name, data := range map[string]string{
		"empty":                       "",
		"no JSON":                     "hello\n{}",
		"no content":                  head,
		"cut":                         head + `{"functions":[{"ID":"f","Vers`,
		"another type":                head + `{"functions":7}`,
		"format 0":                    "{}\n{}",
		"function without ID":         head + `{"functions":[{"Versions":["1"]}]}`,
		"function without versions":   head + `{"functions":[{"ID":"f"}]}`,
		"null among the threads":      head + `{"threads":[null]}`,
		"thread without ID":           head + `{"threads":[{}]}`,
		"upload without function":     head + `{"threads":[{"ID":"t","Turn":{"Upload":"2000-01-01T00:00:00Z"}}]}`,
		"started run without outcome": head + `{"runs":[{"ID":"r","Started":"2000-01-01T00:00:00Z"}]}`,
		"long first line":             strings.Repeat(" ", 5000) + head + "{}",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "sandbox.json")
			if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
				t.Fatal(err)
			}
			s := sandbox.New(sandbox.WithFile(path))
			defer s.Close()
			if all := functions(t, s); len(all) != 0 {
				t.Errorf("got %v", all)
			}
			if kept, err := os.ReadFile(path + ".damaged"); err != nil || string(kept) != data {
				t.Errorf("moved aside: %q, %v", kept, err)
			}
			s.AddFunction(sandbox.Function{})
			again := sandbox.New(sandbox.WithFile(path))
			defer again.Close()
			if n := len(functions(t, again)); n != 1 || s.FileError() != nil {
				t.Errorf("%d functions, %v", n, s.FileError())
			}
		})
	}
}

// FuzzFile checks that no content of the file stops the Server.
func FuzzFile(f *testing.F) {
	for _, content := range []string{
		`{}`,
		`{"functions":[{"ID":"f","Versions":["x"],"Run":{"Logs":["a"],"After":-1}}]}`,
		`{"functions":[{"ID":"f","Versions":["1"]}],"runs":[{"ID":"r","FunctionID":"f","Started":"2000-01-01T00:00:00Z","Outcome":{"Logs":["a"]}}]}`,
		`{"threads":[{"ID":"t","Turn":{"FunctionID":"f","Query":"a","Upload":"2000-01-01T00:00:00Z"}}]}`,
	} {
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content string) {
		path := filepath.Join(t.TempDir(), "sandbox.json")
		if err := os.WriteFile(path, []byte(`{"format":1,"change":"x"}`+"\n"+content), 0o600); err != nil {
			t.Fatal(err)
		}
		s := sandbox.New(sandbox.WithAPI(sandbox.V2), sandbox.WithFile(path), sandbox.WithSpeed(0), sandbox.WithSeed(1))
		defer s.Close()
		for _, r := range []*http.Request{
			request(t.Context(), "GET", "/functions", ""),
			request(t.Context(), "GET", "/functions/f", ""),
			request(t.Context(), "GET", "/functions/f/runs?only_active=false", ""),
			request(t.Context(), "DELETE", "/functions/f/runs/r", ""),
			turn{Query: "and more", ThreadID: "t"}.request(t.Context()),
			buildRequest(t.Context(), news),
			request(t.Context(), "GET", "/threads/t", ""),
		} {
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if w.Code >= 500 {
				t.Errorf("%s %s: %d %s", r.Method, r.URL, w.Code, w.Body)
			}
		}
	})
}
