"""What came of a batch of written rows as plain lines: numbers, reasons, diversity, the rows most worth a second look."""

from __future__ import annotations

from collections.abc import Mapping

from agent.faces.layout import wrap
from agent.faces.views.blocks import bullet
from tools.generating.checks import WHYS
from tools.generating.diversity import Diversity
from tools.generating.looking import WHYS_UNUSED
from tools.generating.run import Progress
from tools.generating.store import Generated, QuarantinedRow, Report
from tools.reviewing.batch import Candidate
from tools.text import Speaker, T, Text, visible

_STAGES = {"write": T("writing"), "judge": T("judging with the label hidden")}
LEAST_RIGHT = 0.7
"""A judge that knows fewer of the training rows decides little."""


def progress_line(progress: Progress, say: Speaker) -> str:
    """One line about how far a batch is, and whether anything usable came of it."""
    line = T(
        "{batch}, {stage}: {done} of {total} questions, {asked} being asked, {minutes:.1f} min, {tokens} tokens{cost}{rows}",
        batch=progress.batch,
        stage=_STAGES[progress.stage],
        done=progress.done,
        total=progress.total,
        asked=progress.under_way,
        minutes=progress.minutes,
        tokens=progress.prompt_tokens + progress.completion_tokens,
        cost=_cost(progress.cost),
        rows=_rows_so_far(progress),
    )
    return visible(say(line))


def _rows_so_far(progress: Progress) -> Text | str:
    if progress.rows:
        return T(", {count} rows so far", count=progress.rows)
    return T(", no usable row in {count} answers", count=progress.unusable) if progress.unusable else ""


def _cost(cost: float | None) -> Text | str:
    return "" if cost is None else T(", {cost:.4f} USD", cost=cost)


def report_lines(report: Report, say: Speaker) -> list[str]:
    """The numbers of a batch."""
    head = T(
        "Batch {batch}: {passed} rows of {label} passed every check, {wanted} were wanted; {model} wrote {written}.",
        batch=report.batch,
        passed=report.passed,
        label=visible(report.label, 60),
        wanted=report.wanted,
        model=visible(report.model, 80),
        written=report.written,
    )
    lines = [*wrap(say(head)), *_quarantine(report, say), *_unusable(report, say)]
    for text in (*_failed(report), *_judge(report), *_diversity(report), _spent(report)):
        lines += bullet(say(text))
    return lines


def _quarantine(report: Report, say: Speaker) -> list[str]:
    count = sum(report.quarantined.values())
    if not count:
        return []
    told = T("{count} in quarantine ({share:.0%}):", count=count, share=count / max(1, report.written))
    lines = bullet(say(told))
    for why, number in report.quarantined.items():
        lines += wrap(f"{number:>5}  {say(WHYS[why])}", indent="  ")
    return lines


def _unusable(report: Report, say: Speaker) -> list[str]:
    """What the answers were while none of them held a usable row."""
    found = report.unusable
    if found is None:
        return []
    told = T(
        "No answer held a usable row (answers: {answers}, questions: {questions}):",
        answers=found.answers,
        questions=found.questions,
    )
    lines = bullet(say(told))
    for why, number in found.whys.items():
        lines += wrap(f"{number:>5}  {say(WHYS_UNUSED[why])}", indent="  ")
    if found.example:
        lines += wrap(say(T("One of them begins: {text}", text=found.example)), indent="    ")
    return lines


def _failed(report: Report) -> list[Text]:
    if not report.failed:
        return []
    shown = ", ".join(f"{trouble} {count}" for trouble, count in report.failed.items())
    return [T("Questions without a usable answer: {shown}", shown=shown)]


def _judge(report: Report) -> list[Text]:
    judge = report.judge
    if not judge.asked:
        return []
    told = T(
        "The judge knew the label of {right} of {asked} training rows, so far its word counts.",
        right=judge.right,
        asked=judge.asked,
    )
    if judge.right < LEAST_RIGHT * judge.asked:
        more = T("That is little: read every row yourself, or ask a better model.")
        return [T("{told} {more}", told=told, more=more)]
    return [told]


def _diversity(report: Report) -> list[Text]:
    if report.diversity is None:
        return []
    lines = [_measured(T("Diversity of the rows that passed"), report.diversity)]
    if report.real is not None:
        lines.append(_measured(T("Of training rows of the label"), report.real))
    return lines


def _measured(what: Text, one: Diversity) -> Text:
    return T(
        "{what} ({rows} rows): distinct-2 {two:.2f}, distinct-3 {three:.2f}, mean similarity to the nearest {near:.2f}",
        what=what,
        rows=one.rows,
        two=one.distinct_2,
        three=one.distinct_3,
        near=one.nearest,
    )


def _spent(report: Report) -> Text:
    told = T(
        "Tokens: {prompt} asked, {completion} answered",
        prompt=report.prompt_tokens,
        completion=report.completion_tokens,
    )
    if not report.counted:
        told = T("{told} (partly guessed: not every answer came with a count)", told=told)
    if report.cost is None:
        return T("{told}; the price of {model} is not known", told=told, model=visible(report.model, 80))
    return T("{told}; {cost:.4f} USD", told=told, cost=report.cost)


def row_lines(done: Generated, say: Speaker) -> list[str]:
    """Every row with its checks, as a dry run shows them."""
    lines: list[str] = []
    for row in done.rows:
        lines += [
            "",
            *_fields(say(T("passed {id}: {label}", id=row.id, label=visible(str(row.answer), 60))), row.fields),
        ]
        lines += [line for text in _checks(row) for line in wrap(say(text), indent="    ")]
    for one in done.quarantined:
        lines += ["", *quarantined_lines(one, say)]
    return lines


def _checks(row: Candidate) -> list[Text]:
    signs = {True: T("ok"), False: T("look")}
    return [
        T("{sign}: {name}: {reason}", sign=signs[check.passed], name=check.name, reason=check.reason or T("passed"))
        for check in row.checks
    ]


def quarantined_lines(one: QuarantinedRow, say: Speaker) -> list[str]:
    """A quarantined row with its reason; a copy of a test row without its text."""
    head = T("quarantine {id}: {why}", id=one.id, why=WHYS[one.fault.why])
    lines = _fields(say(head), one.fields)
    if one.fault.split == "test":
        lines += wrap(say(T("Its text is not shown: the test split stays closed.")), indent="    ")
    return lines + wrap(visible(say(one.fault.reason)), indent="    ")


def weakest_lines(report: Report, say: Speaker) -> list[str]:
    """The rows that passed and are most like others."""
    if not report.weakest:
        return []
    lines = ["", say(T("The rows that passed and are most like others; read these first:"))]
    for one in report.weakest:
        text = " / ".join(visible(value, 200) for value in one.fields.values())
        lines += bullet(f"{one.alike:.2f}  {text}")
    return lines


def _fields(head: str, fields: Mapping[str, str]) -> list[str]:
    shown = [f"{visible(name, 40)}: {visible(value, 500)}" for name, value in fields.items()]
    return bullet(visible(head)) + [line for text in shown for line in wrap(text, indent="    ")]
