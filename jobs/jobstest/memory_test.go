package jobstest_test

import (
	"testing"

	"github.com/anything-mcp/anything-mcp/jobs"
	"github.com/anything-mcp/anything-mcp/jobs/jobstest"
)

func TestMemory(t *testing.T) {
	jobstest.Test(t, func(*testing.T) jobs.Store { return jobstest.NewMemory() })
}
