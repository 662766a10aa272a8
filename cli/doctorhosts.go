package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"time"

	"github.com/anything-mcp/anything-mcp/install"
)

// startTime bounds how long a server may take to answer.
const startTime = 10 * time.Second

// checkHosts checks the entries of the hosts on this machine, and starts what they start.
func (d *doctor) checkHosts() {
	env, err := d.hostEnv(false)
	if err != nil {
		d.add("hosts", warning, "", "%v", err)
		return
	}
	started := make(map[string]error) // by command line: hosts share it
	here := 0
	for _, h := range install.Hosts() {
		found := h.Find(env, entryName)
		if !found.Here {
			continue
		}
		here++
		again := "anything-mcp install " + h.Name
		restart := again
		if found.URL != "" {
			restart = "start that server with anything-mcp http, or run " + again
		}
		switch {
		case found.Err != nil:
			d.add(h.Name, problem, "correct the file "+found.File, "%s cannot be read: %v", found.File, found.Err)
			continue
		case found.Lost:
			d.add(h.Name, warning, "quit "+h.Title+" fully, then run "+again, "the entry that was installed is no longer in %s", found.File)
			continue
		case !found.Installed:
			d.add(h.Name, fine, "", "not installed")
			continue
		}
		line := strings.Join(found.Command, " ") + found.URL
		if _, ok := started[line]; !ok {
			started[line] = d.tryServer(found)
		}
		if err := started[line]; err != nil {
			d.add(h.Name, problem, restart, "%s does not answer: %v", line, err)
		} else {
			d.add(h.Name, fine, "", "installed, and answers: %s", line)
		}
	}
	if here == 0 {
		d.add("hosts", fine, "", "none was found on this machine")
	}
}

// initialize is the first message of a host.
const initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"anything-mcp doctor","version":"1"}}}`

// tryServer starts the server of an entry, or calls it at its URL, and waits for its
// first answer.
func (d *doctor) tryServer(found install.Found) error {
	ctx, cancel := context.WithTimeout(d.ctx, startTime)
	defer cancel()
	if found.URL != "" {
		return tryURL(ctx, found.URL)
	}
	if len(found.Command) == 0 {
		return errors.New("the entry names no command")
	}
	if _, err := exec.LookPath(found.Command[0]); err != nil {
		return errors.New("there is no such program")
	}
	cmd := exec.CommandContext(ctx, found.Command[0], found.Command[1:]...)
	cmd.Env = d.env.Environ
	cmd.WaitDelay = time.Second
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	defer cmd.Wait()
	defer cancel()
	defer stdin.Close()
	io.WriteString(stdin, initialize+"\n")
	line, err := bufio.NewReader(io.LimitReader(stdout, 1<<20)).ReadBytes('\n')
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("it did not answer within %v", startTime)
	case err != nil:
		return errors.New("it ended without an answer")
	}
	return checkAnswer(line)
}

func tryURL(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(initialize))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	resp, err := http.DefaultClient.Do(req)
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err // does not repeat the URL
	}
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusUnauthorized { // the host has the token
		return fmt.Errorf("it answers with %s", resp.Status)
	}
	return nil
}

func checkAnswer(line []byte) error {
	var answer struct {
		Result struct{ ServerInfo struct{ Name string } }
	}
	if json.Unmarshal(bytes.TrimSpace(line), &answer) != nil || answer.Result.ServerInfo.Name == "" {
		return errors.New("it does not answer as an MCP server does")
	}
	return nil
}
