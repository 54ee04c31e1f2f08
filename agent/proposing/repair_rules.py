"""Rules for the configuration itself: keys that were renamed, misspelled, or hold a value of the wrong type."""

from __future__ import annotations

from pydantic import JsonValue

from agent.proposing.draft import Draft, Urgency
from agent.proposing.forecast import no_gain, prior_basis, prior_gain
from agent.proposing.view import View, has, value_at
from tools.change import Change, ChangeKind, Edit
from tools.edit_config import config_after, text_after
from tools.editing.yaml_text import flow
from tools.errors import InputError
from tools.finding import Finding, FindingKind
from tools.text import T, Text, visible

KINDS = (FindingKind.config_renamed_key, FindingKind.config_unknown_key, FindingKind.config_mistyped_value)


def config_repairs(view: View) -> list[Draft]:
    """One bundle of all repairs that change nothing that is trained, and each repair that does as a proposal of its own."""
    repairs = [(finding, edits) for finding in view.found(*KINDS) if (edits := repair_edits(view, finding))]
    idle = [(finding, edits) for finding, edits in repairs if _changes_nothing(view, edits)]
    drafts = [_bundle(view, idle)] if idle else []
    return drafts + [_single(view, *repair) for repair in repairs if repair not in idle]


def repair_edits(view: View, finding: Finding) -> list[Edit]:
    """The edits that mend a key of the configuration file; none when the finding knows no repair or is about another file."""
    about = finding.about
    written = _path(about.get("path"))
    target = _path(about.get("fix_path"))
    if not view.is_in_config(about.get("file")) or "fix_path" not in about or not has(view.written, written):
        return []
    old, new = value_at(view.written, written), about.get("fix_value")
    if target == written:
        return [Edit(path=written, old=old, new=new)]
    removal = Edit(path=written, old=old, new=None)
    if not target or new is None or has(view.written, target):
        return [removal]
    return [Edit(path=target, old=None, new=new), removal]


def _path(value: JsonValue) -> tuple[str, ...]:
    return tuple(str(name) for name in value) if isinstance(value, list) else ()


def _changes_nothing(view: View, edits: list[Edit]) -> bool:
    """True when the same values are trained with after the repair."""
    try:
        after = config_after(view.task, text_after(view.task.config, edits))
    except InputError:
        return False
    return after.values == view.task.config.values


def _change(finding: Finding, edits: list[Edit], kind: ChangeKind) -> Change:
    return Change(kind=kind, summary=_summary(finding, edits), edits=edits)


def _summary(finding: Finding, edits: list[Edit]) -> Text:
    old = visible(str(finding.about.get("key")), 80)
    first = edits[0]
    if first.new is None:
        return T("Remove {key}, which has no effect", key=old)
    value = visible(flow(first.new, inside=False), 60)
    if len(edits) > 1:
        return T("Rename {old} to {new}: {value}", old=old, new=visible(first.dotted, 80), value=value)
    return T("Write {key} as {value}", key=old, value=value)


def _bundle(view: View, repairs: list[tuple[Finding, list[Edit]]]) -> Draft:
    findings = [finding for finding, _ in repairs]
    return Draft(
        title=T("Mend {count} key(s) of the configuration", count=len(repairs)),
        findings=findings,
        changes=[_change(finding, edits, ChangeKind.repair) for finding, edits in repairs],
        metric=view.metric,
        gain=no_gain(),
        basis=T("The keys are already understood as they were meant, so nothing that is trained changes."),
        page="troubleshooting/configuration",
        wanted=view.now(view.metric),
        urgency=Urgency.trust,
    )


def _single(view: View, finding: Finding, edits: list[Edit]) -> Draft:
    change = _change(finding, edits, ChangeKind.config)
    return Draft(
        title=change.summary,
        findings=[finding],
        changes=[change],
        metric=view.metric,
        gain=prior_gain("mended_value"),
        basis=prior_basis("mended_value"),
        page="troubleshooting/configuration",
        caution=T("The value had no effect so far and will have one now."),
        urgency=Urgency.trust,
    )
