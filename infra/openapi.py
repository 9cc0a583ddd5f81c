"""Write docs/openapi.json, the committed copy of the API's description."""

from __future__ import annotations

import json
from pathlib import Path

COPY = Path(__file__).parent.parent / "docs" / "openapi.json"


def current() -> str:
    """Return the document that the app serves, indented for reading and comparing."""
    from chalicelib.action import openapi
    from chalicelib.modules import load_actions

    load_actions()
    return json.dumps(openapi.document(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    COPY.parent.mkdir(exist_ok=True)
    COPY.write_text(current())
