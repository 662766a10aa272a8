package notte

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"syscall"
)

// ConnectionError is a request that Notte did not answer. It unwraps to what
// went wrong underneath.
type ConnectionError struct {
	Op   string // what was tried, to follow "could not": "start the build"
	Host string // as configured, with its port
	Sent bool   // there was a connection: Notte may have got the request
	Err  error

	call  call
	scrub scrubber
}

// Error says in a few sentences what was tried, what stood in the way, and what
// to do next.
func (e *ConnectionError) Error() string {
	s := fmt.Sprintf("could not %s: %s", e.Op, e.explain())
	if e.Sent {
		s += e.call.maybeStarted()
	}
	return s
}

// Unwrap returns the cause.
func (e *ConnectionError) Unwrap() error { return e.Err }

func (e *ConnectionError) explain() string {
	check := "check " + cmp.Or(e.call.endpoint.setting, apiSetting) + " and the network"
	if e.Sent {
		if isTimeout(e.Err) {
			return fmt.Sprintf("%s took the request but did not answer in time (%s); try again later.", e.Host, e.cause())
		}
		return fmt.Sprintf("the connection to %s broke before the answer came (%s); %s.", e.Host, e.cause(), check)
	}
	if dial, ok := errors.AsType[*net.OpError](e.Err); ok && dial.Op == "proxyconnect" {
		return fmt.Sprintf("the proxy before %s could not be reached (%s); check HTTPS_PROXY, HTTP_PROXY and NO_PROXY.", e.Host, e.cause())
	}
	if dns, ok := errors.AsType[*net.DNSError](e.Err); ok {
		if dns.IsNotFound {
			return fmt.Sprintf("the name %s does not resolve to an address; %s.", dns.Name, check)
		}
		return fmt.Sprintf("the name %s could not be looked up (%s); %s.", dns.Name, e.scrub.line(dns.Err), check)
	}
	switch {
	case errors.Is(e.Err, syscall.ECONNREFUSED):
		return fmt.Sprintf("%s refused the connection, so nothing is listening there; %s.", e.Host, check)
	case isTLS(e.Err):
		return fmt.Sprintf("no secure connection to %s came about (%s); %s, and this computer's clock and certificates.", e.Host, e.cause(), check)
	case isTimeout(e.Err):
		return fmt.Sprintf("%s could not be reached in time (%s); %s.", e.Host, e.cause(), check)
	}
	return fmt.Sprintf("%s could not be reached (%s); %s.", e.Host, e.cause(), check)
}

// connectionError tells of a request without an answer. A caller that left is
// told why it left, and of nothing else.
func (c *Client) connectionError(ctx context.Context, k call, err error, sent bool) error {
	if ctx.Err() != nil {
		return fmt.Errorf("could not %s: stopped before Notte answered: %w", k.op, context.Cause(ctx))
	}
	// url.Error adds the method and the whole URL, which tell a reader
	// nothing that Op and Host do not.
	if outer, ok := errors.AsType[*url.Error](err); ok {
		err = outer.Err
	}
	return &ConnectionError{Op: k.op, Host: k.endpoint.url.Host, Sent: sent, Err: err, call: k, scrub: c.scrub}
}

func isTimeout(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout() || errors.Is(err, context.DeadlineExceeded)
}

func isTLS(err error) bool {
	var (
		verify    *tls.CertificateVerificationError
		record    tls.RecordHeaderError
		alert     tls.AlertError
		authority x509.UnknownAuthorityError
		hostname  x509.HostnameError
		invalid   x509.CertificateInvalidError
	)
	return errors.As(err, &verify) || errors.As(err, &record) || errors.As(err, &alert) ||
		errors.As(err, &authority) || errors.As(err, &hostname) || errors.As(err, &invalid) ||
		strings.Contains(err.Error(), "HTTP response to HTTPS client") ||
		strings.Contains(err.Error(), "TLS handshake")
}

// cause is the cause's text, fit to stand in a sentence.
func (e *ConnectionError) cause() string { return e.scrub.line(e.Err.Error()) }
