"""Fixtures that tests of several rooms share."""

from __future__ import annotations

import atexit
import importlib.util
import os
import shutil
import tempfile
from pathlib import Path

import pytest

for _name, _value in {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1"}.items():
    os.environ[_name] = _value


def _own_cache() -> None:
    """Speeds of tiny models are nobody's speeds: they go to a cache of the tests' own. Converted base models are shared."""
    users = Path(os.environ.get("ITERATE_CACHE") or Path.home() / ".cache" / "iterate-mode") / "models"
    cache = Path(tempfile.mkdtemp(prefix="iterate-tests-"))
    if users.is_dir():
        (cache / "models").symlink_to(users)
    os.environ["ITERATE_CACHE"] = str(cache)
    atexit.register(shutil.rmtree, cache, ignore_errors=True)


_own_cache()


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a real but tiny language model with random weights."""
    source = Path(__file__).parent / "support" / "tiny_model.py"
    spec = importlib.util.spec_from_file_location("tiny_model_builder", source)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.build_tiny_model(tmp_path_factory.mktemp("tiny_model"))
