"""A method upgrade from the proposal to the comparison: approved, edited, rejected and rolled back like any other change."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from agent.approval import VersionChoice
from agent.conversation.remedies import wished_edits
from agent.conversation.wishes import wish_for
from agent.faces.pairs import show_pairs, train_for_pairs, write_pairs
from agent.manual import train
from agent.proposing import edited
from agent.session import Session
from tests.support.mood_task import MoodTask
from tools.change import Change, ChangeKind, Decision, Verb
from tools.errors import InputError
from tools.preference.pairs import files_of, read_pairs
from tools.reading.task import load_task
from tools.runs import RunDir
from tools.text import english
from tools.versions import find_version

pytestmark = pytest.mark.training

CONFIG = """# mine
lora: {{r: 4, alpha: 8}}
training:
  base_model: {model}
  epochs: 2  # short
  learning_rate: 0.001
  batch_size: 8
  precision: fp32
decoding:
  constrained: true
"""


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ITERATE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def mood(tmp_path: Path, tiny_model: Path) -> MoodTask:
    task = MoodTask(tmp_path, rows=36)
    task.write("configs/training_config.yaml", CONFIG.format(model=tiny_model))
    return task


@pytest.fixture(scope="module")
def first_version(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    """The task folder with a really trained first version."""
    task = MoodTask(tmp_path_factory.mktemp("trained"), rows=36)
    task.write("configs/training_config.yaml", CONFIG.format(model=tiny_model))
    assert train(task.path, None, [], lambda _event: None, english) == "v1"
    return task.path


@pytest.fixture
def trained(mood: MoodTask, first_version: Path) -> MoodTask:
    """A copy of it."""
    shutil.rmtree(mood.path)
    shutil.copytree(first_version, mood.path)
    return mood


class Answers:
    """Answers the wish and the comparison of its version; everything else that is proposed has to wait."""

    def __init__(self, proposal, *script):
        self.proposal = proposal
        self.script = list(script)

    def answer(self, question):
        if question.kind == "review" and question.proposal.id != self.proposal.id:
            return decide(Verb.defer)(question)
        return self.script.pop(0)(question) if self.script else None


def decide(verb, **more):
    return lambda question: Decision(
        proposal_id=question.proposal.id, decision=verb, by="person", who="t", at="2026-01-01T00:00:00Z", **more
    )


def choose(choice):
    return lambda _: VersionChoice(choice=choice, by="person", who="t", at="2026-01-01T00:00:00Z")


def wish(task, method):
    return wish_for(task.path, wished_edits({"remedy": method}, None, task.path), origin="person")


def run(task, proposal, *script):
    session = Session(
        task.path, approver=Answers(proposal, *script), watch=lambda _event: None, say=english, resume_command="go on"
    )
    return session.run(wishes=[proposal], fresh=True)


def spec_of(task, version):
    [path] = [path for path in (task.path / "runs").glob(f"{version}-s*")]
    return RunDir(path).spec()


def test_dpo_is_one_change_that_is_trained_from_its_parent_compared_and_rolled_back(trained):
    before = trained.config.read_bytes()
    proposal = wish(trained, "dpo")
    [change] = proposal.changes
    assert change.kind is ChangeKind.method
    assert proposal.cost.trainings == 1
    assert "twice the tokens" in str(proposal.cost.basis)
    run(trained, proposal, decide(Verb.approve), choose("rollback"))
    record = find_version(trained.path, "v2")
    assert record.has_result
    assert record.manifest.parent == "v1"
    spec = spec_of(trained, "v2")
    assert (spec.training.method, spec.training.learning_rate, spec.training.epochs) == ("dpo", 5e-5, 1)
    assert Path(spec.start_from) == (trained.path / "models" / "v1" / "adapter").resolve()
    assert (trained.path / "models" / "v2" / "adapter").is_dir()
    [file] = files_of(trained.path)
    assert record.manifest.data[file]
    assert {pair.row[:5] for pair in read_pairs(trained.path, file)} == {"train"}
    assert trained.config.read_bytes() == before


def test_an_edited_method_is_trained_with_the_values_of_the_person(trained):
    proposal = wish(trained, "orpo")
    edits = [
        edit.model_copy(update={"new": 0.3}) if edit.path == ("training", "beta") else edit
        for edit in proposal.changes[0].edits
    ]
    change = proposal.changes[0].model_copy(update={"edits": edits})
    assert "0.3" in edited(proposal, [change], load_task(trained.path)).diff
    run(trained, proposal, decide(Verb.edit, edited=[change]), choose("continue"))
    spec = spec_of(trained, "v2")
    assert (spec.training.method, spec.training.beta, spec.start_from) == ("orpo", 0.3, None)
    history = (trained.path / "iterations" / "v2" / "history.jsonl").read_text("utf-8").splitlines()
    assert {json.loads(line)["method"] for line in history} == {"orpo"}


def test_an_edit_that_leaves_a_method_without_pairs_is_refused(trained):
    proposal = wish(trained, "orpo")
    edits = [edit for edit in proposal.changes[0].edits if edit.path[0] == "training"]
    change = Change(kind=ChangeKind.method, summary=proposal.title, edits=edits)
    with pytest.raises(InputError) as caught:
        edited(proposal, [change], load_task(trained.path))
    assert any("iterate pairs" in str(problem.hint) for problem in caught.value.problems)


def test_a_rejected_method_leaves_neither_a_file_nor_a_version(trained):
    before = trained.files()
    run(trained, wish(trained, "kto"), decide(Verb.reject, reason="too dear"))
    left = {name: held for name, held in trained.files().items() if not name.startswith("iterations/journal")}
    assert left == {name: held for name, held in before.items() if not name.startswith("iterations/journal")}


def test_a_wish_for_a_method_before_there_is_any_result_says_what_is_missing(mood):
    with pytest.raises(InputError, match="no training row has a pair"):
        wish(mood, "dpo")


def test_the_command_shows_pairs_without_writing_writes_them_and_makes_own_errors_of_folds(trained, capsys):
    before = trained.files()
    assert show_pairs(trained.path, english, file=None, as_json=False) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "pairs: the label that the right one is most often taken for" in shown
    assert "2 trainings" not in shown
    assert "3 trainings on parts of the 36 training rows" in shown
    assert trained.files() == before

    assert write_pairs(trained.path, english) == 0
    assert train_for_pairs(trained.path, 2, english) == 0
    told = capsys.readouterr()
    assert "2 trainings on parts of the 36 training rows: about" in " ".join(told.err.split())
    assert "the model's own wrong answers" in told.out
    derived, own = files_of(trained.path)
    assert "out-of-fold" in own
    assert not list((trained.path / "runs").glob("*fold*/adapter"))
    assert show_pairs(trained.path, english, file=own, as_json=True) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(read_pairs(trained.path, own))
    # Own errors are the better pairs, so a wish takes them from now on.
    assert own in wish(trained, "dpo").diff
    assert derived not in wish(trained, "dpo").diff
