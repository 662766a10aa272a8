package main

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
	"os"
	"os/exec"
	"strings"
	"time"
)

// httpServer is a running server, or the relay, that serves HTTP.
type httpServer struct {
	cmd *exec.Cmd
	url string // without a path
}

// startHTTP starts a server on a port that was free a moment before. It returns
// when the server accepts connections.
func (l *lab) startHTTP(ctx context.Context, c contender) (*httpServer, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := ln.Addr().String()
	ln.Close()
	s := &httpServer{cmd: l.command(ctx, c, addr, l.newState()), url: "http://" + addr}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	for range 500 {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
			return s, nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	kill(s.cmd)
	return nil, fmt.Errorf("the server does not listen on %s after 5 s", addr)
}

// startRelay starts the relay, which prints its URL.
func (l *lab) startRelay(ctx context.Context) (*httpServer, error) {
	cmd := l.programs.command(ctx, l.programs.relay, nil, l.upstream.URL)
	line, err := startAndRead(cmd)
	return &httpServer{cmd: cmd, url: strings.TrimSpace(line)}, err
}

// startAndRead starts a program and returns the first line that it prints. It kills
// a program that prints none.
func startAndRead(cmd *exec.Cmd) (line string, err error) {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	if line, err = bufio.NewReader(out).ReadString('\n'); err != nil {
		kill(cmd)
	}
	return line, err
}

// kill ends a program at once, without a chance to clean up.
func kill(cmd *exec.Cmd) {
	cmd.Process.Kill()
	cmd.Wait()
}

// caller posts JSON-RPC to a server's /mcp.
type caller struct {
	client  *http.Client
	url     string
	session string // its ID; empty in protocol version 2026-07-28
}

// beginSession does the handshake of protocol version 2025-11-25.
func (c *caller) beginSession(ctx context.Context) error {
	resp, err := c.post(ctx, "initialize", 0, handshake(), nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if c.session = resp.Header.Get("Mcp-Session-Id"); c.session == "" {
		return errors.New("the answer to initialize names no session")
	}
	return nil
}

// startBuild calls build_automation, with id as request ID and progress token,
// and returns the stream of the answer.
func (c *caller) startBuild(ctx context.Context, query string, id int) (*http.Response, error) {
	params := buildCall(query, id)
	header := map[string]string{"Mcp-Protocol-Version": "2025-11-25", "Mcp-Session-Id": c.session}
	if c.session == "" {
		const version = "2026-07-28"
		header = map[string]string{
			"Mcp-Protocol-Version": version, "Mcp-Method": "tools/call", "Mcp-Name": "build_automation",
		}
		meta := params["_meta"].(map[string]any)
		meta["io.modelcontextprotocol/protocolVersion"] = version
		meta["io.modelcontextprotocol/clientInfo"] = handshake()["clientInfo"]
		meta["io.modelcontextprotocol/clientCapabilities"] = map[string]any{}
	}
	return c.post(ctx, "tools/call", id, params, header)
}

func (c *caller) post(ctx context.Context, method string, id int, params any, header map[string]string) (*http.Response, error) {
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": id, "method": method, "params": params})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+"/mcp", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	for name, value := range header {
		req.Header.Set(name, value)
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 500))
		return nil, fmt.Errorf("%s: %s %s", method, resp.Status, text)
	}
	return resp, nil
}

// residentBytes returns how much of a process's memory is in RAM.
func residentBytes(ctx context.Context, pid int) (int64, error) {
	var kib int64
	if status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)); err == nil {
		_, rest, _ := strings.Cut(string(status), "VmRSS:")
		_, err = fmt.Sscan(rest, &kib)
		return kib << 10, err
	}
	out, err := exec.CommandContext(ctx, "ps", "-o", "rss=", "-p", fmt.Sprint(pid)).Output()
	if err != nil {
		return 0, fmt.Errorf("asking ps for the resident memory of a process: %w", err)
	}
	_, err = fmt.Sscan(string(out), &kib)
	return kib << 10, err
}
