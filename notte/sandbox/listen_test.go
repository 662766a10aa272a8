package sandbox_test

import (
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

func TestListen(t *testing.T) {
	l, err := sandbox.Listen("127.0.0.1:0", sandbox.WithSpeed(0))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for name, client := range map[string]*http.Client{"over TCP": http.DefaultClient, "over a pipe": l.Client()} {
		resp, err := client.Get(l.URL + "/health")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", name, resp.Status)
		}
	}

	_, port, _ := net.SplitHostPort(strings.TrimPrefix(l.URL, "http://"))
	if second, err := sandbox.Listen("127.0.0.1:" + port); err == nil {
		second.Close()
		t.Error("two Listeners have the same port")
	}

	l.Close()
	l.Close()
	if _, err := http.Get(l.URL + "/health"); err == nil {
		t.Error("a closed Listener still answers")
	}
}

func TestListenSetsTheViewerURL(t *testing.T) {
	for name, tt := range map[string]struct {
		opts []sandbox.Option
		want string // empty: the Listener's URL
	}{
		"by default": {},
		"unless the caller sets it": {
			opts: []sandbox.Option{sandbox.WithBaseURL("http://viewer.example")},
			want: "http://viewer.example",
		},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := sandbox.Listen("127.0.0.1:0", append(tt.opts, sandbox.WithSpeed(0), sandbox.WithAPI(sandbox.V1))...)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			if tt.want == "" {
				tt.want = l.URL
			}
			link := find(build(t, l.Server, news), "notte_session_data")["viewer_url"].(string)
			if !strings.HasPrefix(link, tt.want+"/viewer/") {
				t.Errorf("viewer URL %s, want one at %s", link, tt.want)
			}
		})
	}
}
