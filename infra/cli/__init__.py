"""The command line `crm` (a main file, as a package: one module a command)."""

from infra.cli.main import main

__all__ = ["main"]
