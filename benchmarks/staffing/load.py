"""The import of all organizations into a new table, before the engine starts.

dynoxide imports an export of DynamoDB ten times as fast as it writes.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import subprocess
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.staffing.plan import SHAPES
from infra import offline
from infra.local import dynoxide
from infra.local.table import table_definition

MANIFEST = "manifest.json"
_DATABASE = "table.db"


def load(table: str, folder: Path) -> Path:
    """Import the organizations; return dynoxide's file with the table. The manifest is in the same folder."""
    started = time.monotonic()
    binary = dynoxide.binary()
    data = folder / "export" / table / "data"
    data.mkdir(parents=True)
    # In their own processes: the product creates its client at import, and the engine's address is not known here yet.
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        # The largest takes longest and starts first.
        names = sorted(SHAPES, key=lambda name: -SHAPES[name].completed)
        manifest = dict(zip(names, pool.map(export_organization, names, repeat(table), repeat(data)), strict=True))
    (folder / MANIFEST).write_text(json.dumps(manifest))
    schema = folder / "schema.json"
    schema.write_text(json.dumps({"Table": {"TableName": table, **table_definition()}}))
    command = [binary, "import", "--source", folder / "export", "--schema", schema, "--output", folder / _DATABASE]
    subprocess.run(command, check=True, capture_output=True)
    print(f"\nMany assignments: built and loaded in {time.monotonic() - started:.0f} s")
    return folder / _DATABASE


def export_organization(name: str, table: str, folder: Path) -> dict[str, Any]:
    os.environ.update(offline.SETTINGS, WORKLEDGER_TABLE=table)
    from benchmarks.staffing.items import Staffing

    staffing = Staffing(SHAPES[name])
    with gzip.open(folder / f"{staffing.organization}.json.gz", "wt", compresslevel=1) as file:
        for item in staffing.items():
            file.write(json.dumps({"Item": item.serialize()}, default=_text) + "\n")
    return staffing.contents()


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()
