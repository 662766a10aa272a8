package cli

import (
	"io"
	"os"
	"runtime"
	"sync"

	"golang.org/x/term"
)

// screen is the stderr of a process. On a terminal its last line is the status,
// which changes in place, and lines are written above it. It redacts secrets. It is
// safe for concurrent use.
type screen struct {
	secrets *secrets
	live    bool // it is a terminal that can rewrite a line
	colour  bool
	file    *os.File // for its width; nil if not live

	mu     sync.Mutex // guards the last line of out, and status
	out    io.Writer
	status string
}

func newScreen(out io.Writer, vars environment, secrets *secrets) *screen {
	s := &screen{out: out, secrets: secrets}
	if file, ok := out.(*os.File); ok && isTerminal(file) && hasEscapes(vars, runtime.GOOS) {
		s.file, s.live = file, true
		s.colour = vars["NO_COLOR"] == ""
	}
	return s
}

// hasEscapes reports whether the terminal understands escape sequences. The old
// console of Windows does not, and sets neither variable.
func hasEscapes(vars environment, goos string) bool {
	if goos == "windows" {
		return vars["WT_SESSION"] != "" || vars["TERM"] != ""
	}
	return vars["TERM"] != "" && vars["TERM"] != "dumb"
}

// isTerminal reports whether a stream is a terminal.
func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// columns returns how wide the lines of a stream may be: at most 100, and 80 if
// the width is unknown.
func columns(stream any) int {
	if file, ok := stream.(*os.File); ok {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 0 {
			return min(width, 100)
		}
	}
	return 80
}

// Write writes whole lines above the status.
func (s *screen) Write(lines []byte) (int, error) {
	text := s.secrets.Redact(string(lines))
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.status != "" {
		text = eraseLine + text + s.status
	}
	if _, err := io.WriteString(s.out, text); err != nil {
		return 0, err
	}
	return len(lines), nil
}

// eraseLine goes to the start of the line and clears it (ECMA-48).
const eraseLine = "\r\x1b[K"

// setStatus replaces the status; an empty one removes it. It is a no-op if the
// screen is not live.
func (s *screen) setStatus(status string) {
	status = s.secrets.Redact(status)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.live || s.status == status {
		return
	}
	s.status = status
	io.WriteString(s.out, eraseLine+status)
}

// redraw rewrites the last line, to remove the ^C that the terminal has written.
func (s *screen) redraw() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live {
		io.WriteString(s.out, eraseLine+s.status)
	}
}

// style is a way to print text, by its number in ECMA-48.
type style string

const (
	bold style = "1"
	dim  style = "2"
)

// styled returns text in a style if the screen has colour.
func (s *screen) styled(as style, text string) string {
	if !s.colour || text == "" {
		return text
	}
	return "\x1b[" + string(as) + "m" + text + "\x1b[0m"
}
