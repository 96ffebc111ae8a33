"""The log is asked whether it is there only when it has been silent, and all who wait share the answer."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from infra.log import pulse
from infra.log.contract import LogUnreachable
from infra.log.pulse import Pulse


def test_it_asks_when_there_was_no_answer_and_not_again_within_a_second() -> None:
    asked: list[float] = []
    one = Pulse(asked.append)
    one.confirm()
    one.confirm()
    assert asked == [pulse.PATIENCE_SECONDS]


def test_an_acknowledgement_is_an_answer() -> None:
    asked: list[float] = []
    one = Pulse(asked.append)
    one.answered()
    one.confirm()
    assert asked == []


def test_it_asks_again_after_a_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []
    one = Pulse(asked.append)
    one.confirm()
    now = time.monotonic()
    monkeypatch.setattr(pulse, "monotonic", lambda: now + 1.1)
    one.confirm()
    assert len(asked) == 2


def test_all_who_wait_fail_together_and_who_comes_later_asks_anew() -> None:
    asked: list[float] = []

    def ask(timeout: float) -> None:
        asked.append(timeout)
        time.sleep(0.4)
        raise LogUnreachable("No answer.")

    one = Pulse(ask)
    begin = time.monotonic()
    with ThreadPoolExecutor(20) as pool:
        futures = [pool.submit(one.confirm) for _ in range(20)]
        assert all(isinstance(future.exception(), LogUnreachable) for future in futures)
    assert len(asked) == 1
    assert time.monotonic() - begin < 5
    with pytest.raises(LogUnreachable, match="No answer"):
        one.confirm()
    assert len(asked) == 2


def test_all_who_wait_share_one_answer() -> None:
    asked: list[float] = []
    let = threading.Event()

    def ask(timeout: float) -> None:
        asked.append(timeout)
        let.wait(5)

    one = Pulse(ask)
    with ThreadPoolExecutor(10) as pool:
        futures = [pool.submit(one.confirm) for _ in range(10)]
        let.set()
        assert [future.result(5) for future in futures] == [None] * 10
    assert len(asked) == 1
