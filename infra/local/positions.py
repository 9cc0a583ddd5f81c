"""Stream positions of the consumers in a file: the next run continues where this one ended or was killed."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from infra.local.stream import Position


class PositionsDamaged(Exception):
    """The file does not hold positions."""


class Positions:
    def __init__(self, path: Path, stream_arn: str) -> None:
        """Read the file; positions in another stream are ignored. Raises PositionsDamaged."""
        self._path = path
        self._arn = stream_arn
        self._lock = threading.Lock()
        stored = load(path)
        is_same_stream = stored is not None and stored["stream"] == stream_arn
        self._positions: dict[str, Position] = stored["positions"] if stored and is_same_stream else {}

    def of(self, consumer: str) -> Position:
        return dict(self._positions.get(consumer, {}))

    def passed_by_all(self, consumers: Iterable[str]) -> Position:
        """Return the lowest position of these consumers in each shard that all of them have read."""
        with self._lock:
            positions = [self._positions.get(consumer, {}) for consumer in consumers]
        shards = set.intersection(*(set(position) for position in positions))
        return {shard: min((position[shard] for position in positions), key=int) for shard in shards}

    def save(self, consumer: str, position: Position) -> None:
        """Save atomically: whenever the process ends, the file holds the old or the new positions."""
        with self._lock:
            self._positions[consumer] = dict(position)
            draft = self._path.with_suffix(".draft")
            with draft.open("w") as file:
                json.dump({"stream": self._arn, "positions": self._positions}, file)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._path)


def load(path: Path) -> dict[str, Any] | None:
    """Return the content of the file, None if there is no file. Raises PositionsDamaged."""
    try:
        stored = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise PositionsDamaged(f"{path} cannot be read: {error}") from error
    if not _is_valid(stored):
        raise PositionsDamaged(f"{path} holds no stream positions")
    return stored  # type: ignore[no-any-return]  # checked above


def _is_valid(stored: Any) -> bool:
    match stored:
        case {"stream": str(), "positions": dict(positions)}:
            return all(
                isinstance(position, dict)
                and all(isinstance(number, str) and number.isdigit() for number in position.values())
                for position in positions.values()
            )
    return False
