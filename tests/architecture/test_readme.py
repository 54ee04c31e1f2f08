"""The tree in the README is the map of the house; it must not drift from it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.readme_tables import READMES as LANGUAGES
from tests.support.readme_tables import parts, tables

ROOT = Path(__file__).resolve().parents[2]
READMES = ["README.md", "README.zh-TW.md"]
_ENTRY = re.compile(r"^(?P<indent>[\s│]*)(?:[├└]──\s)?(?P<names>\S.*?)(?:\s{2,}.*|\s+#.*)?$")


def tree(readme: str) -> set[str]:
    """Paths named in the fenced block of a README that lists agent/ and tools/, one or more names a line.

    Depth is read from indentation; a name that ends in "/" is a folder that the deeper lines below it belong to.
    """
    blocks = re.findall(r"^```\w*\n(.*?)^```", (ROOT / readme).read_text(encoding="utf-8"), re.M | re.S)
    block = next(
        (each for each in blocks if all(re.search(rf"^\W*{name}/", each, re.M) for name in ("agent", "tools"))), None
    )
    assert block is not None, f"{readme} has no fenced block with the tree of agent/ and tools/"
    paths, folders = set(), list[tuple[int, str]]()
    for line in filter(str.strip, block.splitlines()):
        found = _ENTRY.match(line)
        assert found is not None
        depth = len(line) - len(line.lstrip(" │├└─"))
        while folders and folders[-1][0] >= depth:
            folders.pop()
        names = found["names"].split()
        parent = folders[-1][1] if folders else ""
        paths |= {parent + name for name in names}
        if len(names) == 1 and names[0].endswith("/"):
            folders.append((depth, parent + names[0]))
    return paths


def entries(package: str) -> set[str]:
    """Files and folders at the top level of a package, as the tree names them."""
    found = set()
    for each in (ROOT / package).iterdir():
        if each.is_dir() and each.name != "__pycache__":
            found.add(f"{package}/{each.name}/")
        elif each.suffix == ".py" and each.name != "__init__.py":
            found.add(f"{package}/{each.name}")
    return found


@pytest.mark.parametrize("readme", READMES)
@pytest.mark.parametrize("package", ["agent", "tools"])
def test_the_tree_names_every_file_and_folder_of_the_package(readme: str, package: str):
    assert sorted(entries(package) - tree(readme)) == []


@pytest.mark.parametrize("readme", READMES)
def test_everything_that_the_tree_names_exists(readme: str):
    missing = [path for path in tree(readme) if not list(ROOT.glob(path.rstrip("/").replace("<name>", "*")))]
    assert missing == []


@pytest.mark.parametrize("readme", READMES)
def test_the_two_commands_stand_first(readme: str):
    text = (ROOT / readme).read_text(encoding="utf-8")
    first_block = re.search(r"```\w*\n(.*?)```", text, re.S)
    assert first_block is not None
    assert "make run" in first_block[1]
    assert "make test" in first_block[1]


@pytest.mark.parametrize("readme", READMES)
def test_every_link_of_the_readme_leads_to_a_file(readme: str):
    text = (ROOT / readme).read_text(encoding="utf-8")
    links = [link.split("#")[0] for link in re.findall(r"\]\((?!https?:|#|mailto:)([^)\s]+)\)", text)]
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.parametrize("readme", READMES)
def test_the_commands_and_keys_of_the_readme_are_those_of_the_program(readme: str):
    assert parts(readme) == tables(LANGUAGES[readme]), "python -m tests.support.readme_tables writes them"


@pytest.mark.parametrize("readme", READMES)
def test_every_picture_of_the_readme_is_there_and_used(readme: str):
    text = (ROOT / readme).read_text(encoding="utf-8")
    shown = set(re.findall(r"\.github/images/([\w.-]+)", text))
    assert shown
    assert [name for name in shown if not (ROOT / ".github" / "images" / name).is_file()] == []
