"""Leases: who follows which partition. A PostgreSQL advisory lock each, held by a session; a dead holder's falls to the others."""

from __future__ import annotations

from hashlib import sha256

from infra.postgres.connection import Cursor


def take_lease(cursor: Cursor, name: str) -> bool:
    """Take the lease for this session if it is free; it ends with the session."""
    number = int.from_bytes(sha256(f"annals lease {name}".encode()).digest()[:8], "big", signed=True)
    cursor.execute("SELECT pg_try_advisory_lock(%s)", (number,))
    row = cursor.fetchone()
    return bool(row and row[0])
