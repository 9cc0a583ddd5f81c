"""Forms: JSON Schemas that admins write, and the payloads that they let through.

Both come from callers, so both are bounded: a schema cannot refer to itself, its references are counted as if they
were written out, and its patterns are matched in linear time. See docs/decisions/quick-actions.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from chalicelib.core.errors import invalid_fields

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator
    from jsonschema_rs import ValidationError as Invalid

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MAX_PARTS = 300
"""Objects and lists of a schema, counted anew at each reference."""
MAX_VALUES = 200
"""Objects and lists of a payload. Each may be compared with each part of the schema."""

_MASK = "it"
"""Replaces the given value in messages, since it may be a secret."""
_PATTERN_BYTES = 200_000
"""Size of one compiled pattern."""
_UNEVALUATED = ("unevaluatedItems", "unevaluatedProperties")
_UNUSED = ("$anchor", "$dynamicAnchor", "$dynamicRef", "$id", "$recursiveRef")
"""Keywords that only schemas of several documents, or that refer to themselves, have a use for."""


class _Refused(Exception):
    """`where`: names and numbers that lead to the place in the schema."""

    def __init__(self, where: tuple[str | int, ...], message: str) -> None:
        super().__init__(message)
        self.where = where
        self.message = message


def require_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Validates, for contracts, that a value is a JSON Schema; the error names the place where it is not."""
    from jsonschema_rs import ValidationError as Invalid

    try:
        _Walk(schema).require_bounded()
        _validator(schema)
    except _Refused as refused:
        raise _at(refused.where, refused.message) from None
    except Invalid as error:
        raise _at(tuple(error.instance_path), _of_schema(error)) from None
    return schema


def _at(where: tuple[str | int, ...], message: str) -> ValidationError:
    fault = InitErrorDetails(type=PydanticCustomError("form", "{message}", {"message": message}), loc=where, input=None)
    return ValidationError.from_exception_data("Form", [fault], hide_input=True)


def require_payload(schema: dict[str, Any], payload: dict[str, Any], field: str) -> None:
    """Refuse everything that the form does not let through: VALIDATION_ERROR by dotted path below `field`."""
    if _count(payload) > MAX_VALUES:
        raise invalid_fields({field: [f"may hold {MAX_VALUES} values"]})
    faults: dict[str, list[str]] = {}
    for error in _validator(schema).iter_errors(payload):
        for where, message in _of_payload(error):
            faults.setdefault(_dotted(field, where), []).append(message)
    if faults:
        raise invalid_fields(faults)


def _validator(schema: dict[str, Any]) -> Draft202012Validator:
    # Imported here: only those who write and fill in forms need it.
    from jsonschema_rs import Draft202012Validator, RegexOptions

    return Draft202012Validator(
        schema,
        mask=_MASK,
        offline=True,
        pattern_options=RegexOptions(size_limit=_PATTERN_BYTES),
        validate_formats=True,
    )


def _of_schema(error: Invalid) -> str:
    from jsonschema_rs import ValidationErrorKind

    if isinstance(error.kind, ValidationErrorKind.Format) and error.kind.format == "regex":
        return "is not a regular expression, is too large, or looks around or back, which forms can't"
    if isinstance(error.kind, ValidationErrorKind.AnyOf | ValidationErrorKind.OneOfNotValid):
        return "is not allowed there by JSON Schema"
    return _told(error)


def _of_payload(error: Invalid) -> list[tuple[list[str | int], str]]:
    """Return place and message: at the field that is missing or excess, where the validator names its object."""
    from jsonschema_rs import ValidationErrorKind as Kind

    where = error.instance_path
    match error.kind:
        case Kind.Required(property=name):
            return [([*where, name], "is required")]
        case Kind.AdditionalProperties(unexpected=names) | Kind.UnevaluatedProperties(unexpected=names):
            return [([*where, name], "is not a field of this form") for name in names]
    return [(where, _told(error))]


def _told(error: Invalid) -> str:
    """Return a message as this API has them: a fragment without the field's name."""
    return error.message.removeprefix(f"{_MASK} ")


def _dotted(field: str, where: list[str | int]) -> str:
    return ".".join([field, *(str(step) for step in where)])


def _count(value: Any) -> int:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(_count(child) for child in children)


class _Walk:
    """Count the parts of a schema as if each reference were written out."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = schema
        self._parts = 0
        self._unevaluated = 0
        self._referring: list[str] = []
        """The references that led to where the walk is."""

    def require_bounded(self) -> None:
        self._visit(self._schema, ())

    def _visit(self, part: Any, where: tuple[str | int, ...]) -> None:
        if not isinstance(part, dict | list):
            return
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise _Refused((), f"must have at most {MAX_PARTS} objects and lists, with those that it refers to")
        if isinstance(part, list):
            for number, child in enumerate(part):
                self._visit(child, (*where, number))
            return
        self._require_known(part, where)
        for name, child in part.items():
            if name == "$ref" and isinstance(child, str):
                self._follow(child, (*where, name))
            else:
                self._visit(child, (*where, name))

    def _require_known(self, part: dict[str, Any], where: tuple[str | int, ...]) -> None:
        for name in _UNUSED:
            # An object here is not this keyword, but a property with its name.
            if isinstance(part.get(name), str):
                raise _Refused((*where, name), "is not taken: a form is one document, with references by #/…")
        dialect = part.get("$schema")
        if isinstance(dialect, str) and dialect.removesuffix("#") != DIALECT:
            raise _Refused((*where, "$schema"), f"must be {DIALECT}")
        self._unevaluated += sum(name in part for name in _UNEVALUATED)
        if self._unevaluated > 1:
            raise _Refused(where, f"may have one of {' and '.join(_UNEVALUATED)}: their cost multiplies")

    def _follow(self, reference: str, where: tuple[str | int, ...]) -> None:
        if reference != "#" and not reference.startswith("#/"):
            raise _Refused(where, "must refer to a place in this schema, as in #/$defs/address")
        if reference in self._referring:
            raise _Refused(where, "refers to itself")
        self._referring.append(reference)
        names = tuple(step.replace("~1", "/").replace("~0", "~") for step in unquote(reference).split("/")[1:])
        self._visit(self._target(names, where), names)
        self._referring.pop()

    def _target(self, names: tuple[str, ...], where: tuple[str | int, ...]) -> Any:
        """Return the target of a JSON Pointer (RFC 6901)."""
        target: Any = self._schema
        for name in names:
            if isinstance(target, list) and name.isdecimal() and int(name) < len(target):
                target = target[int(name)]
            elif isinstance(target, dict) and name in target:
                target = target[name]
            else:
                raise _Refused(where, "refers to nothing in this schema")
        return target
