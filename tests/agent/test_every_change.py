"""Every kind of change survives what a person may say to it: reject, edit, approve, roll back. Nothing is trained here.

Each kind is a real proposal for a small task: of the rules, of reviewed rows, or of a wish. What is approved goes as far as the
files that a training would start from; going back leaves every file of the user's as it was, byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from pydantic import JsonValue

from agent.context import Context
from agent.conversation.changes import read_change
from agent.conversation.remedies import wished_edits
from agent.conversation.wishes import wish_for
from agent.journal import Journal
from agent.proposing import edited, propose
from agent.proposing.now import proposals_now
from agent.state import State
from agent.steps.execute import dispatch, prepare
from agent.steps.review import file_decision
from tests.support.mood_task import LABELS, MoodTask
from tools.change import Decision, Proposal, Verb
from tools.config import TrainingConfig
from tools.diagnose import DiagnoseArgs, Diagnosis, diagnose
from tools.errors import InputError
from tools.files import now
from tools.finding import Finding, FindingKind, Severity
from tools.outcomes.status import task_status
from tools.preference.pairs import Pair, PairSource, pair_file, pair_lines
from tools.read_results import ReadResultsArgs, read_results
from tools.reading.task import load_split, load_task
from tools.running.recipe import apply_recipe
from tools.samples import Candidate, add, decide, finish
from tools.text import T, english
from tools.versioning.adopt import rollback
from tools.versions import begin_version

WRONG = [0, 3, 6, 9, 2, 5, 8, 11]


@pytest.fixture
def mood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MoodTask:
    """A task with a first version on record, its predictions, and a row that is in train twice."""
    monkeypatch.setenv("ITERATE_CACHE", str(tmp_path / "cache"))
    task = MoodTask(tmp_path, rows=24)
    begin_version(task.path, "v1", parent=None, config_text=task.config.read_bytes().decode())
    task.version("v1", wrong=WRONG)
    return task


def said(words: str) -> Callable[[MoodTask], Proposal]:
    """A change in the words of a person, as `/try` understands them."""

    def make(task: MoodTask) -> Proposal:
        change = read_change(words, LABELS)
        assert change is not None, words
        return wish_for(task.path, wished_edits(change, None, task.path), origin="person")

    return make


def reviewed(origin: str, name: str, verb: str = "accept") -> Callable[[MoodTask], Proposal]:
    """What a person decided about rows of a batch, as the rules propose it afterwards."""

    def make(task: MoodTask) -> Proposal:
        folder = load_task(task.path)
        for number in range(3):
            row = f"train{number}"
            new = origin == "new"
            text = f"a sentence that {name} brought, number {number}" if new else task.row("train", number)["text"]
            add(
                task.path,
                name,
                [
                    Candidate(
                        id=f"{origin}:{number}", origin=origin, row=None if new else row, fields={"text": text},
                        answer=LABELS[2] if new else task.label(number), suggested=None if new else LABELS[2],
                        source="test",
                    )
                ],
            )  # fmt: skip
            answer = {"answer": LABELS[2]} if verb == "relabel" else {}
            decide(folder, name, f"{origin}:{number}", verb, by="t", **answer)
        finish(folder, name)
        found = by_rules(task)
        return next(one for one in found if one.problem.params.get("batch") == name)

    return make


def ruled(kind: FindingKind, key: str, **about: JsonValue) -> Callable[[MoodTask], Proposal]:
    """The proposal of a rule that a finding asks for."""

    def make(task: MoodTask) -> Proposal:
        found = by_rules(task, finding(kind, **about))
        return next(one for one in found if key in keys(one))

    return make


def with_pairs(words: str) -> Callable[[MoodTask], Proposal]:
    """Another method, on pairs that were made out of fold."""

    def make(task: MoodTask) -> Proposal:
        pairs = [
            Pair(
                id=f"p{n}",
                row=f"train{n}",
                chosen=task.label(n),
                rejected=task.label(n + 1),
                source=PairSource.out_of_fold,
            )
            for n in range(8)
        ]
        task.write(pair_file("own", pair_lines(pairs)), pair_lines(pairs))
        return said(words)(task)

    return make


def by_rules(task: MoodTask, *findings: Finding) -> list[Proposal]:
    loaded = load_task(task.path)
    status = task_status(loaded, read_results(ReadResultsArgs(task_dir=task.path)), version="v1")
    return propose(loaded, Diagnosis(task="mood", version="v1", findings=list(findings), healthy=False, status=status))


def finding(kind: FindingKind, **about: JsonValue) -> Finding:
    return Finding(
        kind=kind, severity=Severity.warning, title=T("x"), detail=T("x"), page="troubleshooting/overfitting", lost=0.05,
        about=about,
    )  # fmt: skip


def keys(proposal: Proposal) -> set[str]:
    return {edit.dotted for change in proposal.changes for edit in change.edits}


class Kind(NamedTuple):
    make: Callable[[MoodTask], Proposal]
    edit: JsonValue
    """Another value for its first key."""
    wrong: JsonValue
    """A value that its first key cannot have."""


KINDS: dict[str, Kind] = {
    "generated rows": Kind(reviewed("new", "generated"), ["data/train.jsonl"], ["data/no_such_file.jsonl"]),
    "labelled rows": Kind(reviewed("new", "labelling", "relabel"), ["data/train.jsonl"], ["../elsewhere.jsonl"]),
    "oversampling": Kind(said("oversample 中立 40"), 30, 0),
    "oversampling by remedy": Kind(said("data.oversample.負面 33"), 30, "many"),
    "class weights": Kind(said("training.class_weights.中立 2"), 1.5, -1),
    "removal of suspects": Kind(reviewed("train", "suspects", "reject"), ["train1"], ["no such row"]),
    "relabelling of suspects": Kind(reviewed("train", "doubted", "relabel"), LABELS[1], "no such label"),
    "removal by row id": Kind(said('data.exclude ["train1", "train2"]'), ["train1"], ["no such row"]),
    "relabelling by row id": Kind(said('data.relabel {"train1": "中立"}'), LABELS[0], "no such label"),
    "deduplication": Kind(said("deduplicate"), False, "sometimes"),
    "ORPO": Kind(with_pairs("orpo"), "orpo", "ppo"),
    "DPO": Kind(with_pairs("dpo"), "orpo", "ppo"),
    "KTO": Kind(with_pairs("kto"), "orpo", "ppo"),
    "model upgrade": Kind(said("base_model embedded:smollm2-135m"), "Qwen/Qwen3-0.6B", 3),
    "template": Kind(said('prompt.template "句子：{text}"'), "文：{text}", "no field at all"),
    "system prompt": Kind(said("把系統提示改成「你是細心的分析師」"), "你是助手", {"a": 1}),
    "answer instruction": Kind(said('prompt.answer_instruction "只寫標籤。"'), "只寫一個標籤。", {"a": 1}),
    "label words": Kind(said("prompt.label_words.中立=普通"), "中性", " "),
    "few-shot examples": Kind(said("few-shot"), ["train1"], ["valid1"]),
    "constrained decoding": Kind(said("constrained decoding"), False, "often"),
    "constrained decoding by rule": Kind(
        ruled(FindingKind.output_format, "decoding.constrained", where="answers"), False, "often"
    ),
    "length of answers": Kind(said("max_new_tokens 12"), 16, 0),
    "learning rate": Kind(said("learning rate 1e-4"), 5e-5, 3.0),
    "epochs": Kind(said("epochs 6"), 5, "a few"),
    "rank and alpha": Kind(said("lora.r=32 lora.alpha=64"), 64, 0),
    "rank by rule": Kind(ruled(FindingKind.low_capacity, "lora.r"), 48, 0),
    "alpha": Kind(said("alpha 64"), 16, 0),
    "dropout": Kind(said("dropout 0.1"), 0.05, 1.5),
    "batch size": Kind(said("batch size 8"), 4, 0),
    "target modules": Kind(said('lora.target_modules ["q_proj", "v_proj"]'), "all-linear", 3),
    "length of rows": Kind(said("max length 256"), 300, 0),
    "warm-up": Kind(said("warmup 0.2"), 0.05, -1),
    "weight decay": Kind(said("weight decay 0.01"), 0.1, -1),
    "scheduler": Kind(said("lr_scheduler cosine"), "constant", "zigzag"),
    "gradient norm": Kind(said("max_grad_norm 0.5"), 2.0, 0),
    "early stopping": Kind(said("early stopping 5"), 2, 0),
    "evaluations": Kind(said("evals_per_epoch 2"), 3, 0),
    "micro batch": Kind(said("micro_batch_size 4"), 8, 0),
    "precision": Kind(said("training.precision bf16"), "fp32", "fp8"),
    "seeds": Kind(said("training.seeds [1, 2, 3]"), [1, 2], ["a"]),
    "seed": Kind(said("seed 7"), 8, "lucky"),
    "threads": Kind(said("launcher.threads 2"), 1, 0),
    "start from": Kind(said("training.start_from parent"), "base", "nowhere"),
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


def decided(task: MoodTask, proposal: Proposal, verb: Verb, **more: object) -> tuple[State, list[object], Context]:
    """The review answers; the state behind it, and what was said."""
    events: list[object] = []
    context = Context(session="s1", emit=events.append, say=english)
    # Only a rejection looks for what else could be proposed.
    found = (
        diagnose(DiagnoseArgs(task_dir=task.path, version="v1")).model_dump(mode="json") if verb is Verb.reject else {}
    )
    state: State = {
        "task": str(task.path), "session": "s1", "base": "v1", "iteration": 0, "cursor": 0, "queue": [], "decisions": [],
        "grants": [], "diagnosis": found, "proposals": [proposal.model_dump(mode="json")],
        "answer": Decision.model_validate(
            {"proposal_id": proposal.id, "decision": verb, "by": "person", "who": "t", "at": now(), **more}
        ).model_dump(mode="json"),
    }  # fmt: skip
    state.update(file_decision(state, context))
    return state, events, context


def prepared(state: State, context: Context) -> State:
    """As far as the files that a training starts from."""
    state.update(dispatch(state, context))
    state.update(prepare(state, context))
    return state


def users_files(task: MoodTask) -> dict[str, bytes]:
    """What was there before, records aside."""
    return {name: data for name, data in task.files().items() if not name.startswith("iterations/")}


def test_a_rejection_with_a_reason_is_kept_and_the_same_change_not_proposed_again(mood: MoodTask, kind: Kind) -> None:
    proposal = kind.make(mood)
    before = users_files(mood)
    state, _, _ = decided(mood, proposal, Verb.reject, reason="太貴，先不要")
    assert users_files(mood) == before
    [entry] = [one for one in Journal(mood.path).entries() if one.event == "decision"]
    assert entry.data["decision"]["reason"] == "太貴，先不要"
    following = [Proposal.model_validate(one).id for one in state["proposals"][state["cursor"] :]]
    assert proposal.id not in following
    again = proposals_now(mood.path, "v1", Diagnosis.model_validate(state["diagnosis"]))
    assert proposal.id not in {one.id for one in again}
    assert not state["queue"]


def test_an_edited_value_is_checked_and_shown_as_the_diff_it_makes(mood: MoodTask, kind: Kind) -> None:
    proposal = kind.make(mood)
    changes = proposal.changes
    first = changes[0].edits[0]

    def with_value(value: JsonValue) -> list[object]:
        edits = [first.model_copy(update={"new": value}), *changes[0].edits[1:]]
        return [changes[0].model_copy(update={"edits": edits}), *changes[1:]]

    with pytest.raises(InputError):
        edited(proposal, with_value(kind.wrong), load_task(mood.path))
    shown = edited(proposal, with_value(kind.edit), load_task(mood.path))
    state, _, context = decided(mood, proposal, Verb.edit, edited=with_value(kind.edit))
    assert shown.diff != proposal.diff or kind.edit == first.new
    if not shown.diff:
        return  # edited into what is there already: nothing is left to train
    assert prepared(state, context)["work"] is not None
    assert Proposal.model_validate(state["work"]["proposal"]).diff == shown.diff


def test_an_approved_change_is_in_configuration_recipe_and_files_and_going_back_loses_nothing(
    mood: MoodTask, kind: Kind
) -> None:
    proposal = kind.make(mood)
    before = users_files(mood)
    state, events, context = decided(mood, proposal, Verb.approve)
    work = prepared(state, context)["work"]
    assert work is not None, [str(getattr(event, "message", event)) for event in events]
    task = load_task(mood.path)
    assert task.config.problems == []
    for change in proposal.changes:
        for edit in change.edits:
            assert value_at(task.config.values, edit.path) == edit.new or edit.new is None
    apply_recipe(task, load_split(task, "train").split)  # every row and file that it names is there
    assert (mood.path / "iterations/v2/config_snapshot.yaml").read_bytes() == mood.config.read_bytes()
    assert proposal.diff in (mood.path / "iterations/v2/changes.md").read_text(encoding="utf-8")
    rollback(mood.path, "v1", by="t", decision_id="d1")
    after = users_files(mood)
    assert {name: after[name] for name in before} == before
    assert mood.config.read_text(encoding="utf-8").startswith("# mine\n")


def value_at(values: TrainingConfig, path: tuple[str, ...]) -> JsonValue:
    found = values.model_dump(mode="json")
    for part in path:
        found = found[part]
    return found


def test_every_field_of_the_configuration_that_may_be_wished_is_one_of_the_kinds(mood: MoodTask) -> None:
    fields = {f"{section}.{field}" for section in ("lora", "training", "data", "prompt", "decoding") for field in
              getattr(load_task(mood.path).config.values, section).model_dump()}  # fmt: skip
    reached = {".".join(key.split(".")[:2]) for kind in KINDS.values() for key in keys(kind.make(mood))}
    assert fields - reached == {
        "training.command", "data.valid", "data.test", "data.valid_fraction", "data.carve_seed",  # nobody's to wish
    }  # fmt: skip
