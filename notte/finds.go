package notte

import (
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// search adds the events for what v, a payload in a place of a chunk, reports of the
// build. It returns false if v reports nothing. chunk is as in searchPayload.
func (t *turn) search(place, chunk string, v gjson.Result) (known bool) {
	if len(v.Raw) > maxSearch {
		t.skip("a payload too long to be searched", len(v.Raw))
		return false
	}
	p := searchPayload(t.client.links(), chunk, v)
	if place != FunctionFromTool { // a tool's output may quote a page with a cost
		known = t.addThread(p.threadID)
		known = t.addCost(p) || known
	}
	known = t.addViewer(p.viewerURL) || known
	if f, ok := p.function(); ok {
		t.addFunction(place, f.clipped())
		return true
	}
	return known
}

func (t *turn) addThread(id string) bool {
	if t.threadID == "" && id != "" {
		t.threadID = strings.Clone(id)
		t.add(Event{Type: EventThread, ThreadID: t.threadID})
	}
	return id != ""
}

func (t *turn) addViewer(link string) bool {
	if link != "" && link != t.viewer {
		t.viewer = strings.Clone(link)
		t.add(Event{Type: EventSessionData, ViewerURL: t.viewer})
	}
	return link != ""
}

// addCost keeps the last cost under the clearest key so far.
func (t *turn) addCost(p *payload) bool {
	if p.cost != nil && (t.cost == nil || p.costKey <= t.costKey) {
		t.cost, t.costKey = p.cost, p.costKey
	}
	return p.cost != nil
}

// places are where a function is named, the best first.
var places = []string{FunctionFromData, FunctionFromMetadata, FunctionFromTool}

// addFunction adds a function_uploaded, unless the last one said the same or more.
func (t *turn) addFunction(place string, f function) {
	last := t.function
	if f.id == last.id && slices.Index(places, t.place) <= slices.Index(places, place) &&
		(f.name == "" || f.name == last.name) && (f.version == "" || f.version == last.version) {
		return
	}
	t.function, t.place = f, place
	t.add(Event{
		Type: EventFunctionUploaded, FunctionFrom: place, FunctionID: f.id,
		FunctionName: f.name, FunctionVersion: f.version, CreatedAt: f.created,
	})
}
