"""Our persistence module for the `eventsourcing` library: events go to the log, selects read the index, snapshots and
checkpoints are in PostgreSQL. The library carries the write side; without it no command works."""
