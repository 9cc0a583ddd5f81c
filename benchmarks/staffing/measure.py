"""All benchmarks with many assignments, and a note on their data."""

from __future__ import annotations

import gc
import json
from pathlib import Path

from benchmarks.staffing import lists, reports
from benchmarks.staffing.load import MANIFEST
from tests.support.api import Api
from tests.support.factories import new_organization

_NOTE = """
The data: every client, work location, position, worker and assignment is the item that the product's own
`Collection.item` builds; counts and packed months come from the writers' own WorkloadDelta, Booking and pack. They were
imported into the engine as an export of a table; the reports' totals are compared with those of the written shifts."""


def run(api: Api, folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    print(_NOTE)
    organizations = {
        name: (new_organization(api, id=contents["organization"]), contents) for name, contents in manifest.items()
    }
    # Objects of tests and benchmarks must not slow down the garbage collection of requests.
    gc.collect()
    gc.freeze()
    reports.run(organizations)
    lists.run(organizations)
