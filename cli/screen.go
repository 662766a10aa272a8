package cli

import (
	"io"
	"os"
	"runtime"
	"strings"
	"sync"

	"golang.org/x/term"
)

// screen is a process's stderr. On a terminal it has one line at its end that
// changes in place, the status; what is written goes above it. Secrets do not
// get past it. It is safe for concurrent use.
type screen struct {
	secrets redactor
	live    bool // a terminal that can rewrite a line
	colour  bool
	file    *os.File // for the width; nil: not live

	mu     sync.Mutex // guards out's last line and what follows
	out    io.Writer
	status string
}

func newScreen(out io.Writer, vars environment, secrets redactor) *screen {
	s := &screen{out: out, secrets: secrets}
	if file, ok := out.(*os.File); ok && isTerminal(file) && capable(vars) {
		s.file, s.live = file, true
		s.colour = vars["NO_COLOR"] == ""
	}
	return s
}

// capable tells whether the terminal understands escape sequences. The old
// console of Windows does not, and names no terminal.
func capable(vars environment) bool {
	if runtime.GOOS == "windows" {
		return vars["WT_SESSION"] != "" || vars["TERM"] != ""
	}
	return vars["TERM"] != "" && vars["TERM"] != "dumb"
}

// isTerminal reports whether a stream is a terminal.
func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// columns is how wide a stream's lines may be: at most 100, and 80 where that
// cannot be known.
func columns(stream any) int {
	if file, ok := stream.(*os.File); ok {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 0 {
			return min(width, 100)
		}
	}
	return 80
}

// Write writes whole lines, above the status.
func (s *screen) Write(lines []byte) (int, error) {
	text := s.secrets.clean(string(lines))
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

// eraseLine goes back to the line's start and clears it, as ECMA-48 has it.
const eraseLine = "\r\x1b[K"

// setStatus replaces the status; an empty one leaves nothing behind. It does
// nothing where no line can be rewritten.
func (s *screen) setStatus(status string) {
	status = s.secrets.clean(status)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.live || s.status == status {
		return
	}
	s.status = status
	io.WriteString(s.out, eraseLine+status)
}

// wipe clears what the terminal itself has put on the last line: ^C.
func (s *screen) wipe() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live {
		io.WriteString(s.out, eraseLine+s.status)
	}
}

// style is a way to print text where colours are wanted.
type style string

const (
	bold style = "1"
	dim  style = "2"
)

func (s *screen) paint(as style, text string) string {
	if !s.colour || text == "" {
		return text
	}
	return "\x1b[" + string(as) + "m" + text + "\x1b[0m"
}

// cellWidth is how many columns a rune takes at most. From the first wide
// script on, two are counted even for narrow runes: a line may then end early,
// but it never wraps, which could not be erased.
func cellWidth(r rune) int {
	if r < 0x1100 || 0x2000 <= r && r < 0x2070 || 0x2800 <= r && r < 0x2900 {
		return 1
	}
	return 2
}

// fitEnd cuts text to at most width columns, at its end.
func fitEnd(text string, width int) string {
	used, cut := 0, 0
	for i, r := range text {
		if used <= width-1 {
			cut = i // there is room for an ellipsis after this
		}
		if used += cellWidth(r); used > width {
			return strings.TrimRight(text[:cut], " ") + "…"
		}
	}
	return text
}

// fitStart cuts text to at most width columns, at its start.
func fitStart(text string, width int) string {
	runes := []rune(text)
	used, cut := 0, len(runes)
	for i := len(runes) - 1; i >= 0; i-- {
		if used += cellWidth(runes[i]); used > width {
			return "…" + strings.TrimLeft(string(runes[cut:]), " ")
		}
		if used <= width-1 {
			cut = i
		}
	}
	return text
}
