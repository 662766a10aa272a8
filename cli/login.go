package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/anything-mcp/anything-mcp/keys"
	"github.com/anything-mcp/anything-mcp/notte"
)

func (p *program) loginCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "login",
		GroupID: setupGroup,
		Short:   "Keep your Notte key where the server finds it",
		Long: `Keep your Notte key in the system's keyring, where this server finds it whatever
host starts it. Where there is no keyring, the key is kept in a file that only you
can read. Get the key at https://console.notte.cc.

The key is asked for, or read from stdin if that is no terminal.`,
		Example: `  anything-mcp login
  op read op://private/notte/key | anything-mcp login`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.login(cmd.Context()) },
	}
}

func (p *program) login(ctx context.Context) error {
	line, err := p.askKey()
	if err != nil {
		return err
	}
	key, err := p.givenKey([]byte(line), "the input")
	if err != nil {
		return usageErrorf("%w: get one at https://console.notte.cc", err)
	}
	if _, err := notte.NewClient(notte.Config{Key: notte.APIKey(key.Value), Names: notte.SettingNames{Key: "the input"}}); err != nil {
		return usageErrorf("%w", err)
	}
	place, why, err := p.keyPlaces().Save(ctx, key.Value)
	if err != nil {
		return fmt.Errorf("the key could not be kept in %s: %w", place, err)
	}
	if why != nil {
		return p.print(fmt.Sprintf("The key is kept in plain text in the file %s, which only you can read, because the keyring cannot be used: %v.\n", place, why))
	}
	return p.print("The key is kept in " + place + ".\n")
}

// askKey reads a line from stdin, which does not show on a terminal.
func (p *program) askKey() (string, error) {
	if file, ok := p.env.Stdin.(*os.File); ok && isTerminal(file) {
		fmt.Fprint(p.screen, "Notte API key (it does not show): ")
		line, err := term.ReadPassword(int(file.Fd()))
		fmt.Fprintln(p.screen)
		return string(line), err
	}
	line, err := bufio.NewReader(io.LimitReader(p.env.Stdin, 1<<16)).ReadString('\n')
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return line, err
}

func (p *program) logoutCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "logout",
		GroupID: setupGroup,
		Short:   "Forget the key that login keeps",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			places, err := p.keyPlaces().Delete(cmd.Context())
			if err != nil {
				return fmt.Errorf("the key could not be deleted: %w", err)
			}
			report := "No key was kept.\n"
			if len(places) > 0 {
				report = "The key was deleted from " + strings.Join(places, " and ") + ".\n"
			}
			if key, _ := p.findKey(cmd.Context()); key.Value != "" {
				report += "The server still finds a key in " + key.Place + ".\n"
			}
			return p.print(report)
		},
	}
}

func (p *program) whoamiCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "whoami",
		GroupID: setupGroup,
		Short:   "Say where the key is found, and its last characters",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if p.settings.sandbox {
				return p.print("The sandbox needs no key.\n")
			}
			key, err := p.findKey(cmd.Context())
			switch {
			case err != nil:
				return err
			case key.Value == "":
				return notte.ErrNoKey
			}
			return p.print(fmt.Sprintf("The key is from %s and ends in %s\n", key.Place, lastOf(key)))
		},
	}
}

// lastOf returns the last four characters of a key, or none of a short one.
func lastOf(key keys.Key) string {
	runes := []rune(key.Value)
	if len(runes) < 12 {
		return "…"
	}
	return "…" + string(runes[len(runes)-4:])
}
