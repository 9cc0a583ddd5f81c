"""`infra/resources.yaml`, the one definition of table and queues, as read outside CloudFormation."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from infra.local.event_filter import EventFilter

RESOURCES = Path(__file__).parents[1] / "resources.yaml"


class _Loader(yaml.SafeLoader):
    """A loader for CloudFormation's short tags: `!Ref x` becomes `{"Ref": x}`, `!Sub x` becomes `{"Fn::Sub": x}`."""


def _intrinsic(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.MappingNode):
        value: Any = loader.construct_mapping(node, deep=True)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.ScalarNode)
        value = loader.construct_scalar(node)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _intrinsic)


@cache
def load(path: Path = RESOURCES) -> dict[str, Any]:
    with path.open(encoding="utf-8") as text:
        # A subclass of SafeLoader: it builds plain values only.
        template: dict[str, Any] = yaml.load(text, Loader=_Loader)  # noqa: S506  a safe loader with CloudFormation's tags
    return template


def properties(logical_id: str, path: Path = RESOURCES) -> dict[str, Any]:
    values: dict[str, Any] = load(path)["Resources"][logical_id]["Properties"]
    return values


class StreamSource(NamedTuple):
    """The settings of a function's event source on the table's stream."""

    batch_size: int
    retries: int
    bisects: bool
    filter: EventFilter


def stream_source(function: str) -> StreamSource:
    """Return the settings of a function, by its name in `app.py`."""
    logical_id = function.title().replace("_", "")
    (event,) = properties(logical_id)["Events"].values()
    source = event["Properties"]
    return StreamSource(
        batch_size=source["BatchSize"],
        retries=source["MaximumRetryAttempts"],
        bisects=source["BisectBatchOnFunctionError"],
        filter=EventFilter(source.get("FilterCriteria")),
    )
