"""`iterate doctor`: whether this installation can work, and how to mend what cannot.

It only looks: nothing is installed, downloaded or changed, and no heavy package is imported. The one request that leaves
the machine goes to the endpoint that the user configured.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from agent.endpoint import list_models, masked
from agent.i18n import LANGUAGES, catalogue_file, choose_language
from agent.model.prices import price_of
from agent.notify import program_of
from agent.paths import DataKind, Workspace, bundled_dir
from agent.settings import Settings, SettingsRead
from tools.errors import MissingPart
from tools.text import T, Text, visible
from tools.training.base_models import EMBEDDED, EMBEDDED_PREFIX, cache_dir, licence_notice, resolve_base_model

DISTRIBUTION = "iterate-mode"
NEEDED_DISK = 3.0
"""GB: a converted 270M model takes about 0.6, a version with its checkpoints up to 0.5; the rest is room to work."""
NEEDED_MEMORY = 4.0
"""GB: what a training of a bundled task may take."""
_GB = 1e9
_AGAIN = T("Install the program again: its package carries prompts, references, bundled tasks and translations.")


class Check(BaseModel):
    """One line of the report."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Text
    ok: bool | None
    """True fine, False to be mended, None for what is only said or not configured."""
    detail: Text
    mend: Text | None = None
    """How to mend it, or how to get what is not configured; None when there is nothing to do."""


def checks(workspace: Workspace, read: SettingsRead, flag: str | None = None) -> list[Check]:
    """Every check, in the order in which a newcomer would mend them; takes 3 seconds longer when an endpoint is silent.

    `flag` is the language that the command line asked for.
    """
    return [
        _python(),
        *_packages(),
        *_base_models(),
        *_data(),
        _tasks(workspace),
        *_folders({str(workspace.root): T("Workspace folder"), str(cache_dir()): T("Cache folder")}),
        _memory(),
        _processor(),
        _git(),
        _language(read.settings, flag),
        *_settings(read),
        _endpoint(read.settings),
        *_price(read.settings),
        *_notify(read.settings),
    ]


def _check(name: Text, ok: bool | None, detail: Text, mend: Text) -> Check:
    return Check(name=name, ok=ok, detail=detail, mend=None if ok else mend)


def _python() -> Check:
    detail = T("{version} at {path}", version=platform.python_version(), path=sys.executable)
    mend = T("Install Python 3.11 or newer and install the program again with it.")
    return _check(T("Python"), sys.version_info >= (3, 11), detail, mend)


def _packages() -> Iterator[Check]:
    """One line when all packages fit, else one for each that does not; read from metadata, nothing is imported."""
    try:
        declared = importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        detail = T("{name} is not installed in this environment.", name=DISTRIBUTION)
        yield _check(T("Packages"), False, detail, T("Run `make run` in the source tree, or pip install the program."))
        return
    wrong = [line for line in map(_wrong_package, declared) if line is not None]
    yield from wrong
    if not wrong:
        version = importlib.metadata.version(DISTRIBUTION)
        count = sum("extra ==" not in each for each in declared)
        detail = T(
            "{name} {version}; {count} packages in their supported ranges",
            name=DISTRIBUTION,
            version=version,
            count=count,
        )
        yield Check(name=T("Packages"), ok=True, detail=detail)


def _wrong_package(declared: str) -> Check | None:
    from packaging.requirements import Requirement  # 30 ms, needed by no other command

    wanted = Requirement(declared)
    if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
        return None
    try:
        found = importlib.metadata.version(wanted.name)
    except importlib.metadata.PackageNotFoundError:
        detail = T("{name} is not installed; supported: {range}", name=wanted.name, range=str(wanted.specifier))
    else:
        if wanted.specifier.contains(found, prereleases=True):
            return None
        detail = T(
            "{name} {found} is outside the supported range {range}",
            name=wanted.name,
            found=found,
            range=str(wanted.specifier),
        )
    mend = T(
        'Install a supported version: {python} -m pip install "{wanted}"', python=sys.executable, wanted=str(wanted)
    )
    return _check(T("Packages"), False, detail, mend)


