package notte

import (
	"net"
	"net/http"
	"strings"
	"time"
)

// NewHTTPClient returns a client for streams. It bounds the wait for a connection
// and for the answer's header, and nothing after that.
//
// readBuffer is the size in bytes of the buffer that each connection reads into;
// 0 means 1 KiB. 1 KiB suits a server with a thousand quiet streams, because large
// reads bypass the buffer. 16 KiB suit one fast stream of small events, because
// they take fewer, larger reads.
//
// The wait for the header is [DefaultIdleTimeoutV2], because Notte may answer a run's
// start with the result instead of a stream. Then the header comes when the run is
// over, minutes later, and a shorter wait would lose the result.
func NewHTTPClient(readBuffer int, proxies Proxies) *http.Client {
	if readBuffer <= 0 {
		readBuffer = 1 << 10
	}
	dialer := net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}
	return &http.Client{Transport: &http.Transport{
		Proxy:                  proxies.choose(),
		OnProxyConnectResponse: checkConnect,
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  DefaultIdleTimeoutV2,
		ExpectContinueTimeout:  time.Second,
		IdleConnTimeout:        90 * time.Second,
		MaxIdleConnsPerHost:    4,
		MaxResponseHeaderBytes: 256 << 10, // the default is 10 MiB
		ReadBufferSize:         readBuffer,
		WriteBufferSize:        1 << 10, // requests are small
	}}
}

// streamingClient returns a copy of base that neither cuts streams nor carries
// the key to another host.
func streamingClient(base *http.Client) *http.Client {
	if base == nil {
		base = NewHTTPClient(0, Proxies{})
	}
	own := *base
	own.Timeout = 0
	own.CheckRedirect = followWithinHost
	return &own
}

// followWithinHost follows a GET's redirects within its scheme and host. Any other
// redirect becomes the answer and fails the call, because repeating a POST could
// start something twice, and another host must not get the key.
func followWithinHost(next *http.Request, via []*http.Request) error {
	first := via[0]
	if first.Method != http.MethodGet || len(via) >= 5 ||
		next.URL.Scheme != first.URL.Scheme || !strings.EqualFold(next.URL.Host, first.URL.Host) {
		return http.ErrUseLastResponse
	}
	return nil
}
