"""The two commands and the versions they install, as far as they can be asked without installing anything."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)==([\w.!]+)$")


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(["make", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    found = [PIN.match(line) for line in lines if line and not line.startswith("#")]
    assert all(found), "a line of constraints.txt is not a plain name==version"
    return {canonicalize_name(each[1]): each[2] for each in found if each}


def declared() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    return [Requirement(line) for line in [*project["dependencies"], *(line for extra in extras for line in extra)]]


def test_every_dependency_is_pinned_inside_its_declared_range():
    pinned = pins()
    for requirement in declared():
        assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)]), str(requirement)


def test_every_dependency_says_why_it_is_there():
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    for requirement in declared():
        at = next(at for at, line in enumerate(lines) if re.search(rf'"{re.escape(requirement.name)}[\[<>=]', line))
        assert "#" in lines[at] or lines[at - 1].startswith("#"), requirement.name


def test_the_pins_name_no_registry_and_no_local_build():
    assert not re.search(r"^[^#]*(://|@|\+|--)", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.M)


def test_make_alone_shows_what_can_be_made():
    shown = make().stdout
    for target in ("run", "test", "lint", "format", "locale", "clean"):
        assert f"make {target}" in shown


def test_make_test_checks_everything_and_make_run_opens_the_program(tmp_path: Path):
    planned = make("--dry-run", "test", f"VENV={tmp_path / 'venv'}").stdout
    for step in ("ruff check", "ruff format --check", "mypy", "lint-imports", "pytest -n 2"):
        assert step in planned
    assert f"{tmp_path / 'venv'}/bin/iterate" in make("--dry-run", "run", f"VENV={tmp_path / 'venv'}").stdout


def test_an_installation_is_not_repeated_until_its_versions_change(tmp_path: Path):
    (tmp_path / "bin").mkdir()
    for made in ("bin/pip", ".installed"):
        (tmp_path / made).touch()
    assert "pip install" not in make("--dry-run", "run", f"VENV={tmp_path}").stdout
    os.utime(tmp_path / ".installed", (0, 0))
    assert "pip install" in make("--dry-run", "run", f"VENV={tmp_path}").stdout


def test_a_machine_without_a_suitable_python_is_told_what_to_install(tmp_path: Path):
    done = make("install", "PYTHON=/bin/false", f"VENV={tmp_path / 'venv'}")
    assert done.returncode != 0
    assert "Python 3.11" in done.stderr
    assert not (tmp_path / "venv").exists()


def test_the_ci_runs_the_same_command_in_a_fresh_environment():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert "set -euo pipefail" in script
    assert "make test VENV=" in script


def imported() -> set[str]:
    """Top-level names that the two packages import, anywhere in their code."""
    found: set[str] = set()
    for path in (path for package in ("agent", "tools") for path in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names) - {"agent", "tools"}


def test_everything_that_is_imported_is_a_declared_dependency():
    """A package that only happens to be there disappears with the next release of whatever brought it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["web"]]
    needed = {canonicalize_name(Requirement(line).name) for line in wanted}
    providers = packages_distributions()
    missing = {
        name for name in imported() if not needed & {canonicalize_name(each) for each in providers.get(name, [name])}
    }
    assert missing == set()
