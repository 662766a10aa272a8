package tools

import "github.com/mark3labs/mcp-go/mcp"

// maxResource bounds a resource, in bytes.
const maxResource = 4 << 20

// resourceLink returns a link to a resource of JSON that has this many bytes.
func resourceLink(uri, name, description string, size int) *mcp.ResourceLink {
	link := mcp.NewResourceLink(uri, name, description, "application/json")
	link.Size = new(int64(size))
	return &link
}
