"""Writes docs/openapi.json, the committed copy of the API's description."""

from __future__ import annotations

from pathlib import Path

COPY = Path(__file__).parent.parent / "docs" / "openapi.json"


def current() -> str:
    """The document as the app serves it."""
    from chalicelib.action import openapi
    from chalicelib.modules import load_actions

    load_actions()
    return openapi.document_text() + "\n"


if __name__ == "__main__":
    COPY.parent.mkdir(exist_ok=True)
    COPY.write_text(current())
