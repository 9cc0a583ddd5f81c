"""`make reset`: drop the data of `make serve`, unless a run holds it."""

from __future__ import annotations

import argparse
import contextlib
import shutil
import sys
from pathlib import Path

from infra.local.data import DATA, DataDirectory, DataUnusable


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.local.reset", description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="directory of the data")
    data = DataDirectory(parser.parse_args(arguments).data)
    try:
        with contextlib.ExitStack() as contexts:
            if data.path.exists() and not data.lock(contexts):
                print(f"make reset: a run of `make serve` uses {data.path}; stop it first", file=sys.stderr)
                return 1
            drop(data)
    except (DataUnusable, OSError) as error:
        print(f"make reset: {error}", file=sys.stderr)
        return 1
    print("Dropped the local data")
    return 0


def drop(data: DataDirectory) -> None:
    """Remove all files but the lock: a run that waits for it must not get one that nobody else sees."""
    for path in data.path.iterdir() if data.path.exists() else ():
        if path == data.lock_file:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


if __name__ == "__main__":
    sys.exit(main())
