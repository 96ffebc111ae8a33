"""What a killed run left behind is ended; what another run still uses is not."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from infra.postgres.process import ServerProcess
from tests.infra.postgres.processes import Program
from tests.scratch import sweep

RUN = """
from infra.postgres.server import open_server
from tests.scratch import scratch_folder
with scratch_folder() as folder, open_server(folder / "data"):
    print(folder, flush=True)
    input()
"""


@pytest.mark.parametrize("killed", [True, False])
def test_only_the_folder_of_a_run_that_is_gone_is_cleared(killed: bool) -> None:
    with Program(RUN) as run:
        folder = Path(run.line())
        if killed:
            run.kill()
        os.utime(folder, (time.time() - 100, time.time() - 100))
        server = ServerProcess(folder / "data")
        sweep()
        if killed:
            assert not folder.exists()
        else:
            assert server.alive()
            run.end()
            assert not folder.exists()
