"""Validation of Vega-Lite specs against the published schema, and rendering."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

import vl_convert
from jsonschema import Draft7Validator

PNG = b"\x89PNG\r\n\x1a\n"


@cache
def _validator() -> Draft7Validator:
    """Return a validator of Vega-Lite 6.4.1, whose schema comes with Altair."""
    return Draft7Validator(json.loads((files("altair") / "vegalite/v6/schema/vega-lite-schema.json").read_text()))


def require_valid(spec: dict[str, Any]) -> None:
    _validator().validate(spec)


def png(spec: dict[str, Any], width: int = 640, scale: float = 1) -> bytes:
    """Render a spec, `width` pixels wide."""
    drawn: bytes = vl_convert.vegalite_to_png({**spec, "width": width}, vl_version="6.4", scale=scale)
    return drawn


def texts(spec: dict[str, Any]) -> list[str]:
    """Return the texts of the rendered chart, axes and legends included."""
    svg: str = vl_convert.vegalite_to_svg({**spec, "width": 640}, vl_version="6.4")
    return [piece.partition("<")[0] for piece in svg.split(">") if piece.partition("<")[0].strip()]
