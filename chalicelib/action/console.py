"""The console: one HTML page and plain ES modules, served as they are stored in `chalicelib/console`.

The address of a file carries the release, a hash of all files: browsers may keep a file for ever, and a page never
mixes the modules of two releases. A page of an older release whose modules are gone is answered with 404 and reloads.
"""

from __future__ import annotations

import hashlib
import html
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from chalicelib.action import envelope
from chalicelib.action.envelope import Reply
from chalicelib.action.security_headers import REVALIDATED, page_policy
from chalicelib.core.errors import ErrorCode

FILES = Path(__file__).parents[1] / "console"
PAGE = "index.html"
UNCHANGING = "public, max-age=31536000, immutable"
"""Cache-Control of files whose address changes with their content."""
POLICY = page_policy(
    script_src="'self'",
    style_src="'self'",
    img_src="'self' data:",
    connect_src="'self'",
    manifest_src="'self'",
)
_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
_RELEASE_CHARACTERS = 12
# The shell of all pages; a page itself, and the charts, are loaded when they are opened.
_PRELOADED = ("app.js", "lib/*.js")

Stamp = tuple[int, int]
"""Time of change and size of a file: on a developer's machine they change under the running server."""


class Look(NamedTuple):
    """The release, and the stamps of its files by name."""

    release: str
    stamps: Mapping[str, Stamp]


_last_look: dict[Path, Look] = {}


def page(base: str, if_none_match: str | None, request_id: str) -> Reply:
    """Return the HTML page. `base`: the path in front of `/console`, the stage of a gateway for example."""
    text = _page(base, release())
    tag = f'"{hashlib.sha256(text.encode()).hexdigest()[:16]}"'
    headers = {
        "Content-Type": _MEDIA_TYPES[".html"],
        "Cache-Control": REVALIDATED,
        "Content-Security-Policy": POLICY,
        "ETag": tag,
        "X-Request-Id": request_id,
    }
    is_known = if_none_match is not None and tag in if_none_match
    return Reply(304, "", headers) if is_known else Reply(200, text, headers)


def file(wanted_release: str, name: str, request_id: str) -> Reply:
    """Return a file by its name below the release. Only names of the listing are read, so no path leaves the folder."""
    if name == PAGE or not _is_of(wanted_release, name):
        return envelope.refusal(ErrorCode.NOT_FOUND, "there is no such file in this release", request_id)
    headers = {
        "Content-Type": _MEDIA_TYPES[Path(name).suffix],
        "Cache-Control": UNCHANGING,
        "X-Request-Id": request_id,
    }
    return Reply(200, (FILES / name).read_text(encoding="utf-8"), headers)


def release() -> str:
    """Return the hash of all files, as it is part of their addresses."""
    return _look().release


def _look() -> Look:
    paths = (path.relative_to(FILES).as_posix() for path in FILES.rglob("*") if path.suffix in _MEDIA_TYPES)
    stamps = {name: _stamp(name) for name in sorted(paths)}
    look = _last_look[FILES] = Look(_hash(tuple(stamps.items())), stamps)
    return look


def _is_of(wanted_release: str, name: str) -> bool:
    """True if the release has the file. The folder is looked at again only if this file is not as it was.

    A first visit asks for fifty of them, at once.
    """
    look = _last_look.get(FILES)
    if look is None or not (FILES / name).is_file() or look.stamps.get(name) != _stamp(name):
        look = _look()
    return look.release == wanted_release and name in look.stamps


@lru_cache(maxsize=1)
def _hash(stamps: tuple[tuple[str, Stamp], ...]) -> str:
    digest = hashlib.sha256()
    for name, _ in stamps:
        content = (FILES / name).read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:_RELEASE_CHARACTERS]


def _stamp(name: str) -> Stamp:
    status = (FILES / name).stat()
    return status.st_mtime_ns, status.st_size


@lru_cache(maxsize=8)
def _page(base: str, current: str) -> str:
    folder = f"{base}/console/{current}"
    modules = sorted(path.relative_to(FILES).as_posix() for pattern in _PRELOADED for path in FILES.glob(pattern))
    preloads = "\n".join(f'<link rel="modulepreload" href="{html.escape(f"{folder}/{name}")}">' for name in modules)
    template = (FILES / PAGE).read_text(encoding="utf-8")
    return template.replace("{folder}", html.escape(folder)).replace("{preloads}", preloads)
