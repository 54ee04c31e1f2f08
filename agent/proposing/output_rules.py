"""Rules for answers that cannot be read or were cut: decoding, prompt and length are mended before training is changed."""

from __future__ import annotations

from dataclasses import replace

from agent.proposing.draft import Draft, Urgency
from agent.proposing.forecast import Source, measured_gain, prior_basis, prior_gain
from agent.proposing.view import View
from tools.change import Change, ChangeKind
from tools.finding import Finding, FindingKind
from tools.text import T

LONGEST = 8192
"""Tokens; longer rows are better cut by hand."""


def constrained_decoding(view: View) -> list[Draft]:
    """Choose among the declared labels, when answers are no label."""
    findings = _about(view, FindingKind.output_format, "answers")
    if not findings or not view.task.definition.answer.labels or view.task.config.values.decoding.constrained:
        return []
    summary = T("Decoding: choose among the declared labels")
    change = view.change(ChangeKind.decoding, summary, {("decoding", "constrained"): True})
    caution = T("Every answer then has the right form, also where the model knows nothing: look at the accuracy too.")
    return [replace(_counted(view, findings, change), caution=caution)]


def stated_format(view: View) -> list[Draft]:
    """Put the line that states the output format back into the prompt, when it was left out and answers do not follow it."""
    findings = _about(view, FindingKind.output_format, "answers")
    if not findings or view.task.config.values.prompt.answer_instruction != "":
        return []
    summary = T("Prompt: state the output format again")
    change = view.change(ChangeKind.prompt, summary, {("prompt", "answer_instruction"): None})
    return [replace(_counted(view, findings, change), page="troubleshooting/output-format")]


def longer_answers(view: View) -> list[Draft]:
    """Leave the length of answers to the program, when a limit of the user's cuts them."""
    findings = _about(view, FindingKind.truncated, "generation")
    limit = view.task.config.values.decoding.max_new_tokens
    if not findings or limit is None:
        return []
    summary = T("Decoding: max_new_tokens {limit} → as long as the longest training answer", limit=limit)
    change = view.change(ChangeKind.decoding, summary, {("decoding", "max_new_tokens"): None})
    return [_counted(view, findings, change)]


def longer_rows(view: View) -> list[Draft]:
    """Twice the length for training rows, when rows are cut."""
    findings = _about(view, FindingKind.truncated, "training")
    old = view.task.config.values.training.max_length
    new = min(LONGEST, old * 2)
    if not findings or new <= old:
        return []
    summary = T("Length of training rows: {old} → {new} tokens", old=old, new=new)
    change = view.change(ChangeKind.config, summary, {("training", "max_length"): new})
    caution = T("Longer rows take more memory and time; only rows that are really that long cost it.")
    return [
        Draft(
            title=summary,
            findings=findings,
            changes=[change],
            metric=view.metric,
            gain=prior_gain("max_length_up", limit=findings[0].lost),
            basis=prior_basis("max_length_up"),
            page=findings[0].page,
            caution=caution,
            urgency=Urgency.repairs,
        )
    ]


def _about(view: View, kind: FindingKind, where: str) -> list[Finding]:
    return [finding for finding in view.found(kind) if finding.about.get("where") == where]


def _counted(view: View, findings: list[Finding], change: Change) -> Draft:
    """A repair whose worth was counted in the predictions: the answers lost times the score of those that were read."""
    lost = findings[0].lost or 0.0
    basis = T(
        "Counted in the predictions: {lost:.1%} of the score is lost this way, and half of it is sure.", lost=lost
    )
    source: Source = "measured"
    if findings[0].about.get("is_known") is False:
        basis = T("Hardly an answer could be read, so this is what a guess would score: {lost:.1%}.", lost=lost)
        source = "prior"
    return Draft(
        title=change.summary,
        findings=findings,
        changes=[change],
        metric=view.metric,
        gain=measured_gain(lost),
        basis=basis,
        source=source,
        page="methods/decoding",
        urgency=Urgency.repairs,
    )
