package e2e_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// serveWith starts a server of either transport with variables and flags, and connects
// to it.
func serveWith(t *testing.T, transport string, e era, url string, env []string, flags ...string) (*conn, *process) {
	t.Helper()
	if transport == "http" {
		s := newHTTPServer(t, url, env, flags...)
		return s.connect(t, e), s.process
	}
	h := newHostWith(t, url, env, flags...)
	return h.connect(e), h.process
}

// checkUnfit checks that a server lists its tools, answers each call with all the
// words, and asks Notte for nothing.
func checkUnfit(t *testing.T, api *service, c *conn, words ...string) {
	t.Helper()
	var listed struct{ Tools []struct{ Name string } }
	if m := c.answer(c.request("tools/list", nil)); json.Unmarshal(m.Result, &listed) != nil || len(listed.Tools) < 8 {
		t.Errorf("tools/list was answered with %s", m.Result)
	}
	for tool, arguments := range map[string]args{
		"build_automation": {"query": "a build"}, "run_function": {"function_id": "fn"}, "list_builds": {},
	} {
		out := c.outcome(c.call(tool, arguments))
		for _, word := range append(words, "starts nothing", "restart") {
			if !out.isError || !strings.Contains(out.text, word) {
				t.Errorf("%s was answered with %s, which lacks %q", tool, out.text, word)
			}
		}
		if strings.Count(out.text, words[0]) > 1 || strings.Contains(out.text, "hunter2") {
			t.Errorf("%s was answered with %s, which repeats itself or a password", tool, out.text)
		}
	}
	if n := len(api.Requests()); n != 0 {
		t.Errorf("Notte got %d requests", n)
	}
}

// checkFit checks that a server builds.
func checkFit(t *testing.T, c *conn) {
	t.Helper()
	if out := c.outcome(c.build("a build")); out.Status != "done" {
		t.Errorf("a build was answered with %s", out.text)
	}
}

// A key with something around it is used. A key that cannot be one is told by each call
// of a server, and never sent.
func TestKeyInTheEnvironment(t *testing.T) {
	skipManyProcesses(t)
	for _, test := range []struct{ situation, value, told string }{
		{"plain", apiKey, ""},
		{"Docker's env file", `"` + apiKey + `"`, ""},
		{"quotes in quotes", `'"` + apiKey + `"'`, ""},
		{"typographic quotes", "“" + apiKey + "”", ""},
		{"pasted with a line end", apiKey + "\r\n", ""},
		{"byte order mark and no-break spaces", "\ufeff\u00a0" + apiKey + "\u00a0", ""},
		{"as a header has it", "Bearer " + apiKey, ""},
		{"a whole header", "Authorization: bearer " + apiKey, ""},
		{"a line of a shell", `export NOTTE_API_KEY="` + apiKey + `";`, ""},
		{"the name twice", "NOTTE_API_KEY=" + apiKey, ""},
		{"a member of a JSON object", `"NOTTE_API_KEY": "` + apiKey + `",`, ""},

		{"a host expands nothing", "${NOTTE_API_KEY}", "NOTTE_API_KEY holds a placeholder (${…}), which the host or shell passed on as it stands"},
		{"a bundle's optional field", "${user_config.api_key}", "a placeholder (${…})"},
		{"a placeholder in quotes", `"${NOTTE_API_KEY}"`, "a placeholder (${…})"},
		{"a placeholder in a header", "Bearer ${NOTTE_API_KEY}", "a placeholder (${…})"},
		{"a shell's variable", "$NOTTE_API_KEY", "a placeholder ($NAME)"},
		{"a variable of Windows", "%NOTTE_API_KEY%", "a placeholder (%NAME%)"},
		{"brackets", "<your key>", "a placeholder (<…>)"},
		{"the key in brackets", "<" + apiKey + ">", "a placeholder (<…>)"},
		{"JavaScript", "undefined", "a placeholder (undefined)"},
		{"an example", "YOUR_API_KEY", "a placeholder (the text of an example)"},
		{"words", "your api key here", "a placeholder (the text of an example)"},
		{"the README", "…", "a placeholder (a text that is cut or masked)"},
		{"two lines", apiKey + "\nANYTHING_MCP_WAIT=5", "NOTTE_API_KEY holds characters that no key has"},
		{"a letter beyond ASCII", apiKey + "é", "NOTTE_API_KEY holds characters that no key has"},
		{"two words", "my key", "NOTTE_API_KEY holds characters that no key has"},
	} {
		t.Run(test.situation, func(t *testing.T) {
			t.Parallel()
			for transport, e := range map[string]era{"stdio": legacy, "http": modern} {
				api, url := newSandbox(t)
				c, _ := serveWith(t, transport, e, url, []string{"NOTTE_API_KEY=" + test.value})
				if test.told == "" {
					checkFit(t, c)
				} else {
					checkUnfit(t, api, c, test.told, "console.notte.cc")
				}
			}
		})
	}
}

