"""Messages of validation errors: one for every type of error that contracts can raise."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from pydantic import BaseModel, Field, ValidationError
from pydantic_core import core_schema

from chalicelib.core import messages
from chalicelib.core.messages import message_of

NOT_RAISED = {
    # Of Python calls and objects: contracts read JSON and texts.
    *("no_such_attribute", "needs_python_object", "get_attribute_error", "dataclass_type", "dataclass_exact_type"),
    *("named_tuple_type", "default_factory_not_called", "iterable_type", "iteration_error", "frozen_dict_type"),
    *("ordered_dict_type", "counter_type", "deque_type", "set_item_not_hashable", "frozen_set_type", "is_instance_of"),
    *("is_subclass_of", "callable_type", "arguments_type", "missing_argument", "unexpected_keyword_argument"),
    *("missing_keyword_only_argument", "unexpected_positional_argument", "missing_positional_only_argument"),
    *("multiple_argument_values", "missing_sentinel_error", "ellipsis_error", "frozen_field", "frozen_instance"),
    # Of types that no contract has.
    *("bytes_type", "bytes_too_short", "bytes_too_long", "bytes_invalid_encoding", "time_type", "time_parsing"),
    *("time_delta_type", "time_delta_parsing", "url_type", "url_parsing", "url_syntax_violation", "url_too_long"),
    *("url_scheme", "fraction_type", "fraction_parsing", "complex_type", "complex_str_parsing"),
    # Of constraints that no contract has.
    *("date_past", "date_future", "datetime_past", "datetime_future", "timezone_naive", "timezone_offset"),
    *("multiple_of", "recursion_depth_exceeded"),
    # Of validators that raise bare errors: ours raise errors with a type and a message.
    *("value_error", "assertion_error"),
}


def test_every_type_of_error_has_a_message_or_cannot_occur() -> None:
    known = {*messages._TEXTS, *messages._BUILT}
    assert known | NOT_RAISED == {*get_args(core_schema.ErrorType)}
    assert not known & NOT_RAISED


class Example(BaseModel):
    name: str = Field(default="x", min_length=1, max_length=5)
    code: str = Field(default="xx", min_length=2)
    numbers: list[int] = Field(default=[1], min_length=1, max_length=2)
    amount: int = Field(default=5, ge=1, lt=1_000)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("name", "", "must not be empty"),
        ("name", "x" * 6, "must be at most 5 characters"),
        ("name", 1, "must be a text"),
        ("code", "x", "must be at least 2 characters"),
        ("numbers", [], "must not be empty"),
        ("numbers", [1, 2, 3], "must have at most 2 items"),
        ("numbers", "12", "must be a list"),
        ("amount", 0, "must be at least 1"),
        ("amount", 1_000, "must be less than 1000"),
        ("amount", 1.5, "must be a whole number"),
        ("amount", "many", "must be a whole number"),
        ("amount", "9" * 5_000, "must have fewer digits"),
    ],
)
def test_messages_are_fragments_after_the_name_of_the_field(field: str, value: Any, message: str) -> None:
    with pytest.raises(ValidationError) as raised:
        Example.model_validate({field: value})
    assert [message_of(error) for error in raised.value.errors()] == [message]
