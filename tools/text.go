package tools

import (
	"encoding/json"
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/progress"
)

// Hosts cap what a result may hold, some at about 25,000 tokens: what is longer
// than these is cut, and says so.
const (
	maxAnswer = 60_000 // bytes
	maxPage   = 60_000 // bytes of a run's result
	maxPlain  = 2_000  // characters of any other text
	maxStep   = 80     // characters of a tool's name
	maxLogs   = 20     // lines
)

// plain makes one clean line of a text from Notte.
func plain(s string) string { return progress.OneLine(s, maxPlain) }

// prose cleans a text that may have several lines.
func prose(s string) string { return progress.Text(s) }

// shorten cuts a text to at most n bytes and says how much is missing.
func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	cut := runeStart(s, n)
	return s[:cut] + fmt.Sprintf(" [… %d more bytes left out]", len(s)-cut)
}

// runeStart is the start of the rune that byte i of s belongs to.
func runeStart[T string | json.RawMessage](s T, i int) int {
	for i > 0 && i < len(s) && !utf8.RuneStart(s[i]) {
		i--
	}
	return i
}

// cost is an amount in US dollars; null says that it is not known.
type cost struct{ usd *float64 }

func (c cost) MarshalJSON() ([]byte, error) { return json.Marshal(c.usd) }

// seconds is how long a job has taken, to a tenth.
func seconds(job jobs.Job) float64 {
	return math.Round(job.Elapsed(time.Now()).Seconds()*10) / 10
}

// durable is false for a job that is lost with this process, and otherwise left
// out: it is what anyone expects.
func durable(job jobs.Job) *bool {
	if job.Volatile {
		return new(false)
	}
	return nil
}