// A missing key is told in words of its own.
func TestNoKeyInTheEnvironment(t *testing.T) {
	for _, value := range []string{"", " ", `""`, "\ufeff"} {
		_, url := newSandbox(t)
		c, _ := serveWith(t, "stdio", modern, url, []string{"NOTTE_API_KEY=" + value})
		if out := c.outcome(c.build("a build")); !out.isError || !strings.HasPrefix(out.text, "No Notte API key is set") {
			t.Errorf("with the key %q a build was answered with %s", value, out.text)
		}
	}
}

// Settings from the configuration of a host. What cannot be read is told by each call
// if it guards money or access, and otherwise by the log.
func TestSettingsOfAHost(t *testing.T) {
	skipManyProcesses(t)
	for _, test := range []struct {
		setting string // or a flag
		told    string // by calls; empty: they build
		logged  string
	}{
		{"ANYTHING_MCP_WAIT=${user_config.wait}", "", "counts as not set"},
		{"ANYTHING_MCP_WAIT=", "", "counts as not set"},
		{"ANYTHING_MCP_WAIT=soon", "", "the default is used"},
		{"ANYTHING_MCP_WAIT='45s'", "", ""},
		{"ANYTHING_MCP_WAIT=ANYTHING_MCP_WAIT=45", "", ""},
		{"ANYTHING_MCP_LOG_FORMAT=JSON", "", ""},
		{"ANYTHING_MCP_LOG_FORMAT=xml", "", "the default is used"},
		{"ANYTHING_MCP_LOG_LEVEL=INFO", "", ""},
		{"ANYTHING_MCP_LOG_LEVEL=loud", "", "the default is used"},
		{"ANYTHING_MCP_TASKS=false", "", ""},
		{"ANYTHING_MCP_TASKS=maybe", "", "the default is used"},
		{"ANYTHING_MCP_KEEP=90d", "", ""},
		{"ANYTHING_MCP_KEEP=for ever", "ANYTHING_MCP_KEEP", ""},
		{"ANYTHING_MCP_REUSE_WINDOW=2 weeks", "", ""},
		{"ANYTHING_MCP_BUILD_TIMEOUT=a while", "ANYTHING_MCP_BUILD_TIMEOUT", ""},

		{"ANYTHING_MCP_DAILY_BUDGET=$5", "", ""},
		{"ANYTHING_MCP_DAILY_BUDGET=\"5 USD\"", "", ""},
		{"ANYTHING_MCP_DAILY_BUDGET=", "", "counts as not set"},
		{"ANYTHING_MCP_DAILY_BUDGET=${user_config.budget}", "ANYTHING_MCP_DAILY_BUDGET holds a placeholder (${user_config.budget})", ""},
		{"ANYTHING_MCP_DAILY_BUDGET=null", "ANYTHING_MCP_DAILY_BUDGET holds a placeholder (null)", ""},
		{"ANYTHING_MCP_MAX_CONCURRENT_BUILDS=$MOST", "ANYTHING_MCP_MAX_CONCURRENT_BUILDS holds a placeholder", ""},
		{"ANYTHING_MCP_SANDBOX=${user_config.sandbox}", "ANYTHING_MCP_SANDBOX holds a placeholder", ""},
		{"NOTTE_API_URL=%URL%", "NOTTE_API_URL holds a placeholder (%URL%)", ""},
		{"NOTTE_API_URL=${URL:-https://user:hunter2@h}", "NOTTE_API_URL holds a placeholder (${…})", ""},
		{"ANYTHING_MCP_BUILD_TIMEOUT=${T}", "", "counts as not set"},
		{"ANYTHING_MCP_DAILY_BUDGET=five", `invalid value "five" for ANYTHING_MCP_DAILY_BUDGET: it must be a number from 0`, ""},
		{"ANYTHING_MCP_DAILY_BUDGET=5x", `invalid value "5x"`, ""},
		{"ANYTHING_MCP_DAILY_BUDGET=-5", `invalid value "-5"`, ""},
		{"ANYTHING_MCP_DAILY_BUDGET=1,000", `invalid value "1,000"`, ""},
		{"ANYTHING_MCP_DAILY_BUDGET=<5>", `invalid value "<5>"`, ""},
		{"ANYTHING_MCP_DAILY_BUDGET=5 ${currency}", `invalid value "5 ${currency}"`, ""},
		{"ANYTHING_MCP_MAX_CONCURRENT_BUILDS=2.5", "ANYTHING_MCP_MAX_CONCURRENT_BUILDS: it must be a whole number from 0", ""},
		{"ANYTHING_MCP_MAX_CALLS=0", "ANYTHING_MCP_MAX_CALLS: it must be a whole number from 1", ""},
		{"ANYTHING_MCP_SANDBOX=perhaps", "ANYTHING_MCP_SANDBOX: it must be true or false", ""},
		{"ANYTHING_MCP_SANDBOX=OFF", "", ""},
		{"NOTTE_API_URL=api.notte.cc", "NOTTE_API_URL is not a usable base URL", ""},
		{"NOTTE_ANYTHING_URL=https://user:hunter2@h", "NOTTE_ANYTHING_URL is not a usable base URL", ""},

		{"--wait=${user_config.wait}", "", "the flag counts as not given"},
		{"--daily-budget=${user_config.budget}", "--daily-budget holds a placeholder", ""},
		{"--keep=90d", "", ""},
		{"--wait=soon", "", "the default is used"},
		{"--wait=", "", "the default is used"},
		{"--daily-budget=five", `invalid argument "five" for "--daily-budget" flag: it must be a number from 0`, ""},
		{"--sandbox=perhaps", `"--sandbox" flag: it must be true or false`, ""},
		{"--api-url=https://user:hunter2@h", "--api-url is not a usable base URL", ""},
		{"--state-dir=~nobody/state", `the directory "~nobody/state" in --state-dir cannot be used`, ""},
	} {
		t.Run(test.setting, func(t *testing.T) {
			t.Parallel()
			for _, e := range bothEras {
				api, url := newSandbox(t)
				var env, flags []string
				if strings.HasPrefix(test.setting, "--") {
					flags = []string{test.setting}
				} else {
					env = []string{test.setting}
				}
				c, p := serveWith(t, "stdio", e, url, env, flags...)
				if test.told == "" {
					checkFit(t, c)
				} else {
					checkUnfit(t, api, c, test.told)
				}
				if test.logged != "" {
					p.stderr.await(t, "a warning", hasAll(test.logged))
				}
				if strings.Contains(p.stderr.String(), "hunter2") {
					t.Error("the log repeats a password")
				}
			}
		})
	}
}

