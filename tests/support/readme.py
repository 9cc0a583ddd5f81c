"""The commands that the README shows, as a reader types them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
_PROMPT = "$ "
SHELL = shutil.which("bash") or "/bin/sh"
CSV_HEADER = "worker,client,workLocation,hours,seconds,scheduledHours,billed,paid,margin,currency"


def commands(page: Path = ROOT / "README.md") -> list[str]:
    """Return the commands behind prompts, with the lines that they go on in."""
    typed: list[str] = []
    for block in _BLOCK.findall(page.read_text()):
        lines = iter(block.splitlines())
        for line in lines:
            if line.startswith(_PROMPT):
                command = line.removeprefix(_PROMPT)
                while not _is_whole(command):
                    command += f"\n{next(lines)}"
                typed.append(command)
    return typed


class ShownAnswer(NamedTuple):
    success: bool
    names: set[str]
    """The names of fields that it shows."""


def answers(page: Path = ROOT / "README.md") -> list[ShownAnswer]:
    """Return the answers in JSON that the page shows, in its order."""
    texts: list[str] = []
    for block in _BLOCK.findall(page.read_text()):
        is_answer = False
        for line in block.splitlines():
            is_answer = not line.startswith(_PROMPT) and (is_answer or line.startswith('{"success"'))
            if line.startswith('{"success"'):
                texts.append(line)
            elif is_answer:
                texts[-1] += line
    return [ShownAnswer(text.startswith('{"success": true'), set(re.findall(r'"(\w+)":', text))) for text in texts]


def _is_whole(command: str) -> bool:
    parsed = subprocess.run([SHELL, "-n", "-c", command], capture_output=True, text=True, check=False)
    return parsed.returncode == 0 and not parsed.stderr and not command.endswith("\\")
