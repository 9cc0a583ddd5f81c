"""The checklist "How to add an entity" of CONTRIBUTING.md is complete: an entity made by it passes the nets.

A copy of the repository gets vehicles, by the files and edits that the list names and no other.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COPIED = ("app.py", "chalicelib", "docs", "infra", "pyproject.toml", "tests", ".chalice", "Makefile", "README.md")

NEW_FILES = {
    "chalicelib/models/staffing/vehicles.py": '''
"""Vehicles: the cars that an organization lends with its workers."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from chalicelib.core.field_types import Name
from chalicelib.dal.collection import Unique
from chalicelib.dal.page_lists import ListedCollection
from chalicelib.dal.records import DeletableRecord


class Vehicle(DeletableRecord):
    name: Annotated[Name, Field(examples=["HH-WL 204"])]
    model: Annotated[Name | None, Field(description="Make and type.", examples=["Sprinter"])] = None


VEHICLES = ListedCollection(
    entity="vehicle",
    record=Vehicle,
    shown_as=Vehicle,
    search=lambda vehicle: (vehicle.name, vehicle.model),
    sort_fields=("name",),
    cursor_list="getVehicles with `limit` and `cursor`",
    called=lambda vehicle: vehicle.name,
    unique=(Unique("name", lambda vehicle: vehicle.name, "another vehicle has this name"),),
)
''',
    "chalicelib/modules/vehicles/__init__.py": '''
"""Vehicles: contracts and server actions."""
''',
    "chalicelib/modules/vehicles/contracts.py": '''