def _base_models() -> Iterator[Check]:
    """One embedded model is enough to work; the others are only said."""
    known = {name: resolve_base_model(EMBEDDED_PREFIX + name) for name in EMBEDDED}
    none_at_all = not any(info.installed for info in known.values())
    for name, info in known.items():
        state = T("installed") if info.installed else T("not installed")
        yield _check(
            T("Base model {name}", name=info.name),
            True if info.installed else (False if none_at_all else None),
            T("{state}; {licence}", state=state, licence=licence_notice(info)),
            T("Install it: iterate models add {name} ({size} MB)", name=name, size=EMBEDDED[name].download_mb),
        )


def _data() -> Iterator[Check]:
    kinds: list[tuple[DataKind, Text, str]] = [
        ("prompts", T("Prompts"), "*.md"),
        ("references", T("Reference pages"), "*/*.md"),
        ("tasks", T("Bundled tasks"), "*/task_definition.yaml"),
    ]
    for kind, name, pattern in kinds:
        try:
            folder = bundled_dir(kind)
        except MissingPart as missing:
            yield _check(name, False, missing.message, _AGAIN)
        else:
            count = len(list(folder.glob(pattern)))
            yield _check(name, count > 0, T("{count} files in {folder}", count=count, folder=str(folder)), _AGAIN)


def _tasks(workspace: Workspace) -> Check:
    count = len(workspace.task_names())
    detail = T(
        "{count} tasks in {folder}. {origin}", count=count, folder=str(workspace.tasks_dir), origin=workspace.origin
    )
    mend = T("Run `iterate` here to get the bundled tasks as examples, or `iterate init` to make a task from a table.")
    return _check(T("Workspace"), True if count else None, detail, mend)


def _folders(folders: dict[str, Text]) -> Iterator[Check]:
    """Whether each folder, or the parent it would be made in, can be written, and the free space there."""
    for path, name in folders.items():
        place = _existing(Path(path))
        if not os.access(place, os.W_OK | os.X_OK):
            yield _check(name, False, T("{folder} cannot be written", folder=path), _MEND_FOLDER[name.msgid])
            continue
        free = shutil.disk_usage(place).free / _GB
        detail = T("{folder} can be written; {free:.1f} GB free", folder=path, free=free)
        mend = T("Free at least {size:.1f} GB on that disk.", size=max(NEEDED_DISK - free, 0.1))
        yield _check(name, free >= NEEDED_DISK, detail, mend)


_MEND_FOLDER = {
    "Workspace folder": T("Make the folder writable, or name another one with --workspace."),
    "Cache folder": T("Make the folder writable, or name another one in the environment variable ITERATE_CACHE."),
}


def _existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.absolute().parents) if folder.exists())


def _memory() -> Check:
    import psutil  # 20 ms, needed by no other part of the command line

    memory = psutil.virtual_memory()
    detail = T(
        "{free:.1f} GB available of {total:.1f} GB; training takes up to {needed:.0f} GB",
        free=memory.available / _GB,
        total=memory.total / _GB,
        needed=NEEDED_MEMORY,
    )
    mend = T("Close other programs, or set training.micro_batch_size to 4 or less, before you train.")
    return _check(T("Memory"), memory.available / _GB >= NEEDED_MEMORY, detail, mend)


def _processor() -> Check:
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    flags = _cpu_flags()
    bf16 = sorted(flags & {"avx512_bf16", "amx_bf16", "bf16"})
    speed = (
        T("multiplies bf16 in hardware ({flags})", flags=", ".join(bf16)) if bf16 else T("does not declare bf16 units")
    )
    return Check(
        name=T("Processor"),
        ok=None,
        detail=T("{threads} threads, {machine}; it {speed}", threads=threads, machine=platform.machine(), speed=speed),
    )


