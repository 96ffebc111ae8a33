"""Processes that follow the log or the outside world: indexer, projector, importer."""
