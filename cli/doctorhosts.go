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
	"slices"
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
	started := make(map[string]error) // by what is started: hosts share it
	here := 0
	for _, h := range install.Hosts() {
		if found := h.Find(env, entryName); found.Here {
			d.checkHost(h, found, started)
			here++
		}
	}
	if here == 0 {
		d.add("hosts", fine, "", "none was found on this machine")
	}
}

func (d *doctor) checkHost(h *install.Host, found install.Found, started map[string]error) {
	again := "anything-mcp install " + h.Name
	switch {
	case found.Err != nil:
		d.add(h.Name, problem, "correct the file "+found.File, "%s cannot be read: %v", found.File, found.Err)
		return
	case found.Lost:
		d.add(h.Name, warning, "quit "+h.Title+" fully, then run "+again, "the entry that was installed is no longer in %s", found.File)
		return
	case !found.Installed:
		d.add(h.Name, fine, "", "not installed")
		return
	}
	line := withoutAssigned(strings.Join(found.Command, " ")) + found.URL
	server := fmt.Sprint(found.Command, found.URL, found.Env)
	if _, ok := started[server]; !ok {
		started[server] = d.tryServer(found)
	}
	switch err := started[server]; {
	case errors.Is(err, errUnfit):
		d.add(h.Name, problem, "correct the entry in "+found.File, "%s: %v", line, err)
	case err != nil && found.URL != "":
		d.add(h.Name, problem, "start that server with anything-mcp http, or run "+again, "%s does not answer: %v", line, err)
	case err != nil:
		d.add(h.Name, problem, again, "%s does not answer: %v", line, err)
	default:
		d.add(h.Name, fine, "", "installed, and answers: %s", line)
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
	cmd.Env = slices.Clone(d.env.Environ)
	for _, v := range found.Env {
		if placeholder(v.Value, unexpanded) == "" { // a host replaces it
			cmd.Env = append(cmd.Env, v.Name+"="+v.Value)
		}
	}
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

// errUnfit is the error of a server that starts and refuses all calls.
var errUnfit = errors.New("its settings are wrong")

func checkAnswer(line []byte) error {
	var answer struct {
		Result struct {
			ServerInfo   struct{ Name string }
			Instructions string
		}
	}
	if json.Unmarshal(bytes.TrimSpace(line), &answer) != nil || answer.Result.ServerInfo.Name == "" {
		return errors.New("it does not answer as an MCP server does")
	}
	first, _, _ := strings.Cut(answer.Result.Instructions, "\n")
	if fault, ok := strings.CutPrefix(first, startsNothing); ok {
		return fmt.Errorf("%w: %s", errUnfit, strings.TrimSuffix(fault, howToCorrect))
	}
	return nil
}
