"""The log: one contract, two logs (Kafka; PostgreSQL tables for a laptop or a small shop)."""
