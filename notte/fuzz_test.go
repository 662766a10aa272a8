package notte

import (
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// FuzzV2 reads streams of chunks whole and in pieces, and checks what every
// consumer relies on: one terminal event and only at the end, IDs that are IDs,
// links that are Notte's, and a bound on what is remembered.
func FuzzV2(f *testing.F) {
	files, _ := filepath.Glob("testdata/v2-*.txtar")
	for _, name := range append(files, "testdata/aisdk/ai7.txtar") {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range txtar.Parse(data).Files {
			if strings.HasSuffix(file.Name, "stream") {
				f.Add(string(file.Data), uint8(3))
			}
		}
	}
	for _, s := range []string{
		chunks(`{"type":"text-start","id":"1"}`, textOf("2", "b"), textOf("1", "a"), `{"type":"text-end","id":"2"}`, `{"type":"reset-step"}`, end),
		chunks(`{"type":"data-function","data":[{"id":"f1"},{"function":{"id":"f2"}},"{\"function_id\":\"f3\"}"]}`, finish),
		chunks(`{"type":"data-x","data":"{\"content\":[{\"text\":\"{\\\"workflowId\\\":\\\"f\\\",\\\"viewer_url\\\":\\\"https://notte.cc\\\"}\"}]}"}`, `{"type":"abort"}`),
		chunks(`{"type":"status","status":"a"}`, end, start, `{"type":"error","error":"x"}`, `{"type":"cancelled"}`),
		chunks(`{"type":"finish","messageMetadata":{"cost":"$1","thread_id":"t"}}`, startStep, end),
	} {
		f.Add(s, uint8(200))
	}
	f.Fuzz(func(t *testing.T, stream string, size uint8) {
		if len(stream) > 64<<10 {
			return
		}
		whole, _, wholeErr := joined(strings.NewReader(stream))
		parts, _, partsErr := joined(pieces(stream, int(size)+1))
		if !reflect.DeepEqual(whole, parts) || (wholeErr == nil) != (partsErr == nil) {
			t.Fatalf("at once %v, %v; in pieces of %d %v, %v", whole, wholeErr, size, parts, partsErr)
		}
		for i, ev := range whole {
			last := i == len(whole)-1
			if ev.Terminal() && !(last && wholeErr == nil) || wholeErr == nil && last && !ev.Terminal() {
				t.Errorf("event %d of %d is %s, and the end %v", i, len(whole), ev.Type, wholeErr)
			}
			if ev.FunctionFrom != "" && (!ValidID(ev.FunctionID) || ev.Type != EventFunctionUploaded || len(ev.FunctionName) > maxLabel+len("…")) {
				t.Errorf("%+v", ev)
			}
			if ev.ThreadID != "" && ev.Type == EventThread && !ValidID(ev.ThreadID) {
				t.Errorf("%+v", ev)
			}
			if ev.TotalCostUSD != nil && *ev.TotalCostUSD < 0 {
				t.Errorf("cost %v", *ev.TotalCostUSD)
			}
		}
	})
}

// FuzzSearch searches payloads, and checks that what is found stands in them.
func FuzzSearch(f *testing.F) {
	for _, s := range []string{
		`{"function_id":"f1","name":"top","viewer_url":"https://viewer.notte.cc/1","cost":1}`,
		`[{"workflow":{"id":"f1"}},{"function":{"id":"f1","label":"x"}}]`,
		`"{\"content\":[{\"type\":\"text\",\"text\":\"{\\\"functionId\\\":\\\"f\\\"}\"}]}"`,
		`{"a":{"a":{"a":{"a":{"a":{"a":{"function_id":"f1"}}}}}}}`,
	} {
		f.Add("function", s)
	}
	f.Fuzz(func(t *testing.T, chunk, data string) {
		v, ok := readJSON(data)
		if !ok {
			return
		}
		p := searchPayload(nil, chunk, v)
		if found, ok := p.function(); ok && (!ValidID(found.id) || !strings.Contains(data, found.id) && !strings.Contains(data, `\`)) {
			t.Errorf("function %+v", found)
		}
		if p.viewerURL != "" {
			if u, err := url.Parse(p.viewerURL); err != nil || u.User != nil || len(p.viewerURL) > maxViewerURL {
				t.Errorf("viewer %q", p.viewerURL)
			}
		}
		if p.cost != nil && !(*p.cost >= 0) {
			t.Errorf("cost %v", *p.cost)
		}
	})
}
