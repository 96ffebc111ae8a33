"""Files in, rows out: exact line numbers, and a row that cannot be read is a row with a reason, never an end."""
