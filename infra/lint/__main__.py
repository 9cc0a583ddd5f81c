"""Print the findings of both linters, and fail if there are any."""

from __future__ import annotations

import sys

from infra import lint
from infra.npm import NpmUnavailable

if __name__ == "__main__":
    try:
        findings = lint.redocly() + lint.spectral()
    except NpmUnavailable as error:
        sys.exit(str(error))
    sys.exit(findings or None)
