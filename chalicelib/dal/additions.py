"""Additions to many numbers of one item."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pynamodb.constants import NUMBER
from pynamodb.expressions.operand import Path, Value
from pynamodb.expressions.update import AddAction


class AddAll(AddAction):
    """ADD to several numbers at once: an action each would take as much time as all else of a large transaction."""

    def __init__(self, amounts: Mapping[str, int]) -> None:
        super().__init__(Path("amounts"), Value({NUMBER: "0"}))
        self._amounts = amounts

    def serialize(self, placeholder_names: dict[str, str], expression_attribute_values: dict[str, Any]) -> str:
        added = []
        for name, amount in self._amounts.items():
            number = len(expression_attribute_values)
            expression_attribute_values[f":{number}"] = {NUMBER: str(amount)}
            added.append(f"{placeholder_names.setdefault(name, f'#{len(placeholder_names)}')} :{number}")
        return ", ".join(added)
