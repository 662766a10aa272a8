package notte

// maxNesting bounds how deep JSON may nest. gjson recurses, so a hostile text
// could use up the stack.
const maxNesting = 1000

// nesting follows how deep in objects and arrays a JSON text is. Its zero value
// is the beginning of a text. Input that is not JSON gives a meaningless depth; the
// decoder rejects it later.
type nesting struct {
	depth    int
	deepest  int // the greatest depth so far
	inString bool
	escaped  bool // the last byte in the string was a backslash
	last     byte // the last byte outside of strings that is not white space
}

// valueFits reports whether JSON allows a value to begin here.
func (n *nesting) valueFits() bool {
	return !n.inString && (n.last == 0 || n.last == '[' || n.last == ',' || n.last == ':')
}

// scan follows b, the next part of a JSON text.
func scan[S ~string | ~[]byte](n *nesting, b S) {
	for i := 0; i < len(b); i++ {
		if n.inString {
			i = scanString(n, b, i)
			continue
		}
		switch c := b[i]; c {
		case ' ', '\t', '\n', '\r':
			continue
		case '"':
			n.inString = true
		case '{', '[':
			n.depth++
			n.deepest = max(n.deepest, n.depth)
		case '}', ']':
			n.depth--
		}
		n.last = b[i]
	}
}

// scanString follows the string that b[i] is in, and returns the index of its
// closing quote, or of the last byte.
func scanString[S ~string | ~[]byte](n *nesting, b S, i int) int {
	for ; i < len(b); i++ {
		switch {
		case n.escaped:
			n.escaped = false
		case b[i] == '\\':
			n.escaped = true
		case b[i] == '"':
			n.inString = false
			return i
		}
	}
	return len(b)
}

// tooDeep reports whether s nests deeper than maxNesting. Each level takes a byte,
// so a text of at most maxNesting bytes cannot.
func tooDeep(s string) bool {
	if len(s) <= maxNesting {
		return false
	}
	var n nesting
	scan(&n, s)
	return n.deepest > maxNesting
}