// A command line that cannot be read is told by each call. It may have the key, which
// is not repeated.
func TestCommandLineOfAHost(t *testing.T) {
	skipManyProcesses(t)
	for _, test := range []struct{ line, told string }{
		{"stdio --sandbx", "unknown flag: --sandbx (did you mean --sandbox"},
		{"stdio -sandbox", "unknown flag: -sandbox (did you mean --sandbox"},
		{"stdio --notte-api-key=hunter2", "unknown flag: --notte-api-key."},
		{"stdio -key=hunter2", "unknown flag: -key=… (did you mean"},
		{"stdio --daily-budget", "flag needs an argument: --daily-budget."},
		{"stdio sandbox", `unknown command "sandbox" for "anything-mcp stdio" (did you mean --sandbox`},
		{"stdio NOTTE_API_KEY=hunter2", `unknown command "NOTTE_API_KEY=…"`},
		{"stdio Xhunter2", `unknown command "Xhun…"`},
		{"--sandbx", "unknown flag: --sandbx"},
		{"stido --sandbox", `unknown command "stido" for "anything-mcp" (did you mean stdio?)`},
		{"serve", `unknown command "serve" for "anything-mcp".`},
	} {
		t.Run(test.line, func(t *testing.T) {
			t.Parallel()
			api, url := newSandbox(t)
			h := startHost(t, url, nil, strings.Fields(test.line)...)
			checkUnfit(t, api, h.connect(legacy), test.told)
			if strings.Contains(h.stderr.String(), "hunter2") {
				t.Error("the log repeats what may be a secret")
			}
			h.stop()
		})
	}
}

