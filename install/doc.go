// Package install writes an MCP server into the configuration files of MCP hosts, and
// takes it out again.
//
// It edits the text of a file where the entry of the server is, and leaves all other
// bytes as they were. A file that it cannot read for certain is refused and not touched.
// The hosts are a table in hosts.go.
package install
