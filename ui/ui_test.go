package ui_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/anything-mcp/anything-mcp/ui"
)

// maxPage bounds the page, in bytes. Hosts keep it, and read it before anything is
// shown.
const maxPage = 40 << 10

func TestPageIsOneDocument(t *testing.T) {
	for name, page := range map[string]string{"host": ui.Page(), "person": ui.PersonPage().HTML} {
		t.Run(name, func(t *testing.T) {
			if len(page) > maxPage {
				t.Errorf("the page has %d bytes: at most %d are allowed", len(page), maxPage)
			}
			if !strings.HasPrefix(page, "<!DOCTYPE html>\n<html lang=\"en\">") {
				t.Errorf("the page begins with %.80q", page)
			}
			for _, tag := range []string{"<style>", "</style>", "<script>", "</script>"} {
				if n := strings.Count(page, tag); n != 1 {
					t.Errorf("%s occurs %d times: a script or style ends early, or the frame has no place for it", tag, n)
				}
			}
			if strings.Contains(page, "<style></style>") || strings.Contains(page, "<script></script>") {
				t.Error("the page has an empty style or script")
			}
			if m := asksFor.FindString(page); m != "" {
				t.Errorf("the page asks for another file or runs text as code: %q", m)
			}
		})
	}
}

// asksFor matches what makes a page ask for another file, run text as code, or keep
// something.
var asksFor = regexp.MustCompile(`<link|\bsrc=|@import|url\(|\beval\(|new Function|innerHTML|outerHTML|insertAdjacentHTML|document\.write|localStorage|sessionStorage|indexedDB|document\.cookie`)

func TestHostPageMakesNoRequest(t *testing.T) {
	if m := regexp.MustCompile(`\bfetch\(|XMLHttpRequest|WebSocket|EventSource|sendBeacon`).FindString(ui.Page()); m != "" {
		t.Errorf("the page for hosts makes requests: %q", m)
	}
}

// TestBrowserHasNoAssistant checks that the page tells a person in a browser what to do
// there, and not to ask an assistant.
func TestBrowserHasNoAssistant(t *testing.T) {
	const asks = "sk the assistant"
	if !strings.Contains(ui.Page(), asks) || strings.Contains(ui.PersonPage().HTML, asks) {
		t.Errorf("%q is to be in the page for hosts alone", asks)
	}
}

func TestSourcesAreOfTheInlineParts(t *testing.T) {
	page := ui.PersonPage()
	for tag, want := range map[string]string{"style": page.Style, "script": page.Script} {
		_, content, _ := strings.Cut(page.HTML, "<"+tag+">")
		content, _, _ = strings.Cut(content, "</"+tag+">")
		if got := ui.Source(content); got != want {
			t.Errorf("the %s has the source %s, and the page tells %s", tag, got, want)
		}
	}
}

func TestVersionIsShortAndStable(t *testing.T) {
	if v := ui.Version(); !regexp.MustCompile(`^[0-9a-f]{12}$`).MatchString(v) || v != ui.Version() {
		t.Errorf("the version is %q", v)
	}
}
