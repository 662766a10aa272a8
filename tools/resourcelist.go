package tools

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/anything-mcp/anything-mcp/functions"
	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/notte"
	"github.com/anything-mcp/anything-mcp/text"
)

// maxListed bounds how many ended builds and batches are listed as resources.
const maxListed = 20

// listResources adds the caller's resources to a list. Without a caller, or if they
// cannot be read, it adds nothing: hosts ask for the list when they start, and an error
// would look like a broken server.
func (s *service) listResources(ctx context.Context, _ any, _ *mcp.ListResourcesRequest, result *mcp.ListResourcesResult) {
	c, err := s.caller(ctx)
	if err != nil {
		return
	}
	list, err := s.resourcesOf(ctx, c.Client)
	if err != nil {
		s.Logger.Debug("the resources could not be listed", "err", logLine(err.Error()))
		return
	}
	s.shelf.put(c.Client, list)
	result.Resources = append(result.Resources, list...)
}

// resourcesOf returns the resources of a client's account that are listed: its pinned
// functions, and its newest ended builds and batches.
func (s *service) resourcesOf(ctx context.Context, client *notte.Client) (list []mcp.Resource, err error) {
	pins, err := s.pinsOf(ctx, always(client))
	if err != nil {
		return nil, err
	}
	for _, p := range pins.pins {
		if p.State != functions.PinGone {
			list = append(list, functionResource(p))
		}
	}
	var ended []jobs.Job
	for _, kind := range []jobs.Kind{jobs.KindBuild, jobs.KindBatch} {
		some, err := s.Jobs.List(ctx, jobs.Query{Owner: client.Owner(), Kind: kind, Ended: true, Limit: maxListed})
		if err != nil {
			return nil, err
		}
		ended = append(ended, some...)
	}
	slices.SortStableFunc(ended, func(a, b jobs.Job) int { return b.StartedAt.Compare(a.StartedAt) })
	for _, job := range ended[:min(maxListed, len(ended))] {
		list = append(list, jobResource(job))
	}
	return list, nil
}

func functionResource(p functions.Pin) mcp.Resource {
	r := mcp.NewResource("function://"+p.FunctionID, p.Name, mcp.WithMIMEType(typeJSON), mcp.WithResourceDescription("Pinned function"))
	r.Title = p.Title
	return r
}

func jobResource(job jobs.Job) mcp.Resource {
	if job.Kind == jobs.KindBuild {
		return buildResource(job)
	}
	description := fmt.Sprintf("Results of a batch that ended as %s: %s", job.State, job.Batch.Tally)
	r := mcp.NewResource(batchURI(job.ID), job.ID, mcp.WithMIMEType(typeLines), mcp.WithResourceDescription(description))
	r.Title = "Batch of " + text.OneLine(job.FunctionID(), listedQuery)
	r.Annotations = &mcp.Annotations{LastModified: formatTime(job.EndedAt)}
	return r
}

// batchURI returns the URI of the results of a batch.
func batchURI(id string) string { return "batch://" + id + "/results" }

func buildResource(job jobs.Job) mcp.Resource {
	description := "Build that ended as " + string(job.State)
	if name := text.OneLine(job.Build.FunctionName, listedQuery); name != "" {
		description += ". Its function: " + name
	}
	r := mcp.NewResource("build://"+job.ID, job.ID, mcp.WithMIMEType(typeJSON), mcp.WithResourceDescription(description))
	r.Title = cmp.Or(text.OneLine(job.Build.Query, listedQuery), job.ID)
	r.Annotations = &mcp.Annotations{LastModified: formatTime(job.EndedAt)}
	return r
}
