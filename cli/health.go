package cli

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

// healthTimeout bounds a health check.
const healthTimeout = 3 * time.Second

func (p *program) healthCommand() *cobra.Command {
	var flags listenFlags
	cmd := &cobra.Command{
		Use:     "health",
		GroupID: serverGroup,
		Short:   "Check that the server of the command http answers",
		Long: `Check that the server of the command http answers at /healthz, within 3 seconds.
The exit code is 0 if it does and 1 if not. A container's health check can use
it: it reads the address and the certificate from the same variables as http.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.checkHealth(cmd.Context(), flags) },
	}
	flags.add(cmd.Flags())
	return cmd
}

// checkHealth asks the server at the address in flags whether it is up.
func (p *program) checkHealth(ctx context.Context, flags listenFlags) error {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	url := flags.url("/healthz")
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if _, _, invalid := net.SplitHostPort(flags.addr); err != nil || invalid != nil {
		return usageErrorf("the address %q is not a host and a port: write it like 127.0.0.1:8808", flags.addr)
	}
	client := http.Client{Transport: &http.Transport{
		// The certificate is for the name that clients use, not for this address.
		// Nothing secret is sent.
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
	}}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("no server answers: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered with %s", url, resp.Status)
	}
	return p.print("the server at " + url + " is up\n")
}
