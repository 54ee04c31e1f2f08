"""Fixtures that tests of several rooms share."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

for _name, _value in {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1"}.items():
    os.environ[_name] = _value


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a real but tiny language model with random weights."""
    source = Path(__file__).parent / "support" / "tiny_model.py"
    spec = importlib.util.spec_from_file_location("tiny_model_builder", source)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.build_tiny_model(tmp_path_factory.mktemp("tiny_model"))
