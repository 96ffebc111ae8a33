"""Read models: per module its tables, its fold, its queries. All can be thrown away, and come back the same."""
