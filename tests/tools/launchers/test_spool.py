"""A place that is not `local` keeps the same promises: one file, and this one."""

from __future__ import annotations

import pytest

from tests.tools.launchers.conformance import Conformance, kill_newest, run_dir
from tests.tools.launchers.spool import launcher

__all__ = ["run_dir"]


class TestSpool(Conformance):
    """Jobs through a folder."""

    @pytest.fixture
    def place(self):
        return launcher

    @pytest.fixture
    def kill(self):
        return kill_newest
