"""Real files into the log: a mapping says how rows become facts; everything else is here. `docs/import.md` is the manual."""
