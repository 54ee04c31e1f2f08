"""Problems that reading found, as findings: keys of the configuration, broken files, and rows that could not be used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pydantic import JsonValue

from tools.errors import Problem
from tools.evidence.case import Case
from tools.evidence.output_format import WRONG_SHAPES
from tools.finding import Fact, Finding, FindingKind, Severity
from tools.text import Scalar, T, Text

BAD_ROWS = FindingKind.bad_rows.value
HARMLESS = frozenset({"encoding", "label_variant", "duplicate_id", "odd_id", "unlabelled"})
"""Oddities of rows that were read rightly all the same, and rows that were never labelled."""
LINES = 10


def problem_findings(case: Case) -> list[Finding]:
    """One finding for each problem of configuration and files; always."""
    mine = [problem for problem in case.problems if problem.kind is not None and problem.kind != BAD_ROWS]
    return [_of_problem(problem) for problem in mine]


def configuration_findings(case: Case) -> list[Finding]:
    """Those about keys and values alone, for a task that has no rows yet."""
    return [one for one in problem_findings(case) if one.kind is not FindingKind.unreadable_file]


def bad_rows(case: Case) -> list[Finding]:
    """One finding per file and sort of faulty row; of test rows only the number and the lines; always."""
    found = [problem for problem in case.problems if _is_row(problem) and problem.about.get("what") not in WRONG_SHAPES]
    shown = [_of_rows(case, group, shown=True) for group in _grouped(found)]
    return shown + [_of_rows(case, group, shown=False) for group in _grouped(list(filter(_is_row, case.test_problems)))]


def _is_row(problem: Problem) -> bool:
    return problem.kind == BAD_ROWS or problem.about.get("what") in HARMLESS


def _of_problem(problem: Problem) -> Finding:
    kind = next((kind for kind in FindingKind if kind.value == problem.kind), FindingKind.unreadable_file)
    facts = [Fact(name=T("value"), value=problem.value, source=problem.path)] if problem.value is not None else []
    if problem.line is not None:
        facts.append(Fact(name=T("line"), value=problem.line, source=problem.path))
    if problem.choices:
        facts.append(Fact(name=T("valid choices"), value=", ".join(problem.choices[:20])))
    return Finding(
        kind=kind,
        severity=_severity(problem, kind),
        title=problem.message,
        detail=problem.hint or T("See {path}.", path=problem.path or "-"),
        facts=facts,
        about=problem.about,
        page=problem.page or "troubleshooting/configuration",
    )


def _severity(problem: Problem, kind: FindingKind) -> Severity:
    """A file that cannot be read stops work; a key that is read as what was meant, or overruled as documented, does not."""
    if kind.value != problem.kind:
        return Severity.error
    return Severity.info if kind is FindingKind.config_conflict else Severity.warning


def _grouped(problems: Sequence[Problem]) -> list[list[Problem]]:
    groups: dict[tuple[str | None, JsonValue], list[Problem]] = {}
    for problem in problems:
        groups.setdefault((problem.path, str(problem.about.get("what"))), []).append(problem)
    return list(groups.values())


def _of_rows(case: Case, group: list[Problem], *, shown: bool) -> Finding:
    first = group[0]
    single = [problem for problem in group if "more" not in problem.about]
    what, count = first.about.get("what"), sum(map(_number, group))
    lines = [problem.line for problem in single if problem.line]
    examples = [_example(problem) for problem in single[:3] if problem.line] if shown else []
    return Finding(
        kind=FindingKind.bad_rows,
        severity=_rows_severity(case, str(what), count, first.path),
        title=T("{count} faulty rows in {path}: {what}", count=count, path=first.path or "-", what=_name(str(what))),
        detail=first.hint if shown and first.hint else T("They were left out or read as well as possible."),
        facts=[
            Fact(name=T("rows"), value=count, source=first.path),
            Fact(name=T("lines"), value=", ".join(map(str, lines[:LINES])) or None, source=first.path),
            *examples,
        ],
        about={"what": what, "path": first.path, "count": count, "lines": list(lines)},
        page=first.page or "troubleshooting/broken-files",
    )


def _number(problem: Problem) -> int:
    """Rows that a problem stands for: one, or as many as it says."""
    given = problem.about.get("more", problem.about.get("count", 1))
    return given if isinstance(given, int) else 1


def _example(problem: Problem) -> Fact:
    value: Scalar = problem.value
    return Fact(
        name=T("line {line}: {message}", line=problem.line, message=problem.message), value=value, source=problem.path
    )


def _rows_severity(case: Case, what: str, count: int, path: str | None) -> Severity:
    if what in HARMLESS:
        return Severity.info
    rows = Counter(row.file for split in (case.train, case.valid, case.test) for row in split.rows)
    share = count / (count + rows[path or ""])
    return Severity.error if share >= 2 * case.limits.broken_share else Severity.warning


def _name(what: str) -> Text:
    names = {
        "broken_json": T("not JSON"),
        "not_object": T("not an object"),
        "long_line": T("line too long"),
        "missing_field": T("input field missing"),
        "empty_field": T("input field empty"),
        "empty_answer": T("answer empty"),
        "unknown_label": T("label not declared"),
        "label_variant": T("label written differently"),
        "duplicate_id": T("id used twice"),
        "odd_id": T("unusable id"),
        "encoding": T("not UTF-8"),
        "unlabelled": T("no answer yet"),
        "answer_shape": T("answer of another shape"),
        "answer_field": T("answer lacks a field"),
    }
    return names.get(what, T("other"))
