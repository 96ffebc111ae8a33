"""PostgreSQL: the embedded server, connections, the schemas."""
