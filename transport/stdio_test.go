package transport

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
)

// incoming is a message of any kind, as a client reads it.
type incoming struct {
	ID     json.RawMessage
	Method string
	Params struct {
		ProgressToken json.RawMessage
		Progress      int
		Message       string
	}
	Result json.RawMessage
	Error  *struct {
		Code    int
		Message string
	}
}

func decode(t *testing.T, line []byte) incoming {
	t.Helper()
	var m incoming
	if err := json.Unmarshal(line, &m); err != nil {
		t.Fatalf("the server wrote %.200q: %v", line, err)
	}
	return m
}

// request is a tools/call of work as a line.
func request(id, token int, arguments string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"work","arguments":%s,"_meta":{"progressToken":%d}}}`+"\n",
		id, arguments, token)
}

// TestStdioUpdatesInOrder has 20 calls send 10,000 updates at once. None is late,
// lost or out of order.
func TestStdioUpdatesInOrder(t *testing.T) {
	const calls, updates = 20, 500
	f := newFakeServer()
	var in strings.Builder
	for id := range calls {
		in.WriteString(request(id, 1000+id, fmt.Sprintf(`{"updates":%d,"size":60000}`, updates)))
	}
	fromServer, out := io.Pipe()
	served := make(chan error, 1)
	go func() {
		served <- ServeStdio(t.Context(), f.srv, strings.NewReader(in.String()), out, StdioOptions{Grace: time.Minute, OnStop: f.stop})
		out.Close()
	}()
	var seen [calls]int
	answered := 0
	for lines := bufio.NewReader(fromServer); ; {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		m := decode(t, line)
		if m.Method == "" {
			var id int
			if err := json.Unmarshal(m.ID, &id); err != nil || m.Error != nil {
				t.Fatalf("got the answer %.200s", line)
			}
			if seen[id] != updates {
				t.Errorf("call %d was answered after %d of its updates", id, seen[id])
			}
			seen[id] = -1
			answered++
			continue
		}
		var token int
		if err := json.Unmarshal(m.Params.ProgressToken, &token); err != nil {
			t.Fatal(err)
		}
		if seen[token-1000]++; seen[token-1000] != m.Params.Progress {
			t.Fatalf("call %d: update %d came after %d others", token-1000, m.Params.Progress, seen[token-1000]-1)
		}
	}
	if err := <-served; err != nil || answered != calls {
		t.Errorf("ended with %v after %d answers, want %d", err, answered, calls)
	}
	if late := f.notes(); late != nil {
		t.Errorf("updates failed: %q", late)
	}
}

// TestStdioPingWhileCallsWait runs 1,000 calls, which is the limit. A ping is
// answered at once, and one more call is refused at once.
func TestStdioPingWhileCallsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeServer()
		in, toServer := io.Pipe()
		out := &recorder{}
		served := make(chan error, 1)
		go func() { served <- ServeStdio(t.Context(), f.srv, in, out, StdioOptions{OnStop: f.stop}) }()
		for id := range 1000 {
			io.WriteString(toServer, request(id, id, `{"wait":"1h"}`))
		}
		start := time.Now()
		io.WriteString(toServer, `{"jsonrpc":"2.0","id":"ping","method":"ping"}`+"\n")
		io.WriteString(toServer, request(1000, 0, `{}`))
		synctest.Wait()
		want := `{"jsonrpc":"2.0","id":"ping","result":{}}` + "\n" +
			`{"jsonrpc":"2.0","id":1000,"error":{"code":-32000,"message":"1000 calls are running, and this server allows no more at once. Try again when some have ended."}}` + "\n"
		if got := out.take(); got != want || time.Since(start) != 0 {
			t.Errorf("after %s got %s", time.Since(start), got)
		}
		toServer.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
		if got := strings.Count(out.take(), "stopped"); got != 1000 {
			t.Errorf("%d waiting calls were answered, want 1000", got)
		}
	})
}

// TestStdioInputs checks the answers to unusual inputs, which have no line feed at
// their end. The server must neither end nor hang.
func TestStdioInputs(t *testing.T) {
	ping := func(extra string) string {
		return `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":` + extra + `}}`
	}
	deep := strings.Repeat("[", 1_000_000)
	const ok = `{"jsonrpc":"2.0","id":1,"result":{}}`
	for _, tt := range []struct{ name, in, want string }{
		{"6 MiB", ping(`"` + strings.Repeat("x", 6<<20) + `"`), ok},
		{"a million numbers", ping(`[1` + strings.Repeat(",1", 1<<20) + `]`), ok},
		{"9 MiB", ping(`"` + strings.Repeat("x", 9<<20) + `"`),
			`{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"The message is longer than 8388608 bytes."}}`},
		{"deep", ping(deep), `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"The message is not valid JSON."}}`},
		{"deep and closed", ping(deep + strings.Repeat("]", len(deep))),
			`{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"The message is not valid JSON."}}`},
		{"deep enough", ping(deep[:9000] + strings.Repeat("]", 9000)), ok},
		{"CRLF", ping("1") + "\r\n\r\n", ok},
		{"not UTF-8", ping("\"\xff\xfe\""), ok},
		{"NUL", "\x00\x00", `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"The message is not valid JSON."}}`},
		{"method of another type", `{"jsonrpc":"2.0","id":1,"method":5}`,
			`{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"The message has no method: give its name as a string."}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out := &recorder{}
			if err := ServeStdio(t.Context(), newFakeServer().srv, strings.NewReader(tt.in), out, StdioOptions{}); err != nil {
				t.Error(err)
			}
			if got := strings.TrimSpace(out.take()); got != tt.want {
				t.Errorf("got %.300s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestStdioWithoutAMessage checks that the caller learns that the input ended before
// a message came, be it a bad one. A server that is stopped before says nothing.
func TestStdioWithoutAMessage(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     error
	}{
		{"empty", "", ErrNoMessage},
		{"blank lines", "\n \r\n\t\n", ErrNoMessage},
		{"a blank line without an end", " ", ErrNoMessage},
		{"a message", request(1, 1, `{}`), nil},
		{"a message after blank lines, without an end", "\n\n{}", nil},
		{"a bad message", "hello\n", nil},
		{"half a message", "{", nil},
		{"a message that is too long", strings.Repeat("x", maxMessage+1), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := ServeStdio(t.Context(), newFakeServer().srv, strings.NewReader(tt.in), io.Discard, StdioOptions{}); err != tt.want {
				t.Errorf("ended with %v, want %v", err, tt.want)
			}
		})
	}
	in, toServer := io.Pipe()
	defer toServer.Close()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := ServeStdio(ctx, newFakeServer().srv, in, io.Discard, StdioOptions{}); err != nil {
		t.Errorf("a server that is stopped ended with %v", err)
	}
}

// TestStdioClientGone checks that the server and its waiting calls end when its
// output is closed.
func TestStdioClientGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeServer()
		in, toServer := io.Pipe()
		defer toServer.Close()
		fromServer, out := io.Pipe()
		served := make(chan error, 1)
		go func() { served <- ServeStdio(t.Context(), f.srv, in, out, StdioOptions{}) }()
		io.WriteString(toServer, request(1, 1, `{"name":"one","wait":"1h"}`))
		fromServer.CloseWithError(os.ErrClosed)
		io.WriteString(toServer, `{"jsonrpc":"2.0","id":2,"method":"ping"}`+"\n")
		if err := <-served; !errors.Is(err, os.ErrClosed) {
			t.Errorf("ended with %v", err)
		}
		synctest.Wait()
		if got, want := fmt.Sprint(f.notes()), "[one context: the server is stopping]"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestStdioReadFails(t *testing.T) {
	in := io.MultiReader(strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"ping"}`), iotest.ErrReader(os.ErrPermission))
	out := &recorder{}
	if err := ServeStdio(t.Context(), newFakeServer().srv, in, out, StdioOptions{}); !errors.Is(err, os.ErrPermission) {
		t.Errorf("ended with %v", err)
	}
	if got, want := out.take(), `{"jsonrpc":"2.0","id":1,"result":{}}`+"\n"; got != want {
		t.Errorf("wrote %s", got)
	}
}

