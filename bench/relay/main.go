// Command relay passes requests on to the URL it is given and their streams
// back: what net/http alone takes to hold a stream open at both ends. It prints
// the URL it listens on.
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: relay URL")
	}
	target, err := url.Parse(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		FlushInterval: -1, // at once
		BufferPool:    pieces(4 << 10),
		ErrorLog:      log.New(io.Discard, "", 0), // clients that leave are no news
	}
	fmt.Println("http://" + ln.Addr().String())
	log.Fatal(http.Serve(ln, proxy))
}

// pieces makes buffers of its size, where ReverseProxy's own have 32 KiB.
type pieces int

func (p pieces) Get() []byte { return make([]byte, p) }
func (p pieces) Put([]byte)  {}
