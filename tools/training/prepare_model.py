"""A base model as a folder that loads in a second: parts joined, SHA-256 checked, GGUF converted once into the cache.

Worker side. The conversion runs in a child process, since dequantising needs several times the memory of training, and
that memory should be given back. Run by hand: python -m tools.training.prepare_model FILE.gguf FOLDER
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from tools.errors import MissingPart
from tools.files import sha256_file
from tools.text import T, Text, visible
from tools.training.base_models import (
    BaseModelInfo,
    cache_dir,
    check_parts,
    embedded_model,
    missing_model,
    part_files,
    resolve_base_model,
)

_FORMAT = "bf16-1"
"""Part of the cache key; raised when the conversion changes."""

OnPhase = Callable[[Text], None]


def prepare_base_model(name: str, on_phase: OnPhase, folder: Path | None = None) -> Path:
    """The folder to load (config.json, safetensors, tokenizer); `on_phase` hears what takes long.

    Raises MissingPart when the model is not here, InputError when the name means nothing.
    """
    info = resolve_base_model(name, folder)
    if info.kind == "embedded":
        return _prepare_embedded(info, on_phase)
    if info.kind == "hub":
        return _download(info, on_phase)
    if not info.installed:
        raise missing_model(info)
    path = Path(info.source)
    return _converted(path, path.stem, sha256_file(path), on_phase) if info.kind == "gguf" else path


def _prepare_embedded(info: BaseModelInfo, on_phase: OnPhase) -> Path:
    model = embedded_model(info.name)
    target = _target(model.name, model.sha256)
    if target.is_dir():
        return target
    parts = part_files(model)
    if parts is None:
        raise missing_model(info)
    on_phase(T("Checking and joining the files of {title}.", title=model.title))
    check_parts(parts, model)
    with tempfile.TemporaryDirectory(dir=_models_dir()) as scratch:
        whole = parts[0] if len(parts) == 1 else _join(parts, Path(scratch) / "model.gguf")
        return _converted(whole, model.name, model.sha256, on_phase)


def _converted(gguf: Path, name: str, sha256: str, on_phase: OnPhase) -> Path:
    """Convert under a lock into a scratch folder and rename it, so that two runs convert once and half is never seen."""
    target = _target(name, sha256)
    with FileLock(str(target) + ".lock"):
        if not target.is_dir():
            on_phase(T("Converting {name} once for training; later runs load it in a second.", name=name))
            scratch = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=_models_dir()))
            try:
                _convert_in_child(gguf, scratch)
                os.replace(scratch, target)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
    return target


def _convert_in_child(gguf: Path, folder: Path) -> None:
    command = [sys.executable, "-m", "tools.training.prepare_model", str(gguf), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.stderr.write(done.stderr)
        if "No space left" in done.stderr:
            raise OSError(28, "No space left on device", str(folder))
        raise MissingPart(
            T("The model file {path} could not be converted for training.", path=visible(str(gguf))),
            hint=T("The reason is in the run's log.txt; the architecture may be one that transformers cannot convert."),
            page="troubleshooting/installation",
        )


def _download(info: BaseModelInfo, on_phase: OnPhase) -> Path:
    from huggingface_hub import snapshot_download

    on_phase(T("Fetching {name} from the hub, unless it is here already.", name=info.name))
    wanted = ["*.json", "*.safetensors", "*.model", "*.jinja", "*.txt"]
    try:
        return Path(snapshot_download(info.name, allow_patterns=wanted))
    except Exception as reason:  # the hub client raises many kinds; for the user all mean: it is not here
        raise missing_model(info) from reason


def _join(parts: list[Path], whole: Path) -> Path:
    with whole.open("wb") as out:
        for part in parts:
            with part.open("rb") as stream:
                shutil.copyfileobj(stream, out, 1 << 20)
    return whole


def _models_dir() -> Path:
    folder = cache_dir() / "models"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _target(name: str, sha256: str) -> Path:
    return _models_dir() / f"{name}-{sha256[:12]}-{_FORMAT}"


def convert(gguf: Path, folder: Path) -> None:
    """Write a GGUF file as bf16 safetensors with its tokenizer (bf16 keeps more than the 4 bits that were stored)."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    source = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    AutoTokenizer.from_pretrained(**source).save_pretrained(folder)
    # Without dequantize=True the model stays marked as quantised: it can neither be saved nor trained.
    model = AutoModelForCausalLM.from_pretrained(
        **source, quantization_config=GgufConfig(dequantize=True), dtype=torch.bfloat16
    )
    model.save_pretrained(folder)


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