// A sandbox that is asked for in any words takes no key and bills nothing.
func TestSandboxOfAHost(t *testing.T) {
	skipManyProcesses(t)
	for _, value := range []string{"on", "ON", "yes", "1", "'true'", "“true”", "ANYTHING_MCP_SANDBOX=1", "true\r\n"} {
		api, url := newSandbox(t)
		c, _ := serveWith(t, "stdio", legacy, url, []string{"ANYTHING_MCP_SANDBOX=" + value, "ANYTHING_MCP_SANDBOX_SPEED=0", "NOTTE_API_KEY=${NOTTE_API_KEY}", "NOTTE_API_URL=nonsense"})
		checkFit(t, c)
		if n := len(api.Requests()); n != 0 {
			t.Errorf("with %s Notte got %d requests", value, n)
		}
	}
}

// Where builds are kept, by the value of ANYTHING_MCP_STATE_DIR. ROOT stands for a
// directory that the test makes, HOME below it for the user's home, and DEFAULT for
// where the state is without the variable.
func TestStateDirOfAHost(t *testing.T) {
	skipManyProcesses(t)
	for _, test := range []struct {
		value string
		want  string // the directory of the database; empty: none
		told  string // by calls
	}{
		{"", "DEFAULT", ""},
		{"${user_config.dir}", "DEFAULT", ""},
		{"$STATE_DIR", "DEFAULT", ""},
		{"%LOCALAPPDATA%", "DEFAULT", ""},
		{"undefined", "DEFAULT", ""},
		{"~/amcp", "HOME/amcp", ""},
		{"'~/a mcp'", "HOME/a mcp", ""},
		{"~", "HOME", ""},
		{"ROOT/100%25 $HOME #1?x=${y}'", "ROOT/100%25 $HOME #1?x=${y}'", ""},
		{`"ROOT/quoted"`, "ROOT/quoted", ""},
		{"ROOT/line\r\n", "ROOT/line", ""},
		{"memory", "", ""},
		{"MEMORY", "", ""},
		{`"Memory"`, "", ""},
		{"state", "", `the directory "state" in ANYTHING_MCP_STATE_DIR cannot be used`},
		{"./state", "", `the directory "./state" in ANYTHING_MCP_STATE_DIR cannot be used`},
		{"../state", "", `the directory "../state" in ANYTHING_MCP_STATE_DIR cannot be used`},
		{"a ${b}", "", `the directory "a ${b}" in ANYTHING_MCP_STATE_DIR cannot be used`},
		{"~nobody/state", "", `the directory "~nobody/state" in ANYTHING_MCP_STATE_DIR cannot be used`},
	} {
		t.Run(test.value, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			home := filepath.Join(root, "home")
			if err := os.Mkdir(home, 0o700); err != nil {
				t.Fatal(err)
			}
			where := strings.NewReplacer("ROOT", root, "HOME", home, "DEFAULT", filepath.Join(root, "xdg", "anything-mcp"))
			if strings.HasPrefix(test.value, "ROOT/100") {
				where = strings.NewReplacer("ROOT", root) // HOME is part of the name
			}
			api, url := newSandbox(t)
			h := newHostWith(t, url, []string{
				"HOME=" + home, "USERPROFILE=" + home, "XDG_STATE_HOME=" + filepath.Join(root, "xdg"),
				"ANYTHING_MCP_STATE_DIR=" + where.Replace(test.value),
			})
			c := h.connect(modern)
			if test.told == "" {
				checkFit(t, c)
			} else {
				checkUnfit(t, api, c, test.told)
			}
			h.stop()
			var found []string
			filepath.WalkDir(root, func(path string, _ os.DirEntry, _ error) error {
				if filepath.Base(path) == "jobs.db" {
					found = append(found, filepath.Dir(path))
				}
				return nil
			})
			if got := strings.Join(found, " "); got != filepath.FromSlash(where.Replace(test.want)) {
				t.Errorf("the database is in %q, want %q", got, where.Replace(test.want))
			}
		})
	}
}
