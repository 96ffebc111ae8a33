"""The log, the codec, the event store, PostgreSQL, keys, settings, the command line."""