def _cpu_flags() -> set[str]:
    """Feature flags as Linux lists them; other systems do not, and training measures the speed itself anyway."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return set()
    lines = (line.partition(":") for line in text.splitlines())
    return next((set(value.split()) for key, _, value in lines if key.strip() in {"flags", "Features"}), set())


def _git() -> Check:
    found = shutil.which("git")
    detail = T("found at {path}", path=found) if found else T("not found; no command needs it")
    return Check(name=T("git"), ok=True if found else None, detail=detail)


def _language(settings: Settings, flag: str | None = None) -> Check:
    language, reason = choose_language(flag, settings.language)
    missing = [str(path) for path in map(catalogue_file, LANGUAGES) if path is not None and not path.is_file()]
    if missing:
        return _check(T("Language"), False, T("The translation {path} is missing.", path=missing[0]), _AGAIN)
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    if encoding != "utf8":
        detail = T(
            "{language}; the terminal is set to {encoding}", language=language, encoding=sys.stdout.encoding or "?"
        )
        return _check(T("Language"), False, detail, T("Set a UTF-8 locale (LANG=C.UTF-8) or PYTHONUTF8=1."))
    return Check(name=T("Language"), ok=True, detail=T("{language}: {reason}", language=language, reason=reason))


def _settings(read: SettingsRead) -> Iterator[Check]:
    for problem in read.problems:
        mend = problem.hint or T("Mend it in {path}.", path=visible(problem.path or str(read.file)))
        yield _check(T("Settings"), False, problem.message, mend)


def _endpoint(settings: Settings) -> Check:
    name = T("Language model endpoint")
    if settings.endpoint is None:
        mend = T("Optional: set OPENAI_BASE_URL, OPENAI_API_KEY and ITERATE_MODEL to let a language model help.")
        return Check(name=name, ok=None, detail=T("None is configured; every step works without one."), mend=mend)
    key = T("key {masked}", masked=masked(settings.api_key)) if settings.api_key else T("no key")
    place = T("{address} ({key})", address=visible(settings.endpoint), key=key)
    answer = list_models(settings.endpoint, settings.api_key)
    if answer.models is None:
        detail = T("{place}: {trouble}", place=place, trouble=answer.trouble or T("no answer"))
        mend = T(
            "Check OPENAI_BASE_URL (it ends in /v1 with most servers) and OPENAI_API_KEY, and that the server runs."
        )
        return _check(name, False, detail, mend)
    return _served(name, place, settings.model, answer.models)


def _served(name: Text, place: Text, model: str | None, models: list[str]) -> Check:
    some = ", ".join(models[:8])
    if model is None and len(models) == 1:
        model = models[0]
    if model is None:
        detail = T("{place} answers; no model is chosen.", place=place)
        return _check(name, None, detail, T("Set ITERATE_MODEL to one of its models: {models}", models=some))
    if model not in models:
        detail = T("{place} answers, but does not list the model {model}.", place=place, model=visible(model, 80))
        return _check(name, False, detail, T("Set ITERATE_MODEL to one of its models: {models}", models=some))
    detail = T(
        "{place} serves {model}; `iterate doctor --endpoint` asks what it can do", place=place, model=visible(model, 80)
    )
    return Check(name=name, ok=True, detail=detail)


def _price(settings: Settings) -> Iterator[Check]:
    """Whether a limit of cost can be kept; nothing where the model costs nothing or is not named."""
    if settings.endpoint is None or settings.endpoint_is_local or settings.model is None:
        return
    name, model = T("Price of the language model"), visible(settings.model, 80)
    priced = price_of(settings, settings.model)
    if priced is None:
        detail = T("not known for {model}; a night with --max-cost does not ask it", model=model)
        mend = T("Write it under `prices:` in the settings file, in dollars for a million tokens.")
        yield Check(name=name, ok=None, detail=detail, mend=mend)
        return
    detail = T(
        "{model}: {prompt:g} and {completion:g} dollars for a million tokens asked and answered",
        model=model,
        prompt=priced.price.prompt,
        completion=priced.price.completion,
    )
    yield Check(name=name, ok=True, detail=detail)


def _notify(settings: Settings) -> Iterator[Check]:
    """The program that calls a person back; nothing where none is set. It is not run."""
    if not settings.notify:
        return
    name, program = T("Notifications"), program_of(settings)
    if program is not None:
        yield Check(name=name, ok=True, detail=T("{path} is run when somebody is needed", path=visible(program, 200)))
        return
    detail = T("{program} is not there, or may not be run", program=visible(settings.notify[0], 200))
    mend = T("Give the whole path in the setting notify, and make the file executable: chmod +x FILE")
    yield Check(name=name, ok=False, detail=detail, mend=mend)
