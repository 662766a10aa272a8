package cli

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/text"
)

// finding is what a check of the command doctor has found.
type finding struct {
	Check  string `json:"check"`
	Status string `json:"status"`
	Text   string `json:"text"`
	Remedy string `json:"remedy,omitempty"`
}

// The states of findings.
const (
	fine    = "ok"
	warning = "warning"
	problem = "problem"
)

func (p *program) doctorCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "doctor",
		GroupID: setupGroup,
		Short:   "Check that everything is set up, and say what to do if not",
		Long: `Check this program, the key, Notte's services, the proxy and the certificates, where
builds are kept, the MCP hosts and the clock. Nothing is built and nothing is billed.
The exit code is 1 if there is a problem. With --sandbox, check the sandbox in the
place of Notte's services.`,
		Example: `  anything-mcp doctor
  anything-mcp doctor --json | jq '.[] | select(.status != "ok")'`,
		Args: cobra.NoArgs,
	}
	var dir string
	addBool(cmd.Flags(), &asJSON, "json", "Print JSON: objects with check, status, text and remedy.")
	addStateDir(cmd.Flags(), &dir, "builds and runs")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return p.examine(cmd, dir, asJSON) }
	return cmd
}

// examine is the command doctor.
func (p *program) examine(cmd *cobra.Command, stateDir string, asJSON bool) error {
	d := &doctor{program: p, ctx: cmd.Context(), show: !asJSON}
	d.checkProgram()
	d.checkVariables(cmd.Root())
	d.checkNetwork()
	d.checkAccount(stateDir)
	d.checkHosts()
	if asJSON {
		raw, err := text.JSON(d.findings)
		if err := p.printJSON(raw, err); err != nil {
			return err
		}
	}
	for _, f := range d.findings {
		if f.Status == problem {
			return errFailed
		}
	}
	return d.failed
}

// doctor collects findings.
type doctor struct {
	*program
	ctx      context.Context
	show     bool // each at once
	findings []finding
	failed   error // of showing them
}

// add adds a finding. Texts may come from other programs and services.
func (d *doctor) add(check, status, remedy, format string, args ...any) {
	f := finding{check, status, d.secrets.Redact(text.OneLine(fmt.Sprintf(format, args...), maxLogText)), remedy}
	d.findings = append(d.findings, f)
	if !d.show {
		return
	}
	line := hangingIndent(fmt.Sprintf("%-8s %s", f.Status, f.Check), f.Text, 28, columns(d.env.Stdout))
	if f.Remedy != "" {
		line += hangingIndent("", "→ "+f.Remedy, 28, columns(d.env.Stdout))
	}
	if err := d.print(line); err != nil {
		d.failed = err
	}
}

func (d *doctor) checkProgram() {
	v := readVersion()
	exe, err := os.Executable()
	if err != nil {
		d.add("program", warning, "", "version %s; its file is not known: %v", v.version, err)
		return
	}
	d.add("program", fine, "", "version %s, commit %s, %s", v.version, v.commit, exe)
}

// checkVariables checks the variables that a server would read.
func (d *doctor) checkVariables(root *cobra.Command) {
	var flags pflag.FlagSet
	flags.AddFlagSet(root.Flags()) // those of the command stdio
	flags.AddFlagSet(root.PersistentFlags())
	for _, f := range d.vars.set(&flags) {
		remedy := "set " + f.name + " to a value that it takes, or remove it"
		switch {
		case f.value == "":
		case f.err == nil:
			d.add("settings", warning, remedy, "%s counts as not set: it holds a placeholder (%s)", f.name, f.value)
		case slices.Contains(harmless, f.flag.Name):
			d.add("settings", warning, remedy, "the default is used: %v", f.err)
		default:
			d.add("settings", problem, remedy, "%v", f.err)
		}
	}
	for _, name := range d.vars.unknown(root) {
		d.add("settings", warning, "correct the name, or remove the variable", "no setting is called %s: it may be misspelt", name)
	}
}

