"""The product's own projecting process, in batches so small that a kill falls between two of them. Run as a module."""

from __future__ import annotations

import sys

from consumers.__main__ import main
from consumers.projecting import projector

if __name__ == "__main__":
    projector.BATCH_OFFSETS = 3
    sys.exit(main(["project"]))