// TestPanicIsLogged checks that the text of a panic is in the log and not in the
// answer.
func TestPanicIsLogged(t *testing.T) {
	var log bytes.Buffer
	out := &recorder{}
	opts := StdioOptions{Logger: slog.New(slog.NewTextHandler(&log, nil))}
	in := strings.NewReader(request(1, 1, `{"panic":"the detail"}`))
	if err := ServeStdio(t.Context(), newFakeServer().srv, in, out, opts); err != nil {
		t.Error(err)
	}
	if got := out.take(); !strings.Contains(got, `"code":-32603`) || strings.Contains(got, "the detail") {
		t.Errorf("wrote %s", got)
	}
	if got := log.String(); !strings.Contains(got, "the detail") || !strings.Contains(got, "fake_test.go") {
		t.Errorf("logged %s", got)
	}
}

func TestLineReader(t *testing.T) {
	const in = "one\n\n  \n\ttwo \r\n" + "123456789\n" + "12345678\n" + "1234567890123456789\n" + "last"
	for name, r := range map[string]io.Reader{
		"whole":       strings.NewReader(in),
		"by byte":     iotest.OneByteReader(strings.NewReader(in)),
		"EOF at once": iotest.DataErrReader(strings.NewReader(in)),
	} {
		t.Run(name, func(t *testing.T) {
			lines := newLineReader(r, 8)
			var got []string
			for {
				line, err := lines.next()
				if errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					got = append(got, err.Error())
				} else {
					got = append(got, string(line))
				}
			}
			want := "[one two the line is too long 12345678 the line is too long last]"
			if fmt.Sprint(got) != want {
				t.Errorf("got %q, want %s", got, want)
			}
		})
	}
}

// TestStdioReusedID has a client that gives all its requests the same ID, each as
// soon as it has the answer to the one before.
func TestStdioReusedID(t *testing.T) {
	in, toServer := io.Pipe()
	fromServer, out := io.Pipe()
	served := make(chan error, 1)
	go func() { served <- ServeStdio(t.Context(), newFakeServer().srv, in, out, StdioOptions{}) }()
	answers := bufio.NewScanner(fromServer)
	for range 300 {
		io.WriteString(toServer, request(1, 1, `{}`))
		if !answers.Scan() || !strings.Contains(answers.Text(), done) {
			t.Fatalf("got %s, %v", answers.Text(), answers.Err())
		}
	}
	toServer.Close()
	if err := <-served; err != nil {
		t.Error(err)
	}
}
