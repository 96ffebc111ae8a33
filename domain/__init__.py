"""The rules: pure deciders over frozen dataclasses. No clock, no random, no I/O."""
