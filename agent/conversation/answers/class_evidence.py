"""Why one class (or one field of an object) scores low: scores, training rows, confusions, findings, and rows that show it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import JsonValue

from agent.conversation.answers.telling import SHOWN_CHARACTERS, items, page, para
from agent.conversation.said import RowList, Said, ShownRow, Tell
from agent.conversation.situation import Situation
from tools.diagnose import Diagnosis
from tools.errors import NotFound
from tools.finding import Finding
from tools.outcomes.status import ClassLine, SplitLine
from tools.read_results import ReadResultsArgs, latest, read_predictions, read_results
from tools.results import Prediction, SplitResult
from tools.text import T, Text, visible

SHOWN_ROWS = 3
_MOST_FINDINGS = 3


def explain_class(path: Path, label: str, diagnosis: Diagnosis, situation: Situation, tell: Tell) -> None:
    """Say it with numbers; rows come from valid only."""
    line = next((one for one in diagnosis.status.classes if one.label == label), None)
    if line is None:
        names = ", ".join(visible(one.label, 40) for one in diagnosis.status.classes)
        raise NotFound(
            T("{task} has no scores for {label}.", task=visible(path.name, 60), label=repr(visible(label, 40))),
            hint=T("Classes with scores: {names}.", names=names or "-"),
        )
    result = latest(read_results(ReadResultsArgs(task_dir=path)), diagnosis.version, "valid")
    wrong = _wrong_rows(path, label, result)
    para(tell, _scores(line, diagnosis))
    findings = [one for one in diagnosis.findings if label in _subjects(one.about)][:_MOST_FINDINGS]
    items(tell, [*_data(line, diagnosis.status.splits), *_confusions(label, result), *map(_found, findings)])
    if wrong:
        rows = [_shown(row, label) for row in wrong[:SHOWN_ROWS]]
        title = T("{count} of its valid rows are answered wrongly, such as these", count=len({one.id for one in wrong}))
        tell(Said(block=RowList(title=title, rows=rows)))
    page(tell, findings[0].page if findings else "troubleshooting/class-imbalance", situation)


def _scores(line: ClassLine, diagnosis: Diagnosis) -> Text:
    mean = sum(one.f1 for one in diagnosis.status.classes) / len(diagnosis.status.classes)
    version = diagnosis.version or "-"
    label = visible(line.label, 40)
    if line.precision is None or line.recall is None:
        return T(
            "{label} ({version}, valid): {f1:.1%}, mean {mean:.1%}.",
            label=label,
            version=version,
            f1=line.f1,
            mean=mean,
        )
    return T(
        "{label} ({version}, valid): F1 {f1:.1%}, precision {precision:.1%}, recall {recall:.1%} on {support} rows; "
        "the mean F1 of all classes is {mean:.1%}. {reading}",
        label=label,
        version=version,
        f1=line.f1,
        precision=line.precision,
        recall=line.recall,
        support=line.support or 0,
        mean=mean,
        reading=_reading(line.precision, line.recall),
    )


def _reading(precision: float, recall: float) -> Text:
    if recall < precision - 0.1:
        return T("It is missed more often than it is claimed wrongly.")
    if precision < recall - 0.1:
        return T("It is claimed wrongly more often than it is missed.")
    return T("It is missed about as often as it is claimed wrongly.")


def _data(line: ClassLine, splits: Sequence[SplitLine]) -> list[Text]:
    train = next((one for one in splits if one.split == "train"), None)
    if line.train_rows is None or train is None or not train.labels:
        return []
    rows = sorted(train.labels.values())
    share = line.train_rows / max(1, sum(rows))
    values = {"rows": line.train_rows, "share": share, "largest": rows[-1]}
    return [T("Training rows: {rows} ({share:.0%} of train; the largest class has {largest}).", **values)]


def _confusions(label: str, result: SplitResult | None) -> list[Text]:
    """What the class is taken for, and what is taken for it."""
    if result is None or not result.confusion:
        return []
    given = {other: count for other, count in result.confusion.get(label, {}).items() if other != label and count}
    taken = {other: row[label] for other, row in result.confusion.items() if other != label and row.get(label)}
    lines = []
    if given:
        lines.append(T("Answered instead of {label}: {pairs}.", label=visible(label, 40), pairs=_counts(given)))
    if taken:
        lines.append(T("Answered {label} although it was: {pairs}.", label=visible(label, 40), pairs=_counts(taken)))
    return lines


def _counts(counts: dict[str, int]) -> Text:
    """中立 12, 正面 3, most frequent first; "" stands for answers that could not be parsed."""
    text: Text | None = None
    for label, count in sorted(counts.items(), key=lambda one: -one[1]):
        name = T("{label}", label=visible(label, 40)) if label else T("not parsed")
        one = T("{label} {count}", label=name, count=count)
        text = one if text is None else T("{one}, {other}", one=text, other=one)
    return text or T("none")


def _found(finding: Finding) -> Text:
    return T("Finding: {title}. {detail}", title=finding.title, detail=finding.detail)


def _subjects(about: dict[str, JsonValue]) -> set[str]:
    """Every name that a finding is about."""
    subjects: set[str] = set()
    for value in about.values():
        subjects.update(each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str))
    return subjects


def _wrong_rows(path: Path, label: str, result: SplitResult | None) -> list[Prediction]:
    """Wrong answers to rows of the class, those of the most frequent confusion first; for a field, where it is wrong."""
    if result is None or result.predictions is None or not (path / result.predictions).is_file():
        return []
    rows = [one for one in read_predictions(path / result.predictions) if not one.correct]
    mine = [one for one in rows if one.expected == label or _field_wrong(one, label)]
    answers = [_answer(one) for one in mine]
    distinct = {one.id: one for one in sorted(mine, key=lambda one: -answers.count(_answer(one)))}
    return list(distinct.values())


def _field_wrong(row: Prediction, field: str) -> bool:
    if not isinstance(row.expected, dict) or field not in row.expected:
        return False
    return not isinstance(row.parsed, dict) or row.parsed.get(field) != row.expected[field]


def _field(answer: JsonValue, field: str) -> JsonValue:
    return answer.get(field, "") if isinstance(answer, dict) else answer


def _answer(row: Prediction) -> str:
    return str(row.parsed) if row.parsed is not None else ""


def _shown(row: Prediction, label: str) -> ShownRow:
    """The row with the expected and the given answer; of an object, only the field in question."""
    answered = row.parsed if row.parsed is not None else row.raw
    return ShownRow(
        id=visible(row.id, 60),
        input={name: visible(value, SHOWN_CHARACTERS) for name, value in row.input.items()},
        expected=visible(str(_field(row.expected, label)), SHOWN_CHARACTERS),
        answered=visible(str(_field(answered, label)), SHOWN_CHARACTERS),
        note=T("could not be parsed") if row.parsed is None else None,
    )
