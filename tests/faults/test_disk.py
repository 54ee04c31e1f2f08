"""A disk that is full, a folder that is read-only, and two users in one workspace.

Where mounting is allowed (as root, in a container) the disk is a real one, a tmpfs that is made smaller; else those tests are
left out, and the short write of a full disk is put in below everything, in os.write.
"""

from __future__ import annotations

import errno
import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from agent.journal import Journal
from agent.session import task_lock
from tests.support.scripted_task import make_workspace
from tools.errors import Busy, WriteFailed
from tools.files import append_line, write_atomic

ROOM = 2 << 30
"""A limit, not memory that is taken."""
USERS = (61001, 61002)
GROUP = 61000


class Disk:
    """A small disk of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.remount(f"size={ROOM}", first=True)

    def remount(self, options: str, *, first: bool = False) -> None:
        words = ["mount", "-t", "tmpfs", "-o", options if first else f"remount,{options}", "tmpfs", str(self.folder)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if first and done.returncode:
            pytest.skip(f"no disk of its own here: {done.stderr.strip()}")
        assert done.returncode == 0, done.stderr

    def fill(self) -> None:
        """Leave no page free."""
        used = os.statvfs(self.folder)
        self.remount(f"size={(used.f_blocks - used.f_bfree) * used.f_frsize}")

    def free(self) -> None:
        self.remount(f"size={ROOM}")


@pytest.fixture
def disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    yield Disk(folder)
    subprocess.run(["umount", "-l", str(folder)], capture_output=True, check=False)


def test_a_line_that_does_not_fit_is_refused_and_leaves_the_file_as_it_was(disk):
    path = disk.folder / "journal.jsonl"
    append_line(path, '{"a": 1}')
    before = path.read_bytes()
    disk.fill()
    with pytest.raises(WriteFailed, match="No space left"):
        append_line(path, '{"b": "' + "x" * 20_000 + '"}')
    with pytest.raises(WriteFailed):
        write_atomic(disk.folder / "status.json", "x" * 20_000)
    assert path.read_bytes() == before
    assert [one.name for one in disk.folder.iterdir()] == ["journal.jsonl"], "no half of a file is left"
    disk.free()
    append_line(path, '{"c": 3}')
    assert path.read_bytes() == before + b'{"c": 3}\n'


def test_a_write_that_is_cut_short_is_taken_back(tmp_path, monkeypatch):
    """The same below everything: the system takes a part of a line, and says no to the rest."""
    path = tmp_path / "journal.jsonl"
    append_line(path, "one")
    write, left = os.write, [5]

    def short(handle, content):
        if not left[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        taken, left[0] = left[0], 0
        return write(handle, content[:taken])

    monkeypatch.setattr(os, "write", short)
    with pytest.raises(WriteFailed):
        append_line(path, "a line of many words")
    monkeypatch.undo()
    assert path.read_bytes() == b"one\n"


def on(disk, place):
    """Move a workspace onto the disk, at the path it had."""
    subprocess.run(["cp", "-a", f"{place.root}/.", str(disk.folder)], check=True)
    subprocess.run(["mount", "--bind", str(disk.folder), str(place.root)], check=True)


@pytest.fixture
def small(disk, place, monkeypatch):
    """A workspace on a small disk; a training of a script needs next to nothing."""
    on(disk, place)
    yield disk
    subprocess.run(["umount", "-l", str(place.root)], capture_output=True, check=False)


def test_a_session_on_a_full_and_then_on_a_read_only_disk_stops_in_words_and_ends_like_its_twin(twin, place, small):
    middle = len(twin.moments()) // 2
    assert place.life(at=middle) < 0
    place.worker_gone()
    for shut, open_again in ((small.fill, small.free), (lambda: small.remount("ro"), lambda: small.remount("rw"))):
        before = place.out.stat().st_size
        shut()
        status = place.life()
        said = place.out.read_bytes()[before:].decode()
        open_again()
        assert status == 1, said[-1500:]
        assert "Traceback" not in said, said[-1500:]
        assert "Next step" in said
    assert place.life() == 0, place.tail()
    place.assert_like(twin)


def as_user(user, act):
    """Do something in a process of another user of the group, with the umask of people who share; True when it worked."""
    pid = os.fork()
    if pid:
        return os.waitpid(pid, 0)[1] == 0
    code = 1
    try:
        os.umask(0o002)
        os.setgroups([])
        os.setgid(GROUP)
        os.setuid(user)
        act()
        code = 0
    except BaseException as error:
        print(repr(error), flush=True)
    os._exit(code)


@pytest.fixture
def shared():
    """A workspace that belongs to one user and is shared with a group."""
    if os.geteuid() != 0:
        pytest.skip("only root can become two users")
    with tempfile.TemporaryDirectory() as folder:
        task = make_workspace(Path(folder))
        Path(folder).chmod(0o755)
        subprocess.run(["chown", "-R", f"{USERS[0]}:{GROUP}", f"{folder}/tasks"], check=True)
        subprocess.run(["chmod", "-R", "g+rwXs", f"{folder}/tasks"], check=True)
        yield task


def test_two_users_of_a_group_work_on_one_task_one_after_the_other(shared):
    def work():
        with task_lock(shared):
            Journal(shared).note(str(os.getuid()), "decision", "1")
            write_atomic(shared / "configs" / "training_config.yaml", f"# {os.getuid()}\n")

    assert as_user(USERS[0], work)
    assert as_user(USERS[1], work)
    assert as_user(USERS[0], work)
    assert [entry.session for entry in Journal(shared).entries()] == [str(user) for user in USERS]


def test_who_may_not_write_is_told_so_and_who_comes_second_is_told_who_is_there(shared):
    def shut_out():
        with pytest.raises(WriteFailed, match="lock"), task_lock(shared):
            pass

    def second():
        with pytest.raises(Busy, match=str(os.getppid())), task_lock(shared):
            pass

    assert as_user(USERS[0], lambda: (shared / ".iterate").mkdir(mode=0o700))
    (shared / ".iterate").chmod(0o700)
    assert as_user(USERS[1], shut_out)
    (shared / ".iterate").chmod(0o2775)
    with task_lock(shared):
        subprocess.run(["chown", "-R", f"{USERS[0]}:{GROUP}", str(shared)], check=True)
        subprocess.run(["chmod", "-R", "g+rwX", str(shared)], check=True)
        assert as_user(USERS[1], second)