// checkNetwork checks the settings of the proxy and of certificates.
func (d *doctor) checkNetwork() {
	var names []string
	for _, upper := range passedOn[:4] {
		if name, _ := d.vars.firstOf(upper); name != "" {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		d.add("proxy", fine, "", "none is set")
	} else {
		d.add("proxy", fine, "", "set by %s", strings.Join(names, ", "))
	}
	own := false
	for _, name := range passedOn[4:] {
		if value := d.vars[name]; value != "" {
			own = true
			if _, err := os.Stat(value); err != nil {
				d.add("certificates", problem, "set "+name+" to what exists, or remove it", "%s is %s, which cannot be read", name, value)
			} else {
				d.add("certificates", fine, "", "those in %s, by %s", value, name)
			}
		}
	}
	if !own {
		d.add("certificates", fine, "", "those of the system")
	}
}

// checkAccount checks the key, Notte's services, the clock and what is kept.
func (d *doctor) checkAccount(stateDir string) {
	cfg := d.clientConfig()
	dir, dirErr := d.keptIn(stateDir)
	if d.settings.sandbox {
		a := &app{log: d.log, closeSandbox: func() {}}
		a.startSandbox(&cfg, d.sandboxOptions(""))
		defer a.closeSandbox()
		d.add("key", fine, "", "the sandbox needs none")
	} else {
		d.checkKey(&cfg)
	}
	client, err := notte.NewClient(cfg)
	if err != nil {
		d.add("settings", problem, "correct the setting", "%v", err)
		client, _ = notte.NewClient(notte.Config{Key: cfg.Key})
	} else {
		d.checkServices(client)
	}
	if dirErr != nil {
		d.add("state", problem, "set --state-dir to another directory", "%v", dirErr)
		return
	}
	d.checkState(dir, client)
}

func (d *doctor) checkKey(cfg *notte.Config) {
	key, err := d.findKey(d.ctx)
	remedy := "get a key at https://console.notte.cc, and keep it with anything-mcp login"
	switch {
	case err != nil:
		d.add("key", problem, remedy, "%v", err)
	case key.Value == "":
		d.add("key", problem, remedy, "there is none")
	default:
		d.add("key", fine, "", "from %s, and ends in %s", key.Place, lastOf(key))
		cfg.Key, cfg.Names.Key = notte.APIKey(key.Value), key.Place
	}
}

// checkServices asks both of Notte's services, the first with the key, and compares the
// clocks.
func (d *doctor) checkServices(client *notte.Client) {
	remedy := "correct what the text names, and try again"
	var date time.Time
	for _, api := range []string{notte.FunctionsAPI, notte.AnythingAPI} {
		answer, err := client.Reach(d.ctx, api)
		if err != nil {
			d.add(api, problem, remedy, "%v", err)
			continue
		}
		if !answer.Date.IsZero() {
			date = answer.Date
		}
		status := fine
		if strings.HasPrefix(answer.Status, "5") {
			status = warning
		}
		d.add(api, status, "", "%s answers: %s", answer.Host, answer.Status)
		if api == notte.FunctionsAPI && client.Ready() == nil {
			if _, err := client.ListFunctions(d.ctx, 1, 1); err != nil {
				d.add("account", problem, remedy, "%v", err)
			} else {
				d.add("account", fine, "", "the key is accepted")
			}
		}
	}
	d.checkClock(date)
}

// maxSkew is how far the clock may be off. Certificates and tokens tolerate minutes.
const maxSkew = 5 * time.Minute

func (d *doctor) checkClock(date time.Time) {
	skew := time.Since(date)
	switch {
	case date.IsZero():
		d.add("clock", fine, "", "%s; there is no other clock to compare with", time.Now().Format(http.TimeFormat))
	case skew.Abs() > maxSkew:
		d.add("clock", problem, "set the clock of this computer", "it is %s away from that of Notte", text.Duration(skew.Abs().Truncate(time.Second)))
	default:
		d.add("clock", fine, "", "it agrees with that of Notte")
	}
}

// checkState checks where builds and runs are kept.
func (d *doctor) checkState(dir string, client *notte.Client) {
	if dir == "" {
		d.add("state", warning, "set --state-dir to a directory", "builds and runs are kept in memory only")
		return
	}
	if _, err := os.Stat(dir); os.IsNotExist(err) {
		d.add("state", fine, "", "%s, which the first build makes", dir)
		return
	}
	remedy := "make the directory yours and writable, or set --state-dir to another"
	f, err := os.CreateTemp(dir, ".doctor.*")
	if err != nil {
		d.add("state", problem, remedy, "%s cannot be written: %v", dir, err)
		return
	}
	f.Close()
	os.Remove(f.Name())
	store := d.newStore(dir)
	defer store.Close()
	jobsKept := 0
	for _, kind := range []jobs.Kind{jobs.KindBuild, jobs.KindRun, jobs.KindBatch} {
		list, err := store.List(d.ctx, jobs.Query{Owner: client.Owner(), Kind: kind, Limit: 1000})
		if err != nil {
			d.add("state", problem, remedy, "%v", err)
			return
		}
		jobsKept += len(list)
	}
	d.add("state", fine, "", "%s, yours and writable, with %s of this key, %.1f MB", dir, plural(jobsKept, "job"), float64(sizeOf(dir))/1e6)
}

// sizeOf returns how many bytes the files in a directory have.
func sizeOf(dir string) (total int64) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if info, err := os.Stat(filepath.Join(dir, e.Name())); err == nil && info.Mode().IsRegular() {
			total += info.Size()
		}
	}
	return total
}
