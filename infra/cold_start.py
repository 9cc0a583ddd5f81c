"""Imports the unzipped package as Lambda would, alone, and refuses whatever Lambda could not do.

Run by packaging in an isolated interpreter: `python -I -S cold_start.py <unzipped package>`.
"""

from __future__ import annotations

import importlib
import sys
import types
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any


def main() -> None:
    package = str(Path(sys.argv[1]).resolve())
    sys.path.insert(0, package)
    sys.dont_write_bytecode = True

    # What has valid bytecode is never compiled. The standard library is imported as the interpreter likes.
    compiles = SourceFileLoader.source_to_code

    def compiles_outside_only(self: SourceFileLoader, data: Any, path: Any, **options: Any) -> types.CodeType:
        if str(path).startswith(package):
            raise ImportError(f"{path} has no valid bytecode")
        return compiles(self, data, path, **options)

    SourceFileLoader.source_to_code = compiles_outside_only  # type: ignore[assignment, method-assign]

    app = importlib.import_module("app")
    for function in ("app", "consume_stream", "deliver_mail", "set_subscription_tier", "sweep_outbox"):
        assert callable(getattr(app, function)), function
    session = importlib.import_module("botocore.session").get_session()
    for service in ("dynamodb", "sesv2", "sqs"):
        session.create_client(service, region_name="eu-central-1")
    importlib.import_module("aws_lambda_powertools").Tracer(service="packaging", auto_patch=False)

    outside = [name for name, module in sys.modules.items() if "site-packages" in str(getattr(module, "__file__", ""))]
    assert not outside, f"not in the package: {outside}"
    inside = [name for name, module in sys.modules.items() if str(getattr(module, "__file__", "")).startswith(package)]
    print(f"{len(inside)} modules of the package imported, none compiled")


if __name__ == "__main__":
    main()
