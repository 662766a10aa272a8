package notte

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// dialError is an error of a connection as package net returns it.
func dialError(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Err: os.NewSyscallError("connect", err)}
}

// TestObstacle wraps errors of every system as net and net/http do, and checks the
// text for the reader.
func TestObstacle(t *testing.T) {
	handshake := &http.Client{Transport: &http.Transport{
		TLSHandshakeTimeout: time.Nanosecond,
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			conn, other := net.Pipe()
			t.Cleanup(func() { other.Close() })
			return conn, nil
		},
	}}
	_, handshakeTimeout := handshake.Get("https://h.invalid")
	for _, tt := range []struct {
		name string
		err  error
		sent bool
		want string
	}{
		{"refused", dialError("dial", syscall.ECONNREFUSED), false, "h:1 refused the connection, so nothing is listening there"},
		{"refused, on Windows", dialError("dial", syscall.Errno(10061)), false, "h:1 refused the connection, so nothing is listening there"},
		{"no answer to the connection", dialError("dial", syscall.ETIMEDOUT), false, "h:1 could not be reached in time"},
		{"no answer to the connection, on Windows", dialError("dial", syscall.Errno(10060)), false, "h:1 could not be reached in time"},
		{"no route", dialError("dial", syscall.EHOSTUNREACH), false, "h:1 could not be reached (words)"},
		{"no route, on Windows", dialError("dial", syscall.Errno(10065)), false, "h:1 could not be reached (words)"},
		{"a proxy that refuses", dialError("proxyconnect", syscall.ECONNREFUSED), false, "h:1 could not be reached through the proxy p:2 (words); check the network and the proxy settings"},
		{"no such name", &net.DNSError{Name: "n", IsNotFound: true}, false, "the name n does not resolve"},
		{"no name server", &net.DNSError{Name: "n"}, false, "the name n could not be looked up (words)"},
		{"no header in time", os.ErrDeadlineExceeded, true, "h:1 took the request but did not answer in time (words)"},
		{"reset", dialError("read", syscall.ECONNRESET), true, "the connection to h:1 broke before the answer came (words)"},

		{"unknown authority", fmt.Errorf("x: %w", &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}), false, "no secure connection to h:1 could be made, because this computer does not trust the certificate (words). If"},
		{"another host's certificate", &tls.CertificateVerificationError{Err: x509.HostnameError{Host: "h", Certificate: &x509.Certificate{}}}, false, "no secure connection"},
		{"an expired certificate", &tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Reason: x509.Expired}}, false, "no secure connection"},
		{"not TLS", tls.RecordHeaderError{Msg: "first record"}, false, "no secure connection"},
		{"HTTP", fmt.Errorf("x: %w", http.ErrSchemeMismatch), false, "no secure connection"},
		{"an alert", &net.OpError{Op: "remote error", Err: errors.New("tls: handshake failure")}, false, "no secure connection"},
		{"no handshake in time", handshakeTimeout, false, "h:1 could not be reached in time"},
		{"no TLS error for its words", errors.New("TLS handshake, HTTP response to HTTPS client"), false, "h:1 could not be reached (words)"},
	} {
		e := &Error{API: AnythingAPI, Host: "h:1", Err: tt.err, Sent: tt.sent, Message: "words"}
		if strings.Contains(tt.name, "proxy") {
			e.proxy = "p:2"
		}
		if got := e.Error(); !strings.HasPrefix(got, "could not call Notte: "+tt.want) {
			t.Errorf("%s (%v):\ngot  %s\nwant %s", tt.name, tt.err, got, tt.want)
		}
		if MayHaveStarted(e) != tt.sent {
			t.Errorf("%s: may have started: %v", tt.name, !tt.sent)
		}
	}
}
