"""Import the unzipped package alone, as Lambda does, and fail where Lambda would.

Run by packaging in an isolated interpreter: `python -I -S cold_start.py <unzipped package>`.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import sys
import types
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any


def main() -> None:
    package = str(Path(sys.argv[1]).resolve())
    sys.path.insert(0, package)
    sys.dont_write_bytecode = True

    # A module with valid bytecode is never compiled. The standard library may be.
    compiles = SourceFileLoader.source_to_code

    def compiles_outside_only(self: SourceFileLoader, data: Any, path: Any, **options: Any) -> types.CodeType:
        if str(path).startswith(package):
            raise ImportError(f"{path} has no valid bytecode")
        return compiles(self, data, path, **options)

    SourceFileLoader.source_to_code = compiles_outside_only  # type: ignore[assignment, method-assign]  # replaced on purpose

    app = importlib.import_module("app")
    functions = (
        "app",
        "consume_stream",
        "deliver_mail",
        "dispatch_stream",
        "recalculate_metrics",
        "reconcile_rollups",
        "record_activities",
        "redrive_stream",
        "remind_timers",
        "report_weekly",
        "schedule_metrics",
        "set_subscription_tier",
        "sweep_outbox",
        "watch_loans",
    )
    for function in functions:
        assert callable(getattr(app, function)), function
    # Domains and jobs are imported by their requests.
    for source in Path(package, "chalicelib").rglob("*.py"):
        importlib.import_module(".".join(source.relative_to(package).with_suffix("").parts).removesuffix(".__init__"))
    session = importlib.import_module("botocore.session").get_session()
    for service in ("dynamodb", "sesv2", "sqs"):
        session.create_client(service, region_name="eu-central-1")
    importlib.import_module("aws_lambda_powertools").Tracer(service="packaging", auto_patch=False)

    # Late imports must be packaged too.
    named = {
        name
        for source in [Path(package, "app.py"), *Path(package, "chalicelib").rglob("*.py")]
        for name in imports(source)
    }
    absent = sorted(name for name in named if importlib.util.find_spec(name) is None)
    assert not absent, f"imported but not packaged: {absent}"

    outside = [name for name, module in sys.modules.items() if "site-packages" in str(getattr(module, "__file__", ""))]
    assert not outside, f"not in the package: {outside}"
    inside = [name for name, module in sys.modules.items() if str(getattr(module, "__file__", "")).startswith(package)]
    print(f"{len(inside)} modules of the package imported, none compiled")


def imports(source: Path) -> set[str]:
    """Return the top-level names of all imports of a file, those inside functions included."""
    names = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


if __name__ == "__main__":
    main()
