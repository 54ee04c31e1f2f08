"""A second place to run, only for tests: an engine with a queue of its own that starts jobs from job files, as a cluster does.

Submitting writes a job file named by the run id and wakes the engine; the engine is a process of its own that starts what it
finds. It shows that another place is one file with the promises of tools/launchers/base.py, and that the suite holds it to
them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools.errors import RunFailed
from tools.launchers.base import Resources, RunHealth, Submission, state_of
from tools.launchers.local import LocalLauncher
from tools.runs import RunEvent
from tools.text import T

_ENGINE = """
import sys
from pathlib import Path
from tools.launchers.base import Submission
from tools.launchers.local import launcher
run_dir = Path(sys.argv[1])
job = Submission.model_validate_json((run_dir.parent / "spool" / f"{run_dir.name}.json").read_bytes())
print(launcher.submit(run_dir, job))
"""


class SpoolLauncher:
    """Jobs through a folder; the engine behind it runs them on this machine."""

    def __init__(self) -> None:
        self._here = LocalLauncher()

    def submit(self, run_dir: Path, work: Submission) -> bool:
        """Write the job file and let the engine look at it; True when the engine started it now."""
        if shutil.which(work.argv[0]) is None:
            raise RunFailed(T("The engine has no program {program}.", program=work.argv[0]))
        spool = run_dir.parent / "spool"
        spool.mkdir(exist_ok=True)
        job = spool / f"{work.run_id}.json"
        scratch = job.with_suffix(f".{os.getpid()}-{os.urandom(4).hex()}")
        scratch.write_text(work.model_dump_json(), encoding="utf-8")
        os.replace(scratch, job)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        said = subprocess.run(
            [sys.executable, "-c", _ENGINE, str(run_dir)],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
            start_new_session=True,
        )
        return said.stdout.strip() == "True"

    def status(self, run_dir: Path) -> RunHealth:
        """From the shared folder."""
        return state_of(run_dir)

    def events(self, run_dir: Path, offset: int = 0) -> tuple[list[RunEvent], int]:
        """From the shared folder."""
        return self._here.events(run_dir, offset)

    def cancel(self, run_dir: Path, grace_seconds: float = 10.0) -> None:
        """The engine runs on this machine, so its jobs end as local ones do."""
        self._here.cancel(run_dir, grace_seconds)

    def reattach(self, run_dir: Path) -> bool:
        """Nothing to fetch from a shared folder."""
        return self._here.reattach(run_dir)

    def resources(self) -> Resources:
        """The engine does not say."""
        return Resources()


launcher = SpoolLauncher()