"""Contracts of vehicles."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from chalicelib.core.contracts import Body, PageQuery, Patch
from chalicelib.core.field_types import Flag, Name


class CreateVehicle(Body):
    name: Annotated[Name, Field(examples=["HH-WL 204"])]
    model: Annotated[Name | None, Field(description="Make and type.", examples=["Sprinter"])] = None


class UpdateVehicle(Patch, of=CreateVehicle):
    """The fields to change."""


class GetVehicles(PageQuery[Literal["name", "createdAt"]]):
    include_deleted: Flag = False
''',
    "chalicelib/modules/vehicles/actions.py": '''
"""Vehicles: the cars that an organization lends with its workers."""

from __future__ import annotations

from uuid import UUID

from chalicelib.action import lists
from chalicelib.action.context import Context
from chalicelib.action.registry import action
from chalicelib.auth.permissions import Permission
from chalicelib.core.contracts import CursorPage, Page
from chalicelib.core.errors import ErrorCode
from chalicelib.models.audit import AuditEvent
from chalicelib.models.staffing.vehicles import VEHICLES, Vehicle
from chalicelib.modules.vehicles.contracts import CreateVehicle, GetVehicles, UpdateVehicle


@action(
    "createVehicle",
    "POST /vehicles",
    permission=Permission.VEHICLES_WRITE,
    audit=AuditEvent.VEHICLE_CREATED,
    status=201,
    errors=(ErrorCode.DUPLICATE_ENTRY,),
)
def create_vehicle(ctx: Context, data: CreateVehicle) -> Vehicle:
    """Adds a vehicle; its name is unique in the organization."""
    return VEHICLES.create(ctx.unit, Vehicle.new(**dict(data)))


@action("getVehicle", "GET /vehicles/{id}", permission=Permission.WORKSPACE_READ)
def get_vehicle(ctx: Context, id_: UUID) -> Vehicle:
    """One vehicle."""
    return VEHICLES.get(ctx.organization, id_)


@action("getVehicles", "GET /vehicles", permission=Permission.WORKSPACE_READ)
def get_vehicles(ctx: Context, data: GetVehicles) -> Page[Vehicle] | CursorPage[Vehicle]:
    """The vehicles; `search` looks at name and model."""
    return lists.answer(ctx, VEHICLES, data, default_sort="name", include_deleted=data.include_deleted)


@action(
    "updateVehicle",
    "PATCH /vehicles/{id}",
    permission=Permission.VEHICLES_WRITE,
    audit=AuditEvent.VEHICLE_UPDATED,
    errors=(ErrorCode.DUPLICATE_ENTRY,),
)
def update_vehicle(ctx: Context, id_: UUID, data: UpdateVehicle) -> Vehicle:
    """Changes a vehicle."""
    return VEHICLES.update(ctx.unit, VEHICLES.get(ctx.organization, id_), data.changes())


@action(
    "deleteVehicle",
    "DELETE /vehicles/{id}",
    permission=Permission.VEHICLES_WRITE,
    audit=AuditEvent.VEHICLE_DELETED,
)
def delete_vehicle(ctx: Context, id_: UUID) -> Vehicle:
    """Deletes a vehicle softly; its name may be used again."""
    return VEHICLES.delete(ctx.unit, VEHICLES.get(ctx.organization, id_))
''',
    "tests/modules/vehicles/test_vehicles.py": '''
"""Vehicles: their names are unique."""

from __future__ import annotations

from tests.support.factories import Organization


def test_a_name_is_taken_once(organization: Organization) -> None:
    body = {"name": "HH-WL 204"}
    assert organization.owner.call("createVehicle", body=body).status == 201
    assert organization.owner.call("createVehicle", body=body).code == "DUPLICATE_ENTRY"
''',
}
EVENTS = ("VEHICLE_CREATED", "VEHICLE_DELETED", "VEHICLE_UPDATED")
EDITS = {
    "chalicelib/modules/__init__.py": ('    "workers",\n', ['    "vehicles",\n']),
    "chalicelib/core/entity_names.py": ('    WORKER = "worker"\n', ['    VEHICLE = "vehicle"\n']),
    "chalicelib/models/audit.py": (
        '    USER_ROLE_CHANGED = "USER_ROLE_CHANGED"\n',
        [f'    {event} = "{event}"\n' for event in EVENTS],
    ),
    "chalicelib/jobs/activity_templates.py": (
        '    AuditEvent.CLIENT_UPDATED: _change("{actor} changed {fields} of {name or a client}"),\n',
        [f'    AuditEvent.{event}: _change("{{actor}} changed {{the vehicle}}"),\n' for event in EVENTS],
    ),
    "chalicelib/auth/audiences.py": (
        "    AuditEvent.CLIENT_UPDATED: EVERYONE,\n",
        [f"    AuditEvent.{event}: EVERYONE,\n" for event in EVENTS],
    ),
    "chalicelib/auth/permissions.py": (
        "_ADMIN = _COORDINATOR | {\n",
        ["    Permission.VEHICLES_WRITE,\n"],
    ),
}
"""New lines by file, and the line that they follow."""
GENERATED = {"docs/openapi.json", "chalicelib/modules/routes.py"}
CHECKS = (
    "tests/nets",
    "tests/action",
    "tests/jobs/test_activity_feed.py",
    "tests/modules/vehicles",
    "tests/test_floors.py",
)


def _checklist() -> set[str]:
    """Return the files that the checklist names, for vehicles."""
    section = (ROOT / "CONTRIBUTING.md").read_text().partition("## How to add an entity")[2].partition("\n## ")[0]
    items = [line for line in section.splitlines() if line.startswith(("- [ ]", "      "))]
    paths = re.findall(r"`([\w<>./]+\.(?:py|json))`", "\n".join(items))
    return {
        path.replace("<domain>", "staffing").replace("<entities>", "vehicles").removeprefix("./")
        for path in paths
        if "/" in path
    } | {"chalicelib/modules/vehicles/__init__.py"}


def test_the_list_names_each_file_that_an_entity_needs() -> None:
    assert _checklist() == {*NEW_FILES, *EDITS, *GENERATED}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this repository with vehicles."""
    copy = tmp_path_factory.mktemp("repository")
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=ignored)
        else:
            shutil.copy(source, copy / name)
    (copy / ".cache").symlink_to(ROOT / ".cache")
    for name, text in NEW_FILES.items():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text(text.lstrip())
    for name, (line, new_lines) in EDITS.items():
        text = (copy / name).read_text()
        assert text.count(line) == 1, f"{name} has changed: {line}"
        (copy / name).write_text(text.replace(line, line + "".join(new_lines)))
    permissions = copy / "chalicelib/auth/permissions.py"
    declared = '    WORKERS_WRITE = "workers:write"\n'
    permissions.write_text(
        permissions.read_text().replace(declared, f'    VEHICLES_WRITE = "vehicles:write"\n{declared}')
    )
    _run(copy, "-m", "infra.openapi")
    return copy


def test_such_an_entity_passes_the_nets(repository: Path) -> None:
    output = _run(repository, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "vehicle", *CHECKS)
    passed = re.search(r"(\d+) passed", output)
    # Each net, for each of the five actions.
    assert passed is not None
    assert int(passed[1]) > 60, output


def _run(folder: Path, *arguments: str) -> str:
    run = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, f"{run.stdout[-6000:]}\n{run.stderr[-2000:]}"
    return run.stdout
