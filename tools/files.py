"""Writing files so that a reader or a crash never sees half of one."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel

from tools.errors import write_failed


def now() -> str:
    """The time as ISO 8601 UTC with seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def sha256_bytes(content: bytes) -> str:
    """Hex digest of `content`."""
    return hashlib.sha256(content).hexdigest()


def sha256_file(path: Path) -> str:
    """Hex digest of a file's bytes, read in chunks."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_atomic(path: Path, content: str | bytes) -> None:
    """Replace `path` by `content` in one step, on disk before it returns; raises WriteFailed and leaves the old file."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    temporary: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, _mode_for(path))
        os.replace(temporary, path)
        _sync_folder(path.parent)
    except OSError as reason:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        raise write_failed(path, reason) from reason


def write_model(path: Path, model: BaseModel) -> None:
    """Write a pydantic model as indented JSON, atomically."""
    write_atomic(path, model.model_dump_json(indent=2) + "\n")


def append_line(path: Path, line: str) -> None:
    """Append one line and wait until it is on disk; a torn last line of a crash is closed off first.

    Raises WriteFailed, and takes back what was written of the line, when the disk has no room for all of it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)  # less what the umask takes
        try:
            size = os.fstat(handle).st_size
            torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
            _write_whole(handle, (("\n" if torn else "") + line + "\n").encode("utf-8"), size)
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as reason:
        raise write_failed(path, reason) from reason


def _write_whole(handle: int, content: bytes, size: int) -> None:
    """Write everything at the end of a file of that size, or nothing: a full disk takes a part and says so only afterwards."""
    done = 0
    try:
        while done < len(content):
            done += os.write(handle, content[done:])
    except OSError:
        if done and os.fstat(handle).st_size == size + done:
            os.ftruncate(handle, size)
        raise


def _mode_for(path: Path) -> int:
    """Permissions of the file being replaced, else those a new file would get."""
    try:
        return path.stat().st_mode & 0o777
    except OSError:
        umask = os.umask(0)
        os.umask(umask)
        return 0o666 & ~umask


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable, where the system allows opening a folder."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def link_tree(source: Path, target: Path) -> None:
    """Make `target` a copy of a folder in one step, sharing the files' bytes where the disk allows; it must not exist.

    Only for files that are never written in place, and for callers that hold a lock on the target: what a process that was
    killed in the middle of it has left is removed. Raises WriteFailed and leaves nothing behind.
    """
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for left in target.parent.glob(f".{glob.escape(target.name)}.[0-9]*"):
            shutil.rmtree(left, ignore_errors=True)
        shutil.copytree(source, temporary, copy_function=_link_or_copy)
        temporary.rename(target)
        _sync_folder(target.parent)
    except OSError as reason:
        shutil.rmtree(temporary, ignore_errors=True)
        raise write_failed(target, reason) from reason


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk, or a file system without hard links
        shutil.copy2(source, target)
