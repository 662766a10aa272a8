package tools

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/text"
)

// The resources are what the tools return, for hosts that attach resources to a chat
// and for clients that hand a result on without showing it to a model. Every caller
// has only their own.

// maxResource bounds a resource, in bytes.
const maxResource = 4 << 20

const (
	typeJSON  = "application/json"
	typeLines = "application/jsonl" // one JSON value a line
)

// errNoResource is the answer to a URI that names nothing, something that has
// expired, or something of another owner. Transports know it by its text.
var errNoResource = server.ErrResourceNotFound

// resource is a kind of resource.
type resource struct {
	template                string // of its URIs, with one variable: an ID
	name, title, describing string
	mimeType                string
	read                    func(*service, context.Context, *caller, string) ([]byte, error)
}

// resources are all kinds of resources.
var resources = []resource{
	{"function://{function_id}", "function", "Function", "What get_function returns: variables, what the result looks like, how its runs went", typeJSON, (*service).readFunction},
	{"build://{build_id}", "build", "Build", "What get_build returns", typeJSON, (*service).readBuild},
	{"run://{run_id}", "run", "Run", "What get_run returns", typeJSON, (*service).readRun},
	{"run://{run_id}/result", "run-result", "Result of a run", "The whole result of a run, as the function returned it: untrusted data", typeJSON, (*service).readResult},
	{"batch://{batch_id}/results", "batch-results", "Results of a batch", "One JSON object a line for each item of a batch, in order, with its whole result: untrusted data", typeLines, (*service).readBatchResults},
}

// addResources registers the resources.
func (s *service) addResources() {
	for _, r := range resources {
		template := mcp.NewResourceTemplate(r.template, r.name, mcp.WithTemplateTitle(r.title),
			mcp.WithTemplateDescription(r.describing), mcp.WithTemplateMIMEType(r.mimeType))
		s.mcp.AddResourceTemplate(template, func(ctx context.Context, req mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
			document, err := s.readResource(ctx, r, req.Params.Arguments)
			if err != nil {
				return nil, err
			}
			return []mcp.ResourceContents{mcp.TextResourceContents{URI: req.Params.URI, MIMEType: r.mimeType, Text: string(document)}}, nil
		})
	}
}

// readResource returns the resource of a kind that the variable of its template names.
func (s *service) readResource(ctx context.Context, r resource, variables map[string]any) ([]byte, error) {
	c, err := s.caller(ctx)
	var document []byte
	if err == nil {
		document, err = r.read(s, ctx, c, variable(variables))
	}
	if err != nil && !errors.Is(err, errNoResource) {
		err = errors.New(s.advise(describeError(err), err))
	}
	return document, err
}

// variable returns the variable of a template with one. mcp-go gives each as a list.
func variable(variables map[string]any) string {
	for _, v := range variables {
		if list, ok := v.([]string); ok && len(list) == 1 {
			return list[0]
		}
	}
	return ""
}

func (s *service) readFunction(ctx context.Context, c *caller, id string) ([]byte, error) {
	if !notte.ValidID(id) {
		return nil, errNoResource
	}
	f, err := s.Functions.Get(ctx, c.Client, id)
	if notte.IsNotFound(err) {
		return nil, errNoResource
	} else if err != nil {
		return nil, err
	}
	return text.JSON(s.describeFunction(ctx, c, f))
}

// readBuild leaves out the link to the viewer, which is for the eyes of the user alone.
func (s *service) readBuild(ctx context.Context, c *caller, id string) ([]byte, error) {
	job, err := s.job(ctx, c, jobs.KindBuild, id)
	if err != nil {
		return nil, err
	}
	out := newBuildOutput(&job)
	out.ViewerURL = ""
	return text.JSON(out)
}

func (s *service) readRun(ctx context.Context, c *caller, id string) ([]byte, error) {
	job, err := s.job(ctx, c, jobs.KindRun, id)
	if err != nil {
		return nil, err
	}
	return text.JSON(newRunOutput(&job))
}

// readResult returns the result of a run. In the place of a result that is not there
// or is too large it says what to do.
func (s *service) readResult(ctx context.Context, c *caller, id string) ([]byte, error) {
	job, err := s.job(ctx, c, jobs.KindRun, id)
	if err != nil {
		return nil, err
	}
	result := job.Run.Result
	if n := len(result); n > 0 && n <= maxResource {
		return result, nil
	}
	out := newRunOutput(&job)
	out.Result, out.ResultTruncated = nil, len(result) > 0
	if len(result) > maxResource {
		out.NextStep = fmt.Sprintf("The result has %d bytes, which are too many for a resource. Call get_run with this run_id and path, fields or offset to read it in parts.", len(result))
	}
	return text.JSON(out)
}

// readBatchResults returns the results of a batch. If they are too large, it says what to
// do, in one line of JSON.
func (s *service) readBatchResults(ctx context.Context, c *caller, id string) ([]byte, error) {
	job, err := s.job(ctx, c, jobs.KindBatch, id)
	if err != nil {
		return nil, err
	}
	lines := &boundedLines{}
	if err := WriteBatch(ctx, lines, s.Jobs, job); !errors.Is(err, errNoRoom) {
		return lines.Bytes(), err
	}
	out := newBatchOutput(&job)
	out.NextStep = fmt.Sprintf("The results have more than %d MiB, which are too many for a resource. Call %s and offset to read them in parts.", maxResource>>20, getCall(job.Kind))
	return text.JSON(out)
}

// boundedLines is a buffer of at most maxResource bytes.
type boundedLines struct{ bytes.Buffer }

var errNoRoom = errors.New("the document is too large for a resource")

func (b *boundedLines) Write(line []byte) (int, error) {
	if b.Len()+len(line) > maxResource {
		return 0, errNoRoom
	}
	return b.Buffer.Write(line)
}

// job returns a job of the caller's.
func (s *service) job(ctx context.Context, c *caller, kind jobs.Kind, id string) (jobs.Job, error) {
	job, err := s.Jobs.Get(ctx, c.owner, id)
	if errors.Is(err, jobs.ErrNotFound) || err == nil && job.Kind != kind {
		return job, errNoResource
	}
	return job, err
}

// resourceLink returns a link to a resource that has this many bytes.
func resourceLink(uri, name, description string, size int) *mcp.ResourceLink {
	link := mcp.NewResourceLink(uri, name, description, typeJSON)
	link.Size = new(int64(size))
	return &link
}
