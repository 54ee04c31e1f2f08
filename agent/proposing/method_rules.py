"""Rules for another training method: ORPO and DPO where SFT has given what it can, on pairs that the task itself provides.

A proposal names its file of pairs. Pairs out of fold exist because a person had them made (`iterate pairs TASK --out-of-fold`);
those of the most confusable labels are written when the proposal is carried out. KTO is for single judgements and never
proposed, since whoever has pairs loses by taking them apart; a person may ask for it.
"""

from __future__ import annotations

from dataclasses import replace

from pydantic import JsonValue

from agent.proposing.draft import Draft
from agent.proposing.forecast import prior_basis, prior_gain
from agent.proposing.view import KeyPath, View
from tools.change import ChangeKind, Difficulty, Tier
from tools.config import Method
from tools.editing.yaml_text import number
from tools.errors import InputError
from tools.finding import Finding, FindingKind, Severity
from tools.preference.attach import no_pairs
from tools.preference.derived import derive_pairs
from tools.preference.pairs import Pair, PairSource, by_source, files_of
from tools.preference.usable import usable_pairs
from tools.running.start_weights import CONTINUING, can_start, misfit
from tools.task import Task
from tools.text import T, Text, shell_word, visible

BETA = 0.1
POLISHING = 20
"""DPO and KTO move a trained model: their learning rate is this many times lower than SFT's (TRL's defaults: 2e-5 and 1e-6)."""
HIGHEST_POLISHING_RATE = 5e-5
POLISHING_EPOCHS = 1
"""More than one or two epochs learn the pairs by heart (references/methods/dpo)."""
ENOUGH_PAIRS = 500
"""Below this many pairs an effect lies within the noise of three seeds (rule of thumb)."""
_SOURCES: dict[PairSource, Text] = {
    PairSource.out_of_fold: T("own errors"),
    PairSource.confusable: T("confusable labels"),
    PairSource.broken_format: T("broken formats"),
}


def method_upgrade(view: View) -> list[Draft]:
    """ORPO from the base model, and DPO from the diagnosed version's weights where its own errors are known."""
    training = view.task.config.values.training
    if training.method != "sft" or training.command is not None:
        return []
    file, pairs = own_errors(view.task)
    findings = view.found(FindingKind.low_overall) or (view.found(FindingKind.confusion) if file else [])
    if not findings:
        return []
    if file is None:
        file, pairs = _confusable(view)
    if file is None:
        return []
    drafts = [_draft(view, findings, "orpo", (file, pairs))]
    version = view.diagnosis.version
    own = any(pair.source is PairSource.out_of_fold for pair in pairs)
    if own and version and can_start(view.task, version) and misfit(view.task, version) is None:
        drafts.append(_draft(view, findings, "dpo", (file, pairs)))
    return drafts


def method_values(task: Task, method: Method, file: str | None = None) -> dict[KeyPath, JsonValue]:
    """The settings that make another method one change: its pairs, its strength, and the rate that it bears.

    Without `file` the pairs are the best the task has or can derive. Raises InputError when it has none.
    """
    training = task.config.values.training
    values: dict[KeyPath, JsonValue] = {
        ("training", "method"): method,
        ("training", "beta"): training.beta or BETA,
        ("data", "preference"): [file or _best(task, method)],
    }
    if method in CONTINUING and training.method not in CONTINUING:
        rate = min(HIGHEST_POLISHING_RATE, float(f"{training.learning_rate / POLISHING:.2g}"))
        values[("training", "learning_rate")] = rate
        values[("training", "epochs")] = POLISHING_EPOCHS
    return values


def own_errors(task: Task) -> tuple[str | None, list[Pair]]:
    """The file with the most errors out of fold that still fit the training rows, and its pairs; None without one."""
    best: tuple[str | None, list[Pair]] = (None, [])
    for file in files_of(task.path):
        pairs = [pair for pair in _fitting(task, file) if pair.source is not PairSource.confusable]
        if len(pairs) > len(best[1]) and any(pair.source is PairSource.out_of_fold for pair in pairs):
            best = (file, pairs)
    return best


def told(pairs: list[Pair]) -> Text:
    """How many pairs there are, by source."""
    parts = [T("{count} {source}", count=count, source=_SOURCES[source]) for source, count in by_source(pairs).items()]
    whole = parts[0]
    for part in parts[1:]:
        whole = T("{one}, {other}", one=whole, other=part)
    return T("{count} pairs ({parts})", count=len(pairs), parts=whole)


def _fitting(task: Task, file: str) -> list[Pair]:
    recipe = task.config.values.data.model_copy(update={"preference": [file]})
    values = task.config.values.model_copy(update={"data": recipe})
    try:
        return usable_pairs(task.model_copy(update={"config": task.config.model_copy(update={"values": values})})).pairs
    except InputError:
        return []


def _confusable(view: View) -> tuple[str | None, list[Pair]]:
    try:
        derived = derive_pairs(view.task, view.diagnosis.version)
    except InputError:
        return None, []
    return (derived.file, derived.pairs) if derived.pairs else (None, [])


def _best(task: Task, method: Method) -> str:
    own, _ = own_errors(task)
    if own is not None:
        return own
    try:
        derived = derive_pairs(task)
    except InputError:
        raise no_pairs(task.name, method) from None
    if not derived.pairs:
        raise no_pairs(task.name, method)
    return derived.file


def _draft(view: View, findings: list[Finding], method: Method, chosen: tuple[str, list[Pair]]) -> Draft:
    file, pairs = chosen
    values = method_values(view.task, method, file)
    first = findings[0]
    certain = first.severity is not Severity.info and first.explained_by is None
    draft = Draft(
        title=_title(view, method, values),
        findings=findings,
        changes=[view.change(ChangeKind.method, _title(view, method, values), values)],
        metric=view.metric,
        gain=prior_gain("method", limit=first.lost, certain=certain),
        basis=prior_basis("method"),
        page=f"methods/{method}",
        tier=Tier.long,
        difficulty=Difficulty.medium,
    )
    return replace(draft, caution=_caution(view.task, pairs))


def _title(view: View, method: Method, values: dict[KeyPath, JsonValue]) -> Text:
    if method == "orpo":
        return T("Training method: SFT → ORPO, beta {beta:g}", beta=_number(values["training", "beta"]))
    return T(
        "Training method: SFT → {method} from the weights of {version}, beta {beta:g}, learning rate {rate}",
        method=method.upper(),
        version=visible(view.diagnosis.version or "", 40),
        beta=_number(values["training", "beta"]),
        rate=number(_number(values["training", "learning_rate"])),
    )


def _number(value: JsonValue) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _caution(task: Task, pairs: list[Pair]) -> Text:
    """What it learns from, with an example, and what speaks against hoping for much."""
    example = pairs[0]
    shown = T(
        "{pairs}, such as {chosen} rather than {rejected}; all of them: iterate pairs {task}.",
        pairs=told(pairs),
        chosen=visible(example.chosen, 40),
        rejected=visible(example.rejected, 40),
        task=shell_word(task.name),
    )
    if task.definition.task_type == "generation" and len(pairs) >= ENOUGH_PAIRS:
        return shown
    if task.definition.task_type == "generation":
        return T("{shown} Fewer than {enough} pairs seldom show an effect.", shown=shown, enough=ENOUGH_PAIRS)
    return T("{shown} Where one answer is right, SFT learns it directly: expect little.", shown=shown)
