package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
)

// applicationID marks a database as ours: "anyj" in ASCII.
const applicationID = 0x616e796a

// The schema's versions, each the step from the one before. A step that has
// been released is never changed.
//
//go:embed schema/*.sql
var schema embed.FS

// migrations reads the steps in order: the first leads to version 1.
func migrations() []string {
	var steps []string
	for {
		step, err := schema.ReadFile(fmt.Sprintf("schema/%d.sql", len(steps)+1))
		if err != nil {
			return steps // the series has ended
		}
		steps = append(steps, string(step))
	}
}

// migrate brings a database to the newest version, in one transaction. What is
// not ours, or newer than we know, is left as it is.
func migrate(ctx context.Context, conn *sql.Conn, steps []string) error {
	version, err := schemaVersion(ctx, conn, len(steps))
	if err != nil || version == len(steps) {
		return err
	}
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if err := applySteps(ctx, conn, steps); err != nil {
		_, rollback := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		return errors.Join(err, rollback)
	}
	if _, err := conn.ExecContext(ctx, "COMMIT"); err != nil {
		return err
	}
	// Remove what the steps deleted, such as readable links, from the write-ahead
	// log too. This is best effort: it waits for other processes that read, and
	// those can go on for longer than the busy timeout.
	_, _ = conn.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return nil
}

// applySteps takes the steps that are missing. Another process may have taken them
// while this one waited for its turn.
func applySteps(ctx context.Context, conn *sql.Conn, steps []string) error {
	version, err := schemaVersion(ctx, conn, len(steps))
	if err != nil {
		return err
	}
	for ; version < len(steps); version++ {
		if _, err := conn.ExecContext(ctx, steps[version]); err != nil {
			return fmt.Errorf("bring it to version %d: %w", version+1, err)
		}
	}
	_, err = conn.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", applicationID, version))
	return err
}

// schemaVersion returns the version of a database of ours, 0 for one without
// anything in it.
func schemaVersion(ctx context.Context, conn *sql.Conn, newest int) (int, error) {
	var application, version, tables int
	// One statement, so that no other process makes the database in between.
	err := conn.QueryRowContext(ctx, `SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema)
		FROM pragma_application_id, pragma_user_version`).Scan(&application, &version, &tables)
	if err != nil {
		return 0, err
	}
	switch {
	case application == 0 && version == 0 && tables == 0:
		return 0, nil
	case application != applicationID:
		return 0, errForeign
	case version > newest:
		return 0, fmt.Errorf("%w: it has version %d, and the newest that this program knows is %d", errNewer, version, newest)
	}
	return version, nil
}
