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

// stdioServer is a running server and its host's ends of the pipes. At any time
// at most one goroutine may send and one, perhaps the same, may read.
type stdioServer struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	nextID int
}

// startStdio starts a server and does the handshake. It returns when the answer has
// been read. The server's jobs are kept in state: a directory, or inMemory.
func (l *lab) startStdio(ctx context.Context, c contender, state string) (*stdioServer, error) {
	cmd := l.command(ctx, c, "", state)
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
	s := &stdioServer{cmd: cmd, in: in, out: bufio.NewReaderSize(out, 64<<10)}
	_, err = s.request("initialize", handshake(), nil)
	if err == nil {
		_, err = io.WriteString(in, `{"jsonrpc":"2.0","method":"notifications/initialized"}`+"\n")
	}
	if err != nil {
		kill(cmd)
		return nil, err
	}
	return s, nil
}

// inMemory is the state directory of a server that stores nothing on disk.
const inMemory = "memory"

// handshake returns the parameters of initialize.
func handshake() map[string]any {
	return map[string]any{
		"protocolVersion": "2025-11-25",
		"capabilities":    map[string]any{},
		"clientInfo":      map[string]any{"name": "bench", "version": "1"},
	}
}

// request sends one request and returns the next answer, whole. It passes each
// notification before it to note, which may be nil.
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

// answer returns the next answer, to whichever request. It passes each
// notification before it to note, which may be nil.
func (s *stdioServer) answer(method string, note func(line []byte)) ([]byte, error) {
	for {
		line, notification, err := s.next()
		if err != nil {
			return nil, fmt.Errorf("waiting for the answer to %s: %w", method, err)
		}
		if !notification {
			return line, nil
		}
		if note != nil {
			note(line)
		}
	}
}

// next returns the next line and reports whether it is a notification. It looks
// only at the line's beginning, because an answer can be long.
func (s *stdioServer) next() (line []byte, notification bool, err error) {
	line, err = s.out.ReadBytes('\n')
	return line, bytes.Contains(line[:min(len(line), 64)], []byte(`"method":`)), err
}

// stop closes stdin and waits for the server to exit.
func (s *stdioServer) stop() error {
	s.in.Close()
	return s.cmd.Wait()
}

// buildCall returns the parameters of a tools/call that starts a new build,
// waits for its end and asks for progress.
func buildCall(query string, token int) map[string]any {
	return toolCall("build_automation", map[string]any{"query": query, "wait_seconds": 3600, "force_new": true}, token)
}

// toolCall returns the parameters of a tools/call that asks for progress.
func toolCall(tool string, arguments map[string]any, token int) map[string]any {
	return map[string]any{"name": tool, "arguments": arguments, "_meta": map[string]any{"progressToken": token}}
}

// buildOutput has the fields of a tool's structured output that are looked at.
type buildOutput struct {
	BuildID    string `json:"build_id"`
	Status     string `json:"status"`
	Joined     bool   `json:"joined"`
	FunctionID string `json:"function_id"`
	Builds     []struct {
		Query string `json:"query"`
	} `json:"builds"`
}

// readOutput returns the structured output of a tool from the answer to its
// call.
func readOutput(answer []byte) (buildOutput, error) {
	var a struct {
		Result struct {
			Structured buildOutput `json:"structuredContent"`
		} `json:"result"`
	}
	err := json.Unmarshal(answer, &a)
	return a.Result.Structured, err
}

// checkDone returns an error unless the answer is that of a new build which read
// its stream to the end.
func checkDone(answer []byte, function string) error {
	out, err := readOutput(answer)
	if err != nil || out.Status != "done" || out.Joined || out.FunctionID != function {
		return fmt.Errorf("a new build did not end as scripted: %.300s", answer)
	}
	return nil
}
