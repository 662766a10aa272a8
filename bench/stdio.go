package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
)

// stdioServer is a running server and its host's end of its pipes. One goroutine
// sends to it and one, or the same, reads.
type stdioServer struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	nextID int
}

// startStdio starts the server, which has answered nothing yet, with its jobs in
// state: a directory, or inMemory.
func (l *lab) startStdio(ctx context.Context, state string) (*stdioServer, error) {
	cmd := l.programs.command(ctx, l.programs.server, l.upstream.env(), "stdio", "--state-dir", state)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &stdioServer{cmd: cmd, in: in, out: bufio.NewReaderSize(out, 64<<10)}, nil
}

// inMemory is the state directory of a server that stores nothing.
const inMemory = "memory"

// initialize shakes hands. It returns when the answer has been read.
func (s *stdioServer) initialize() error {
	if _, err := s.request("initialize", handshake(), nil); err != nil {
		return err
	}
	_, err := io.WriteString(s.in, `{"jsonrpc":"2.0","method":"notifications/initialized"}`+"\n")
	return err
}

// handshake is what a host of the older protocol says of itself.
func handshake() map[string]any {
	return map[string]any{
		"protocolVersion": "2025-11-25",
		"capabilities":    map[string]any{},
		"clientInfo":      map[string]any{"name": "bench", "version": "1"},
	}
}

// request sends one request and reads up to its answer, which it returns whole.
// Each notification before it is shown to note, which may be nil.
func (s *stdioServer) request(method string, params any, note func(line []byte)) ([]byte, error) {
	if err := s.send(method, params); err != nil {
		return nil, err
	}
	return s.answer(method, note)
}

// send sends one request.
func (s *stdioServer) send(method string, params any) error {
	s.nextID++
	line, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": s.nextID, "method": method, "params": params})
	if err != nil {
		return err
	}
	_, err = s.in.Write(append(line, '\n'))
	return err
}

// answer reads up to the next answer, whichever request it is to.
func (s *stdioServer) answer(method string, note func(line []byte)) ([]byte, error) {
	for {
		line, err := s.out.ReadBytes('\n')
		if err != nil {
			return nil, fmt.Errorf("waiting for the answer to %s: %w", method, err)
		}
		if bytes.Contains(line[:min(len(line), 64)], []byte(`"method":`)) {
			if note != nil {
				note(line)
			}
			continue
		}
		return line, nil
	}
}

// stop closes stdin and waits for the server to leave.
func (s *stdioServer) stop() error {
	s.in.Close()
	return s.cmd.Wait()
}

// kill ends the server without a warning.
func (s *stdioServer) kill() {
	s.cmd.Process.Kill()
	s.cmd.Wait()
}

// buildCall is what tools/call takes for a build of its own that is waited for
// and whose progress is shown.
func buildCall(query string, token int) map[string]any {
	return map[string]any{
		"name":      "build_automation",
		"arguments": map[string]any{"query": query, "wait_seconds": 3600, "force_new": true},
		"_meta":     map[string]any{"progressToken": token},
	}
}

// checkDone reports an answer that is not that of a new build that went well.
func checkDone(answer []byte) error {
	var a struct {
		Result struct {
			Structured struct {
				Status string `json:"status"`
				Joined bool   `json:"joined"`
			} `json:"structuredContent"`
		} `json:"result"`
	}
	if err := json.Unmarshal(answer, &a); err != nil || a.Result.Structured.Status != "done" || a.Result.Structured.Joined {
		return fmt.Errorf("a new build did not end well: %.300s", answer)
	}
	return nil
}
