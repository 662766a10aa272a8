package notte

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/anything-mcp/anything-mcp/text"
)

const (
	maxSearch      = 1 << 20 // bytes of a payload that is searched
	maxSearchDepth = 12      // levels of objects, lists and JSON texts in it
)

// payload is what a part of a v2 stream reports of the build. The part is the data of
// a "data-*" chunk, the metadata of the message, or a tool's output. It is searched,
// because no public text says where in it Notte puts what.
type payload struct {
	links links

	functions []function // that it names
	name      string     // a function's, wherever it is
	viewerURL string
	threadID  string

	cost      *float64
	costKey   int // its index in costKeys
	costDepth int
}

// function is a function that a payload names.
type function struct {
	id, name, version, created string
	doubt                      int // 0: certainly a function; a greater value is less certain
}

// clipped returns f with bounded texts that share no memory with the payload.
func (f function) clipped() function {
	return function{
		id: strings.Clone(f.id), name: text.Clip(f.name, maxLabel),
		version: text.Clip(f.version, maxLabel), created: text.Clip(f.created, maxLabel),
	}
}

// Doubts about a function. A plain "id" in a chunk whose name contains "function" may
// belong to something else. That is more likely the deeper it is.
const (
	doubtPlainID = 1                  // plus its depth
	doubtQuoted  = 2 * maxSearchDepth // in a string that happens to be JSON
)

// costKeys are the keys of a cost in US dollars, the clearest first.
var costKeys = []string{"totalcostusd", "costusd", "totalcost", "cost"}

// separators removes what distinguishes function_id from functionId.
var separators = strings.NewReplacer("_", "", "-", "")

// searchKey returns key in the form in which keys are compared, or "" if it is longer
// than any key that is searched.
func searchKey(key string) string {
	if len(key) > 32 {
		return ""
	}
	return strings.ToLower(separators.Replace(key))
}

// node is the place of a value in a payload.
type node struct {
	key    string // of the value, or of the list that it is in
	depth  int
	doubt  int
	inList bool
	named  bool // in a chunk whose name has "function" in it
}

// searchPayload reads v. chunk is the NAME of a chunk "data-NAME", or empty: v is
// read as if it were {NAME: v}.
func searchPayload(links links, chunk string, v gjson.Result) *payload {
	p := &payload{links: links}
	root := node{named: strings.Contains(strings.ToLower(chunk), "function")}
	var o object
	p.member(&o, root, chunk, v)
	p.add(o, root)
	return p
}

// value searches what an object or a list holds, or a string that is JSON.
func (p *payload) value(n node, v gjson.Result) {
	switch {
	case n.depth > maxSearchDepth:
	case v.IsObject():
		var o object
		v.ForEach(func(key, v gjson.Result) bool {
			p.member(&o, n, key.Str, v)
			return true
		})
		p.add(o, n)
	case v.IsArray():
		n.depth++
		n.inList = true
		v.ForEach(func(_, item gjson.Result) bool {
			p.value(n, item)
			return true
		})
	case v.Type == gjson.String:
		if s := strings.TrimSpace(v.Str); strings.HasPrefix(s, "{") || strings.HasPrefix(s, "[") {
			if inner, ok := readJSON(s); ok {
				n.depth++
				p.value(n, inner)
			}
		}
	}
}

// object holds the members of an object that may describe a function.
type object struct {
	ids                                  []string // under keys that only a function's ID has
	id                                   string   // under "id"
	functionName, name, version, created string
}

// member reads a member of an object, and searches its value.
func (p *payload) member(o *object, n node, key string, v gjson.Result) {
	key = searchKey(key)
	switch key {
	case "functionid", "workflowid":
		if ValidID(v.Str) {
			o.ids = append(o.ids, v.Str)
		}
	case "id":
		o.id = v.Str
	case "functionname":
		o.functionName = v.Str
		p.name = v.Str
	case "name", "label":
		o.name = cmp.Or(o.name, v.Str)
	case "version", "latestversion", "functionversion":
		o.version = cmp.Or(o.version, scalarText(v))
	case "createdat":
		o.created = v.Str
	case "viewerurl":
		p.viewerURL = cmp.Or(p.viewerURL, p.links.viewer(v.Str))
	case "threadid":
		if ValidID(v.Str) {
			p.threadID = v.Str
		}
	}
	p.addCost(n, key, v)
	child := node{key: key, depth: n.depth + 1, doubt: n.doubt, inList: n.inList, named: n.named}
	whole := n.depth == 0 || key == "text" && n.key == "content" // a string here is the payload itself
	if v.Type == gjson.String && !whole {
		child.doubt += doubtQuoted
	}
	p.value(child, v)
}

// add adds the functions that an object names.
func (p *payload) add(o object, n node) {
	f := function{name: cmp.Or(o.functionName, o.name), version: o.version, created: o.created, doubt: n.doubt}
	for _, id := range o.ids {
		f.id = id
		p.functions = append(p.functions, f)
	}
	isFunction := n.key == "function" || n.key == "workflow"
	if len(o.ids) > 0 || !ValidID(o.id) || !isFunction && !n.named {
		return
	}
	if f.id = o.id; !isFunction {
		f.doubt += doubtPlainID + n.depth
	}
	p.functions = append(p.functions, f)
}

// addCost keeps v if it is a cost under a clearer key than the one so far, or less
// deep under the same key. Costs in a list or in a quoted text do not count, because
// they belong to other things.
func (p *payload) addCost(n node, key string, v gjson.Result) {
	i := slices.Index(costKeys, key)
	if i < 0 || n.inList || n.doubt >= doubtQuoted {
		return
	}
	if usd := dollars(v); usd != nil && (p.cost == nil || i < p.costKey || i == p.costKey && n.depth < p.costDepth) {
		p.cost, p.costKey, p.costDepth = usd, i, n.depth
	}
}

// function returns the function that the payload names. It returns false if the
// payload names several with the same doubt, because they may be old ones.
func (p *payload) function() (best function, ok bool) {
	for i, f := range p.functions {
		switch {
		case i == 0 || f.doubt < best.doubt:
			best, ok = f, true
		case f.doubt == best.doubt && f.id != best.id:
			ok = false
		case f.doubt == best.doubt:
			best.name, best.version, best.created = cmp.Or(best.name, f.name), cmp.Or(best.version, f.version), cmp.Or(best.created, f.created)
		}
	}
	best.name = cmp.Or(best.name, p.name)
	return best, ok
}
