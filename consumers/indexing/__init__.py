"""The indexer: reads the log in order, applies the acceptance rule, writes the index."""
