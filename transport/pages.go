package transport

import "net/http"

// pageServer serves pages for people to requests whose Host and Origin may call.
type pageServer struct {
	mux   *http.ServeMux // nil: there are none
	guard *guard
	limit *callLimit
}

// maxPageCalls bounds the calls at once of a server without MCP.
const maxPageCalls = 100

// NewPages returns the handler of pages for a server without MCP. opts says where the
// server listens and who may call.
func NewPages(pages *http.ServeMux, opts HTTPOptions) (http.Handler, error) {
	g, err := newGuard(opts)
	if err != nil {
		return nil, err
	}
	p := pageServer{pages, &g, newCallLimit(maxPageCalls, "calls are running")}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !p.has(r) {
			http.NotFound(w, r)
		} else if bad := p.serve(w, r); bad != nil {
			bad.write(w)
		}
	}), nil
}

// has reports whether a request is for a page, or for what pages call.
func (p *pageServer) has(r *http.Request) bool {
	if p.mux == nil {
		return false
	}
	_, pattern := p.mux.Handler(r)
	return pattern != ""
}

// serve answers a request, or returns why it is refused. Meanwhile the request counts
// as a call.
func (p *pageServer) serve(w http.ResponseWriter, r *http.Request) *refusal {
	if bad := p.guard.checkPage(r); bad != nil {
		return bad
	}
	if wrong := p.limit.enter(); wrong != nil {
		return &refusal{status: http.StatusServiceUnavailable, err: wrong}
	}
	defer p.limit.leave()
	p.mux.ServeHTTP(w, r)
	return nil
}

// checkPage returns why a request for a page is refused, or nil. It is check without
// what is for clients of MCP: the token, and the headers that let other pages read the
// answer. A page of this very host may ask, whatever the name of the host is.
func (g *guard) checkPage(r *http.Request) *refusal {
	if bad := g.checkHost(r); bad != nil {
		return bad
	}
	page := r.Header.Get("Origin")
	if page == "" {
		return nil
	}
	origin, originErr := parseOrigin(page)
	host, hostErr := parseHost(r.Host)
	if originErr == nil && hostErr == nil && origin.name == host.name && origin.port == host.port {
		return nil
	}
	return g.checkOrigin(page)
}
