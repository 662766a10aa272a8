package e2e_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/anything-mcp/anything-mcp/notte/sandbox"
)

// checkFiles checks that no file below a directory contains a secret.
func checkFiles(t *testing.T, dir string, secrets ...string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		for _, secret := range secrets {
			if i := bytes.Index(data, []byte(secret)); i >= 0 {
				t.Errorf("%s contains a secret at byte %d: %q", filepath.Base(path), i, data[max(0, i-60):i+len(secret)])
			}
		}
		return nil
	})
	if err != nil || files == 0 {
		t.Errorf("%d files were searched: %v", files, err)
	}
}

// signature is the secret part of a link to a function's code.
const signature = "sig-e2e-4e8a17c35b90"

// Builds and runs that have ended leave no secret on disk: not the key, even if
// Notte repeats it, and no link to a viewer or to a function's code. This holds
// while their server runs, after it was killed and after it was stopped.
func TestNoSecretsOnDisk(t *testing.T) {
	inBothContracts(t, func(t *testing.T, api *service, url string) {
		dir := t.TempDir()
		link := "https://viewer.notte.cc/session?a=1&token=" + viewerToken
		code := "https://storage.example/v1.py?X-Amz-Signature=" + signature
		begin := []step{
			viewer(link),
			statusEvent("the key is " + apiKey),
			toolStart(apiKey),
			thinkingDelta("I was given " + apiKey[:5]),
			thinkingDelta(apiKey[5:] + " as a key"),
			viewer(link + "&again"),
			uploaded("", "of "+apiKey, event{"url": code}),
		}
		ends := map[string]step{
			"done":        done(""),
			"error":       failed(apiKey, "Bearer "+apiKey),
			"timeout":     timedOut(apiKey),
			"interrupted": sandbox.Reset(),
			"cancelled":   sandbox.Stall(),
		}
		for status, end := range ends {
			api.Script(status, append(begin, end)...)
		}
		fn := api.AddFunction(sandbox.Function{Run: &sandbox.Outcome{Result: args{"key": apiKey}, Logs: []string{"key: " + apiKey}}})

		work := func(c *conn) {
			for status := range ends {
				id := c.call("build_automation", args{"query": status, "force_new": true})
				if status == "cancelled" {
					c.progress(id, 1)
					for _, b := range c.outcome(c.call("list_builds", args{"status": "running"})).Builds {
						c.outcome(c.call("cancel_build", args{"build_id": b.BuildID}))
					}
				}
				want := status
				if status == "interrupted" {
					want, _ = api.cutAfterFunction()
				}
				if out := c.outcome(id); out.Status != want {
					t.Errorf("a build returned %s, want %s", out.text, want)
				}
			}
			if out := c.outcome(c.call("run_function", args{"function_id": fn})); out.Status != "closed" {
				t.Errorf("the run returned %s", out.text)
			}
		}
		first := newHostIn(t, url, dir)
		c := first.connect(modern)
		work(c)
		checkFiles(t, dir, apiKey, viewerToken, signature)
		work(c)
		first.kill()
		checkFiles(t, dir, apiKey, viewerToken, signature)
		second := newHostIn(t, url, dir)
		work(second.connect(legacy))
		second.stop()
		checkFiles(t, dir, apiKey, viewerToken, signature)
	})
}
