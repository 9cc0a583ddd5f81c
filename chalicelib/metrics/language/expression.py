"""Expressions: trees of operations over aggregations and constants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import Field, WrapValidator, model_validator

from chalicelib.core.contracts import Body
from chalicelib.core.messages import one_of
from chalicelib.metrics.language.aggregation import Aggregation, SimpleOperand, SnapshotOperand
from chalicelib.metrics.language.conditions import Number
from chalicelib.metrics.language.errors import OneOf, QueryErrors, refused
from chalicelib.metrics.language.units import RESULTS, Operation, apply
from chalicelib.metrics.rollups.sources.fields import Unit

MAX_DEPTH = 4
"""Limit of nested operations."""
MAX_NODES = 20
"""Limit of operations and operands together."""


class Constant(Body):
    type: Literal["constant"]
    value: Number
    unit: Annotated[Unit, Field(strict=False)] = Unit.NUMBER


class OperationNode(Body):
    type: Literal["add", "sub", "mul", "div"]
    left: Node
    right: Node

    @property
    def operation(self) -> Operation:
        return Operation(self.type)

    @property
    def unit(self) -> Unit:
        return RESULTS[self.operation][self.left.unit, self.right.unit]

    @model_validator(mode="after")
    def check_units(self) -> Self:
        left, right = self.left.unit, self.right.unit
        if (left, right) not in RESULTS[self.operation]:
            raise refused(_MEANINGLESS[self.operation].format(left=left, right=right))
        if self.operation is Operation.DIV and constant_value(self.right) == 0:
            raise refused("must not be 0", "right")
        return self


Node = Annotated[
    SimpleOperand | SnapshotOperand | Constant | OperationNode, Field(discriminator="type"), OneOf("simple")
]

_MEANINGLESS = {
    Operation.ADD: "{left} and {right} cannot be added",
    Operation.SUB: "{right} cannot be subtracted from {left}",
    Operation.MUL: "{left} and {right} cannot be multiplied",
    Operation.DIV: "{left} cannot be divided by {right}",
}


def constant_value(node: Node) -> Decimal | None:
    """Return the value of a tree without aggregations; None if it has any."""
    if isinstance(node, Constant):
        return Decimal(str(node.value))
    if not isinstance(node, OperationNode):
        return None
    left, right = constant_value(node.left), constant_value(node.right)
    return None if left is None or right is None else apply(node.operation, left, right)


def aggregations(node: Node) -> Iterator[Aggregation]:
    """Yield the leaves from left to right, without constants."""
    if isinstance(node, OperationNode):
        yield from aggregations(node.left)
        yield from aggregations(node.right)
    elif isinstance(node, Aggregation):
        yield node


def read_expression(value: Any, read: Callable[[Any], OperationNode]) -> OperationNode:
    if isinstance(value, dict) and value.get("type") not in list(Operation):
        raise refused(one_of(value.get("type"), list(Operation)), "type")
    errors = check_size(value)
    with errors.at():
        expression = read(value)
        if not any(aggregations(expression)):
            errors.add("must contain at least one aggregate over a source")
    errors.raise_any()
    return expression


def check_size(expression: Any) -> QueryErrors:
    """Return the errors of operations nested too deep. Raises at once for too many nodes: the rest is not read."""
    errors = QueryErrors()
    level: list[tuple[tuple[str, ...], Any]] = [((), expression)]
    depth = nodes = 0
    while level:
        depth, nodes = depth + 1, nodes + len(level)
        if nodes > MAX_NODES:
            raise refused(f"must have at most {MAX_NODES} operations and operands")
        inner = [((*path, side), operand) for path, node in level for side, operand in operands_of(node)]
        if depth > MAX_DEPTH:
            for path in dict.fromkeys(path[:-1] for path, _ in inner):
                errors.add(f"operations must be nested at most {MAX_DEPTH} deep", *path)
        level = inner
    return errors


def operands_of(node: Any) -> list[tuple[str, Any]]:
    if isinstance(node, OperationNode):
        return [("left", node.left), ("right", node.right)]
    return [(side, node[side]) for side in ("left", "right") if side in node] if isinstance(node, dict) else []


Expression = Annotated[OperationNode, WrapValidator(read_expression)]
