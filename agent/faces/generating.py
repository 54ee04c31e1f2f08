"""`iterate generate`: new rows by the language model that is set up, watched on the terminal, with what came of them."""

from __future__ import annotations

from pathlib import Path
from time import monotonic

from agent.approval import user_name
from agent.faces.console import out, tell
from agent.faces.layout import wrap
from agent.faces.views.generation import progress_line, report_lines, row_lines, weakest_lines
from agent.journal import Journal
from agent.manual import COMMAND
from agent.model.writer import open_writer
from agent.settings import Settings
from tools.files import now
from tools.generate_data import GenerateDataArgs, generate_data, no_generator
from tools.generating.asking import Paused
from tools.generating.looking import advice
from tools.generating.run import Progress
from tools.generating.store import Generated, read_report
from tools.generating.writer import Price, Writer
from tools.text import Speaker, T, shell_word, visible

_PARTS = 10
"""Lines of progress for each stage, where it goes fast."""
_SILENCE = 30.0
"""Seconds after which another line comes in any case: one question to a slow server takes minutes."""


def generate_for(
    args: GenerateDataArgs, settings: Settings, price: Price | None, say: Speaker, *, as_json: bool
) -> int:
    """Write rows for a task and say what came of them; raises Paused and the errors of the tool."""
    writer = open_writer(settings, price)
    if writer is None:
        raise no_generator(args.task_dir.name)
    path = args.task_dir
    _announce(writer, settings, say)
    if not args.dry_run:
        said = {"labels": list[object](args.labels), "count": args.count, "model": writer.name}
        Journal(path).note(COMMAND, "generate", now(), by="person", who=user_name(), asked=str(said))
    watch = _Watch(say)
    try:
        done = generate_data(args, writer, watch.told).generated
    except Paused:
        report = read_report(path, watch.batch) if watch.batch and not args.dry_run else None
        for line in report_lines(report, say) if report else []:
            tell(line)
        raise
    assert done is not None  # it was asked for rows
    if as_json:
        out((done if args.dry_run else done.report).model_dump_json(indent=2))
    else:
        _show(done, path, say, dry=args.dry_run)
    return 0 if done.report.passed else 1


def _announce(writer: Writer, settings: Settings, say: Speaker) -> None:
    """Who writes, what leaves this machine, and whether the cost can be told."""
    tell(
        visible(
            say(T("Rows are written and judged by {model} at {host}.", model=writer.name, host=settings.endpoint_host))
        )
    )
    if writer.may_see_rows and not settings.endpoint_is_local:
        tell(say(T("Training rows stand as examples in what is sent there (endpoint_rows: never keeps them here).")))
    if not writer.may_see_rows:
        tell(say(T("Without training rows as examples, as the settings ask; expect worse rows.")))
    if writer.price is None:
        told = T(
            "The price of {model} is not known: tokens are counted, dollars are not. --price IN,OUT sets it.",
            model=visible(writer.name, 80),
        )
        for line in wrap(say(told)):
            tell(line)


class _Watch:
    """Says how far it is, not too often."""

    def __init__(self, say: Speaker) -> None:
        self._say = say
        self._last: tuple[str, int, bool] | None = None
        self._said_at = 0.0
        self.batch = ""

    def told(self, progress: Progress) -> None:
        """Hear of a step."""
        self.batch = progress.batch
        part = (progress.stage, progress.done * _PARTS // max(1, progress.total), progress.unusable > 0)
        if part != self._last or monotonic() >= self._said_at + _SILENCE:
            self._last, self._said_at = part, monotonic()
            tell(progress_line(progress, self._say))


def _show(done: Generated, path: Path, say: Speaker, *, dry: bool) -> None:
    for line in (*(row_lines(done, say) if dry else ()), *([""] if dry else ()), *report_lines(done.report, say)):
        out(line)
    for line in weakest_lines(done.report, say) if not dry else []:
        out(line)
    if done.report.unusable is not None:
        read = T("Read more: iterate refs {page}", page="methods/data-generation")
        for line in ("", *wrap(say(advice(path.name, may_go_on=not done.report.finished))), say(read)):
            out(line)
    if dry:
        out(say(T("This was a dry run: nothing was written.")))
    elif done.report.passed:
        next_step = T(
            "They wait for your review: iterate review {task} {batch}. Nothing is trained on them before you accept them.",
            task=shell_word(path.name),
            batch=done.report.batch,
        )
        for line in ("", *wrap(say(next_step))):
            out(line)
