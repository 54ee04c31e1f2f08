"""Text that was cut: training rows by max_length, answers by max_new_tokens.

What a training recorded counts. Before there is one, rows are judged by their characters, which is an estimate and says so.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from tools.errors import InputError
from tools.evidence.case import Case
from tools.evidence.curves import FOREIGN
from tools.evidence.output_format import score_given_parsed
from tools.finding import Fact, Finding, FindingKind, Severity
from tools.scoring.answers import ParseFailure
from tools.scoring.prompting import answer_text, messages_for
from tools.task import Row
from tools.text import T, Text

PAGE = "troubleshooting/truncation"
WIDE_TOKENS = 1.0
"""Tokens per Chinese, Japanese or Korean character: about what Gemma's and Qwen's vocabularies need."""
NARROW_TOKENS = 0.25
"""Tokens per other character: about four characters a token, the usual rule for English."""
TURN_TOKENS = 5
"""What a chat template adds per turn."""


def cut_training_rows(case: Case) -> list[Finding]:
    """Training rows longer than max_length: counted by the training, else estimated; always."""
    if not case.train.rows:
        return []
    if _was_counted(case):
        return _counted(case)
    return _estimated(case)


def _was_counted(case: Case) -> bool:
    """Histories of other trainers do not say how many rows they cut."""
    return case.history is not None and not (case.history.file or "").endswith(FOREIGN)


def _counted(case: Case) -> list[Finding]:
    cut = case.history.train_tokens_cut if case.history else 0
    share = min(1.0, cut / len(case.train.rows))
    if not cut:
        return []
    detail = T(
        "That is {share:.1%} of train; where the answer was cut, the row taught nothing or a broken answer.",
        share=share,
    )
    return [_rows_finding(case, cut, share, detail, _cut_severity(case, share))]


def _estimated(case: Case) -> list[Finding]:
    limit = case.task.config.values.training.max_length
    examples = _examples(case)
    long = [row for row in case.train.rows if estimated_tokens(case, row, examples) > limit]
    share = len(long) / len(case.train.rows)
    if share < case.limits.max_rows_cut:
        return []
    detail = T(
        "Estimated from their characters, {share:.1%} of the training rows are longer than max_length; "
        "the training will count them exactly.",
        share=share,
    )
    severity = Severity.warning if share >= case.limits.broken_share else Severity.info
    finding = _rows_finding(case, len(long), share, detail, severity)
    return [finding.model_copy(update={"rows": [row.id for row in long]})]


def estimated_tokens(case: Case, row: Row, examples: Sequence[Row]) -> float:
    """Tokens of prompt and answer by character classes, plus the chat template's; 0 for a row that fits no prompt."""
    values = case.task.config.values
    try:
        turns = messages_for(case.task.definition, values.prompt, row, examples)
        answer = answer_text(case.answer, row.answer) if row.answer is not None else row.chosen or ""
    except InputError:
        return 0.0
    texts = [*(turn["content"] for turn in turns), answer]
    return sum(_tokens(text) + TURN_TOKENS for text in texts)


def _examples(case: Case) -> list[Row]:
    """The training rows that the prompt shows."""
    wanted = case.task.config.values.prompt.examples
    known = {row.id: row for row in case.train.rows if row.answer is not None} if wanted else {}
    return [known[name] for name in wanted if name in known]


def _tokens(text: str) -> float:
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return wide * WIDE_TOKENS + (len(text) - wide) * NARROW_TOKENS


def _cut_severity(case: Case, share: float) -> Severity:
    if share >= case.limits.broken_share:
        return Severity.error
    return Severity.warning if share >= case.limits.max_rows_cut else Severity.info


def _rows_finding(case: Case, cut: int, share: float, detail: Text, severity: Severity) -> Finding:
    limit = case.task.config.values.training.max_length
    examples = _examples(case)
    return Finding(
        kind=FindingKind.truncated,
        severity=severity,
        title=T("{cut} training rows are longer than max_length {limit}", cut=cut, limit=limit),
        detail=detail,
        facts=[
            Fact(name=T("rows cut"), value=cut),
            Fact(name=T("share of training"), value=share, threshold=case.limits.max_rows_cut, percent=True),
            Fact(
                name=T("longest row in tokens (estimate)"),
                value=round(max(estimated_tokens(case, row, examples) for row in case.train.rows)),
            ),
        ],
        about={"where": "training", "max_length": limit, "cut": cut, "share": share},
        lost=share,
        page=PAGE,
    )


def cut_answers(case: Case) -> list[Finding]:
    """Answers that ended before their object did; always."""
    cut = [row for row in case.predictions if row.failure == ParseFailure.cut_off.value]
    share = len(cut) / len(case.predictions) if case.predictions else 0.0
    if len(cut) < 2 or share <= case.limits.max_rows_cut:
        return []
    lost = share * score_given_parsed(case)
    limit = case.task.config.values.decoding.max_new_tokens
    return [
        Finding(
            kind=FindingKind.truncated,
            severity=Severity.error if share >= case.limits.broken_share else Severity.warning,
            title=T("{share:.1%} of the answers end too early", share=share),
            detail=T(
                "They are cut inside the answer, by max_new_tokens or because training rows were cut, and count as wrong: "
                "about {lost:.1%} of the score.",
                lost=lost,
            ),
            facts=[
                Fact(name=T("answers cut"), value=len(cut)),
                Fact(name=T("share of answers"), value=share, threshold=case.limits.max_rows_cut, percent=True),
                Fact(name=T("max_new_tokens"), value=limit),
            ],
            rows=list(dict.fromkeys(row.id for row in cut))[:20],
            about={"where": "generation", "max_new_tokens": limit, "share": share},
            lost=lost,
            page=PAGE,
        )
    ]
