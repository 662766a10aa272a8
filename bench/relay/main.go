// Command relay is a reverse proxy to the URL that it is given. It shows how much
// memory net/http alone needs to hold a stream open at both ends. It prints the URL
// at which it listens.
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
		BufferPool:    buffers{},
		ErrorLog:      log.New(io.Discard, "", 0), // because a client that leaves is not an error here
	}
	fmt.Println("http://" + ln.Addr().String())
	log.Fatal(http.Serve(ln, proxy))
}

// buffers makes buffers of 4 KiB. Those of ReverseProxy itself have 32 KiB.
type buffers struct{}

func (buffers) Get() []byte { return make([]byte, 4<<10) }
func (buffers) Put([]byte)  {}
