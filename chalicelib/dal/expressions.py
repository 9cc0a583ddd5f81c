"""The parts of expressions that models build conditions and updates from: PynamoDB's own."""

from __future__ import annotations

from pynamodb.expressions.condition import Condition, size
from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action

__all__ = ["Action", "Condition", "Path", "size"]
