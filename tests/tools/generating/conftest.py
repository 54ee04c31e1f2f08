"""The task that the tests of this folder write rows for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.writers import make_task
from tools.task import Task


@pytest.fixture
def task(tmp_path: Path) -> Task:
    return make_task(tmp_path / "t")
