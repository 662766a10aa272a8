package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/tidwall/gjson"
)

const (
	query   = "fetch the top 3 hacker news posts"
	command = `anything-mcp build --sandbox "` + query + `"`
	columns = 100 // of the terminal
)

// record records the program whose source is in the working directory.
func record() (*txtar.Archive, error) {
	dir, err := os.MkdirTemp("", "anything-mcp-pictures-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "anything-mcp"), ".").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the program: %w\n%s", err, out)
	}
	terminal := exec.Command("script", "-qefc", fmt.Sprintf("stty cols %d; %s", columns, command), "/dev/null")
	terminal.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "TERM=xterm", "ANYTHING_MCP_STATE_DIR="+dir)
	screen, err := terminal.Output()
	if err != nil {
		return nil, fmt.Errorf("running %s: %w", command, err)
	}
	chat, err := talk(exec.Command(filepath.Join(dir, "anything-mcp"), "stdio", "--sandbox", "--state-dir="+filepath.Join(dir, "chat")))
	return &txtar.Archive{
		Comment: []byte("Recorded by go run ./docs/pictures -record. ␛ is an escape character.\n"),
		Files: []txtar.File{
			{Name: "terminal", Data: withoutTokens("$ " + command + "\n" + strings.ReplaceAll(erased.ReplaceAllString(string(screen), ""), "\x1b", "␛"))},
			{Name: "chat", Data: withoutTokens(chat)},
		},
	}, err
}

// erased is what does not stay on the terminal: the status line, and the end of line
// that a terminal adds.
var erased = regexp.MustCompile(`(?m)^.*\r\x1b\[K|\r$`)

var token = regexp.MustCompile(`token=[0-9a-f]+`)

// withoutTokens removes the tokens of viewer links, which are secrets.
func withoutTokens(text string) []byte { return []byte(token.ReplaceAllString(text, "token=…")) }

// talk has a server build an automation and run it, as a host does, and returns the
// lines of both: the host's begin with "> ", the server's with "< ".
func talk(server *exec.Cmd) (string, error) {
	in, err := server.StdinPipe()
	if err != nil {
		return "", err
	}
	out, err := server.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := server.Start(); err != nil {
		return "", err
	}
	defer server.Wait()
	defer in.Close()
	lines := bufio.NewScanner(out)
	var said strings.Builder
	ask := func(id int, method, params string) (answer gjson.Result) {
		request := fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":%q,"params":%s}`, id, method, params)
		fmt.Fprintln(in, request)
		fmt.Fprintln(&said, "> "+request)
		for !answer.Get("id").Exists() && lines.Scan() {
			fmt.Fprintln(&said, "< "+lines.Text())
			answer = gjson.Parse(lines.Text())
		}
		return answer
	}
	ask(0, "initialize", `{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"pictures","version":"1"}}`)
	said.Reset() // the picture begins with the first call
	built := ask(1, "tools/call", fmt.Sprintf(`{"name":"build_automation","arguments":{"query":%q},"_meta":{"progressToken":1}}`, query))
	id := built.Get("result.structuredContent.function_id").String()
	ran := ask(2, "tools/call", fmt.Sprintf(`{"name":"run_function","arguments":{"function_id":%q,"variables":{"count":3}},"_meta":{"progressToken":2}}`, id))
	if !ran.Get("result.structuredContent.ok").Bool() {
		return "", fmt.Errorf("the conversation failed:\n%s", &said)
	}
	return said.String(), nil
}
