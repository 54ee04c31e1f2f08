"""What a user gets from pip: the wheel is built once, unpacked into a folder of its own, and started from an empty one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def python(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ITERATE_", "OPENAI_", "PYTHON"))}
    environment = {**kept, "LANG": "C.UTF-8", "PYTHONUTF8": "1", "XDG_CONFIG_HOME": str(cwd), **environment}
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    done = python("-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT), cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def contents(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel installed alone; its dependencies come from the environment that runs the tests."""
    folder = tmp_path_factory.mktemp("site")
    done = python(
        "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(folder), str(wheel), cwd=folder
    )
    assert done.returncode == 0, done.stderr
    return folder


def data_files(kind: str) -> set[str]:
    """Files that git tracks under a data folder of the source tree."""
    done = subprocess.run(["git", "ls-files", "-z", kind], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip("this is not a git checkout")
    return {path for path in done.stdout.split("\0") if path and (ROOT / path).is_file()}


@pytest.mark.parametrize("kind", ["prompts", "references", "tasks"])
def test_the_wheel_carries_every_data_file_of_the_source_tree(contents: list[str], kind: str):
    assert sorted({f"agent/_data/{path}" for path in data_files(kind)} - set(contents)) == []


def test_the_wheel_carries_both_packages_and_the_translations(contents: list[str]):
    sources = {
        path.relative_to(ROOT).as_posix() for package in ("agent", "tools") for path in (ROOT / package).rglob("*.py")
    }
    assert sorted(sources - set(contents)) == []
    assert "agent/locale/zh_TW/LC_MESSAGES/iterate.mo" in contents
    assert any(name.endswith("licenses/LICENSE") for name in contents)


def test_the_wheel_carries_no_weights_runs_or_leftovers(contents: list[str]):
    unwanted = ("/runs/", "/models/", "/.", "__pycache__", ".safetensors", "pool_labels")
    assert [name for name in contents if any(each in f"/{name}" for each in unwanted)] == []


def test_the_wheel_puts_nothing_at_the_top_but_its_two_packages(contents: list[str]):
    tops = {name.split("/")[0] for name in contents}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"agent", "tools"}


def test_the_installed_program_passes_its_own_doctor_in_an_empty_folder(site: Path, tmp_path: Path):
    cache, empty = tmp_path / "cache", tmp_path / "empty"
    empty.mkdir()
    done = python("-m", "agent.cli", "doctor", "--json", cwd=empty, PYTHONPATH=str(site), ITERATE_CACHE=str(cache))
    checks = {check["name"]: check for check in json.loads(done.stdout)}
    for name in ("Python", "Prompts", "Reference pages", "Bundled tasks", "Language"):
        assert checks[name]["ok"] is True, checks[name]
    assert str(site) in checks["Reference pages"]["detail"]
    assert list(empty.iterdir()) == []


def test_the_installed_program_gives_its_tasks_as_examples(site: Path, tmp_path: Path):
    program = "from pathlib import Path; from agent.paths import offer_examples; print(offer_examples(Path('.')))"
    done = python("-c", program, cwd=tmp_path, PYTHONPATH=str(site))
    assert done.returncode == 0, done.stderr
    assert "stance" in done.stdout
    copied = {path.relative_to(tmp_path).as_posix() for path in (tmp_path / "tasks").rglob("*") if path.is_file()}
    assert sorted(data_files("tasks") - copied) == []
    assert os.access(tmp_path / "tasks" / "stance" / "scripts" / "run_pipeline.sh", os.X_OK)


def test_an_editable_installation_reads_the_data_in_the_source_tree(tmp_path: Path):
    program = "import sys; from pathlib import Path; import hatchling.build; "
    program += "print(hatchling.build.build_editable(sys.argv[1]))"
    done = python("-c", program, str(tmp_path), cwd=ROOT)
    assert done.returncode == 0, done.stderr
    (editable,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(editable) as archive:
        names = archive.namelist()
        (link,) = [name for name in names if name.endswith(".pth")]
        assert archive.read(link).decode("utf-8").strip() == str(ROOT)
    assert not [name for name in names if "_data" in name]
