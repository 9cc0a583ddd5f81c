"""The watch reports an engine that has ended or hangs, and none that answers."""

from __future__ import annotations

import queue
import signal
from collections.abc import Iterator

import pytest

from infra.local.engine import Engine, Store, configured_store, running
from infra.local.watch import Watch

pytestmark = pytest.mark.skipif(configured_store() is not Store.DYNOXIDE, reason="moto runs in this process")


@pytest.fixture
def engine() -> Iterator[Engine]:
    with running(Store.DYNOXIDE) as engine:
        yield engine


def _watched(engine: Engine, patience_seconds: float) -> queue.Queue[str]:
    reasons: queue.Queue[str] = queue.Queue()
    assert engine.process is not None
    Watch(engine.process, engine.client, reasons.put, patience_seconds).start()
    return reasons


def test_a_killed_engine(engine: Engine) -> None:
    reasons = _watched(engine, patience_seconds=600)
    assert engine.process is not None
    engine.process.kill()
    assert reasons.get(timeout=120) == "the engine has ended, with exit code -9"


def test_a_hung_engine_is_ended(engine: Engine) -> None:
    reasons = _watched(engine, patience_seconds=4)
    assert engine.process is not None
    engine.process.send_signal(signal.SIGSTOP)
    assert reasons.get(timeout=120) == "the engine has not answered for 4 s"
    assert engine.process.wait(timeout=120) == -signal.SIGKILL
    assert reasons.empty()


def test_an_engine_that_answers(engine: Engine) -> None:
    reasons = _watched(engine, patience_seconds=20)
    with pytest.raises(queue.Empty):
        reasons.get(timeout=3)
