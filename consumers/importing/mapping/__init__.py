"""The mapping language: TOML in, functions over a row's cells out. Validated wholly before a row is read."""
