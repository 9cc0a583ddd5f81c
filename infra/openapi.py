"""Write what is derived from the declared actions: docs/openapi.json, and the table of routes."""

from __future__ import annotations

import json
import os
from pathlib import Path

from infra import offline

ROOT = Path(__file__).parent.parent
COPY = ROOT / "docs" / "openapi.json"
ROUTES = ROOT / "chalicelib" / "modules" / "routes.py"

_MODULE = '''"""Routes of all actions, from their declarations: `make openapi` writes this file."""

from __future__ import annotations

from chalicelib.action.registry import Route

# fmt: off
ROUTES = (
{rows})
'''


def current() -> str:
    """Return the document that the app serves, indented for reading and comparing."""
    from chalicelib.action import openapi
    from chalicelib.modules import declared_routes

    declared_routes()
    return json.dumps(openapi.document(), indent=2, ensure_ascii=False) + "\n"


def routes() -> str:
    """Return the module of the routes of all actions."""
    from chalicelib.modules import declared_routes

    rows = "".join(
        f'    Route("{domain}", "{action}", "{method}", "{path}"{", True" * takes_csv}'
        f"{', takes_form=True' * takes_form}),\n"
        for domain, action, method, path, takes_csv, takes_form in declared_routes()
    )
    return _MODULE.format(rows=rows)


if __name__ == "__main__":
    os.environ.update(offline.SETTINGS)
    ROUTES.write_text(routes())
    COPY.parent.mkdir(exist_ok=True)
    COPY.write_text(current())
