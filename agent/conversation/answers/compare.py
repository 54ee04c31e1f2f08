"""Two versions on the same validation rows: verdict, numbers, fixed and broken rows. The locked test set stays closed."""

from __future__ import annotations

from pathlib import Path

from agent.approval import DecideQuestion
from agent.conversation.answers.telling import grid, ids, items, page, para, task_of
from agent.conversation.said import Tell
from agent.conversation.situation import Situation
from agent.conversation.understand import Understood
from tools.compare import CompareArgs, Comparison
from tools.compare import compare as compare_tool
from tools.comparing.words import metric_name, verdict_name
from tools.comparison import MetricLine
from tools.errors import InputError
from tools.text import T, Text
from tools.versions import VersionRecord, list_versions

_MOST_REASONS = 3


def answer(understood: Understood, situation: Situation, tell: Tell) -> None:
    """Compare the versions named; with one, it and its parent; with none, the newest and its parent."""
    path = task_of(understood, situation)
    base, new = _sides(path, understood.args.get("versions"), situation)
    show_comparison(compare_tool(CompareArgs(task_dir=path, base=base, new=new, split="valid")), situation, tell)


def show_comparison(found: Comparison, situation: Situation, tell: Tell) -> None:
    """Verdict first, then what it rests on."""
    verdict = verdict_name(found.verdict)
    para(
        tell,
        T(
            "{new} against {base} on the same {rows} valid rows: {verdict}.",
            new=found.new,
            base=found.base,
            rows=found.rows,
            verdict=verdict,
        ),
    )
    items(tell, [*[T("Changed: {change}", change=one) for one in found.changes], *found.reasons[:_MOST_REASONS]])
    header = [
        T("Metric"),
        T("{version}", version=found.base),
        T("{version}", version=found.new),
        T("Change"),
        T("95 %"),
    ]
    grid(tell, header, [_row(line, situation) for line in [*found.metrics, *found.classes]])
    items(tell, _rows(found))
    para(tell, T("Recommended: {choice}.", choice=found.recommendation))
    page(tell, "methods/comparing-versions", situation)


def _row(line: MetricLine, situation: Situation) -> list[str]:
    known = line.range
    interval = f"{known.low * 100:+.1f} … {known.high * 100:+.1f}" if known is not None else "-"
    name = situation.say(metric_name(line.metric))
    return [name, f"{line.old:.1%}", f"{line.new:.1%}", f"{line.difference * 100:+.1f}", interval]


def _rows(found: Comparison) -> list[Text]:
    lines = []
    if found.fixed:
        lines.append(T("Fixed rows ({count}): {rows}", count=len(found.fixed), rows=ids(found.fixed)))
    if found.broken:
        lines.append(T("Broken rows ({count}): {rows}", count=len(found.broken), rows=ids(found.broken)))
    return lines


def _sides(path: Path, named: object, situation: Situation) -> tuple[str, str]:
    """Base and new; raises InputError when there is only one version to speak of."""
    versions = [str(one) for one in named] if isinstance(named, list) else []
    if len(versions) >= 2:
        return versions[0], versions[1]
    if not versions and isinstance(situation.question, DecideQuestion):
        return situation.question.parent, situation.question.version
    measured = [record for record in list_versions(path) if record.has_result]
    new = versions[0] if versions else (measured[-1].version if measured else "")
    base = _parent(new, measured)
    if base is None:
        raise _alone(new, [record.version for record in measured])
    return base, new


def _parent(version: str, records: list[VersionRecord]) -> str | None:
    """The version it started from, else the one before it."""
    names = [record.version for record in records]
    record = next((one for one in records if one.version == version), None)
    if record is not None and record.manifest is not None and record.manifest.parent in names:
        return record.manifest.parent
    earlier = names[: names.index(version)] if version in names else names
    return earlier[-1] if earlier else None


def _alone(version: str, measured: list[str]) -> InputError:
    if not measured:
        return InputError(T("No version has a result on valid yet."), hint=T("Train a first one: improve"))
    return InputError(
        T("There is nothing to compare {version} with yet.", version=version or measured[0]),
        hint=T("Versions with a result on valid: {versions}.", versions=", ".join(measured)),
        page="methods/comparing-versions",
    )
