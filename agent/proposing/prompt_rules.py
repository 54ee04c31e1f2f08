"""Rules for how rows are asked: keep answers to the declared keys, show answered training rows. Neither needs a training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agent.proposing.draft import Draft, Urgency
from agent.proposing.forecast import measured_gain, prior_basis, prior_gain
from agent.proposing.view import View
from tools.change import Change, ChangeKind
from tools.edit_config import require_valid, text_after
from tools.errors import InputError
from tools.finding import Finding, FindingKind
from tools.labelling.examples import typical_examples
from tools.running.answers_only import answers_only, touches_prompt
from tools.scoring.asking import Asker
from tools.text import T, Text, shell_word
from tools.training.estimate import tokens_guess

_PAGE = "methods/prompting"


def declared_keys(view: View) -> list[Draft]:
    """Keep to the declared keys of the object, when answers are no such object."""
    answer, decoding = view.task.definition.answer, view.task.config.values.decoding
    findings = _format_findings(view)
    if not findings or answer.type != "json" or answer.labels or not answer.fields or decoding.constrained:
        return []
    summary = T("Decoding: keep to the declared keys")
    change = view.change(ChangeKind.decoding, summary, {("decoding", "constrained"): True})
    lost = findings[0].lost or 0.0
    draft = Draft(
        title=summary,
        findings=findings,
        changes=[change],
        metric=view.metric,
        gain=measured_gain(lost),
        basis=T(
            "Counted in the predictions: {lost:.1%} of the score is lost this way, and half of it is sure.", lost=lost
        ),
        source="measured",
        page="methods/prompting",
        urgency=Urgency.repairs,
    )
    caution = T(
        "Every answer is then an object with the declared keys, also where the model knows nothing: values may be empty. "
        "Look at the fields' scores too."
    )
    return [replace(draft, caution=caution)]


def shown_examples(view: View) -> list[Draft]:
    """Show one answered training row of each label before the question, when answers do not have the declared format."""
    findings = _format_findings(view)
    values = view.task.config.values
    if not findings or values.prompt.examples or values.decoding.constrained or values.prompt.answer_instruction == "":
        return []
    ids = typical_examples(view.task)
    summary = T("Prompt: show {count} answered training rows before each question", count=len(ids))
    change = view.change(ChangeKind.prompt, summary, {("prompt", "examples"): list(ids)})
    if not ids or not _fits(view, change):
        return []
    return [
        Draft(
            title=summary,
            findings=findings,
            changes=[change],
            metric=view.metric,
            gain=prior_gain("format", limit=findings[0].lost),
            basis=prior_basis("format"),
            page=_PAGE,
            urgency=Urgency.repairs,
        )
    ]


def prompt_caution(view: View, changes: Sequence[Change]) -> Text | None:
    """What to say where weights are asked with a prompt that they were not trained on; None where they are trained anew."""
    version = view.diagnosis.version or ""
    if not touches_prompt(changes) or not answers_only(view.task.path, version, changes):
        return None
    return T(
        "The weights of {version} were trained with another prompt and are only asked with this one, so answers may get worse. "
        "If the comparison is close, train with it as well: iterate train {task}",
        version=version,
        task=shell_word(view.task.name),
    )


def _format_findings(view: View) -> list[Finding]:
    return [one for one in view.found(FindingKind.output_format) if one.about.get("where") == "answers"]


def _fits(view: View, change: Change) -> bool:
    """True when the longest training row still fits into max_length behind the examples, so that nothing is cut."""
    try:
        after = require_valid(view.task, text_after(view.task.config, change.edits))
        asker = Asker(view.task.model_copy(update={"config": after}))
        rows = sorted(view.rows.train.rows, key=lambda row: sum(map(len, row.fields.values())))[-3:]
        texts = ["".join(turn["content"] for turn in asker.messages(row)) + asker.completion(row) for row in rows]
    except InputError:
        return False
    return max((tokens_guess([text]) for text in texts), default=0.0) <= after.values.training.max_length
