"""A task folder made from a few answers: it loads cleanly whatever was answered, or nothing is made at all."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from agent.i18n import speaker
from tools.diagnose import DiagnoseArgs, diagnose
from tools.errors import InputError, IterateError, Refused
from tools.finding import FindingKind
from tools.making.create_task import create_task
from tools.making.task_scripts import SCRIPTS
from tools.making.wanted_task import Described, WantedTask, read_described, read_target, require_usable
from tools.outcomes.status import task_status
from tools.reading.task import list_tasks, load_split, load_task
from tools.results import ResultFiles
from tools.text import english

HOSTILE_NAMES = [
    *("", " ", ".", "..", "../up", "a/b", "a\\b", "/etc", "~", ".hidden", "a..b", "-flag", "con\x00", "a\nb"),
    *("\x1b[2Jred", "a\u202eb", "tab\tname", "n" * 65, "𠀀" * 60, "[bold]x[/]", "a b", "名 字", "a:b", "\ud800"),
]


def wanted(name: str = "mood", **more) -> WantedTask:
    labels = [Described(name="good", means="the writer is glad"), Described(name="bad")]
    return WantedTask.model_validate({"name": name, "goal": "Tell the mood.", "labels": labels, **more})


EXTRACTION = wanted(
    task_type="extraction",
    answer="json",
    metric="field_score",
    labels=[],
    answer_fields=[Described(name="日期", means="照原文"), Described(name="sum")],
)
GENERATION = wanted(task_type="generation", answer="text", metric="rouge_l", labels=[])


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_hostile_name_makes_nothing(tmp_path: Path, name: str) -> None:
    tasks = tmp_path / "tasks"
    with pytest.raises(InputError, match="cannot be a task's name"):
        create_task(tasks, wanted(name), english)
    assert not tasks.exists() and sorted(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["mood", "新聞語氣", "a.b-c_9", "ü" * 64])
def test_a_plain_name_in_any_script_makes_a_task(tmp_path: Path, name: str) -> None:
    assert create_task(tmp_path / "tasks", wanted(name), english).name == name
    assert list_tasks(tmp_path / "tasks") == [name]


@pytest.mark.parametrize("kind", ["folder", "file", "dead link"])
def test_what_has_the_name_already_is_not_touched(tmp_path: Path, kind: str) -> None:
    there = tmp_path / "mood"
    if kind == "folder":
        there.mkdir()
        (there / "mine.txt").write_text("mine", encoding="utf-8")
    elif kind == "file":
        there.write_text("mine", encoding="utf-8")
    else:
        there.symlink_to(tmp_path / "nowhere")
    with pytest.raises(Refused, match="not touched"):
        create_task(tmp_path, wanted(), english)
    assert [path.name for path in tmp_path.iterdir()] == ["mood"]
    assert kind != "folder" or (there / "mine.txt").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("task", [wanted(), wanted(answer="json", label_name="mood"), EXTRACTION, GENERATION])
@pytest.mark.parametrize("language", ["en", "zh-TW"])
def test_every_type_loads_without_a_problem_and_has_all_parts(tmp_path: Path, task: WantedTask, language: str) -> None:
    wish = task.model_copy(update={"language": language, "fields": ["text", "entity"], "target": 0.725})
    path = create_task(tmp_path, wish, speaker(language))
    loaded = load_task(path)
    assert (loaded.problems, loaded.config.problems) == ([], [])
    definition = loaded.definition
    assert definition.input_fields == ["text", "entity"]
    assert definition.answer.labels == [label.name for label in task.labels]
    assert definition.answer.fields == (
        [one.name for one in task.answer_fields] or (["mood"] if task.answer == "json" else [])
    )
    assert [(target.metric, target.threshold) for target in definition.targets] == [(task.metric, 0.725)]
    files = {file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()}
    assert {f"scripts/{name}" for name in SCRIPTS} < files
    assert {"README.md", "ANNOTATION_GUIDE.md", "data/raw/README.md", "data/train.jsonl"} < files
    guide = (path / "ANNOTATION_GUIDE.md").read_text(encoding="utf-8")
    assert all(f"### {one.name}" in guide for one in [*task.labels, *task.answer_fields])
    assert ("Cohen" in guide) is (task.task_type != "generation")


def test_an_empty_task_says_one_thing_and_what_to_do_about_it(tmp_path: Path) -> None:
    path = create_task(tmp_path, wanted(), english)
    found = diagnose(DiagnoseArgs(task_dir=path)).findings
    assert [one.kind for one in found] == [FindingKind.too_few_rows]
    assert "iterate label mood" in str(found[0].detail)
    step = task_status(load_task(path), ResultFiles(results=[])).next_step
    assert step is not None and "data/raw" in str(step)
    assert load_split(load_task(path), "train").split.rows == []


def test_everything_that_is_wrong_is_said_at_once() -> None:
    wrong = wanted(
        goal=" ",
        fields=["text", "text", "label", "a b"],
        labels=[Described(name="good"), Described(name="Ｇood"), Described(name="x\x07")],
        metric="bleu",
        answer="text",
        target=7.0,
        base_model="embedded:gemma3-270",
    )
    with pytest.raises(InputError) as caught:
        require_usable(wrong)
    told = "\n".join(str(problem.message) for problem in caught.value.problems)
    for part in ("one sentence", "text is there twice", "label means something else", "a b cannot", "Ｇood", "control"):
        assert part in told
    for part in ("bleu is none of", "text is none of", "above 0", "embedded:gemma3-270m"):
        assert part in told


def test_labels_are_read_as_people_write_them() -> None:
    lines = "good: glad, and says so\nbad：不滿\nneutral, mixed、unclear\n\n"
    assert [(one.name, one.means) for one in read_described(lines)] == [
        *(("good", "glad, and says so"), ("bad", "不滿"), ("neutral", ""), ("mixed", ""), ("unclear", "")),
    ]


@pytest.mark.parametrize(
    ("text", "value"), [("0.8", 0.8), ("80%", 0.8), ("80", 0.8), ("８０％", 0.8), ("1", 1.0), ("0.5%", 0.005)]
)
def test_a_target_is_a_share_however_it_is_written(text: str, value: float) -> None:
    assert read_target(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "0", "-1", "101", "nan", "inf", "eighty", "1e9", "0%"])
def test_a_target_that_nothing_can_reach_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        read_target(text)


_CHARACTERS = string.ascii_letters + string.digits + string.punctuation + " 中立正面：、「」"
_SAID = st.text(alphabet=_CHARACTERS, min_size=1, max_size=25).filter(str.strip)
_ODD = st.one_of(st.just(""), st.text(alphabet="a中\n\t\x00\x1b\u202e ", max_size=5))
_GOOD = {
    "goal": _SAID,
    "labels": st.lists(
        st.builds(Described, name=_SAID, means=_SAID),
        min_size=2,
        max_size=4,
        unique_by=lambda one: " ".join(one.name.casefold().split()),
    ),
    "fields": st.lists(st.sampled_from(["text", "entity", "標題"]), min_size=1, max_size=3, unique=True),
    "label_name": _SAID.filter(lambda name: name not in {"text", "entity", "標題"}),
    "target": st.floats(0.001, 1.0),
}
_BAD = {
    "goal": _ODD,
    "labels": st.lists(st.builds(Described, name=_ODD, means=_ODD), max_size=3),
    "fields": st.lists(st.sampled_from(["text", "text", "label", "id", "a b", ""]), max_size=2),
    "label_name": _ODD,
    "target": st.floats(),
}


@settings(max_examples=50, deadline=None)
@given(
    answers=st.fixed_dictionaries(_GOOD),
    spoil=st.booleans(),
    bad=st.one_of(*(st.fixed_dictionaries({key: bad}) for key, bad in _BAD.items())),
    answer=st.sampled_from(["label", "json"]),
)
def test_whatever_is_answered_the_task_loads_as_it_was_said_or_nothing_is_made(
    tmp_path_factory, answers, spoil, bad, answer
) -> None:
    tasks = tmp_path_factory.mktemp("tasks")
    wish = wanted(**{**answers, **(bad if spoil else {})}, answer=answer)
    try:
        path = create_task(tasks, wish, english)
    except IterateError:
        assert list(tasks.iterdir()) == []
        event("refused")
        return
    event("made")
    loaded = load_task(path)
    assert (loaded.problems, loaded.config.problems) == ([], [])
    assert loaded.definition.answer.labels == [label.name for label in wish.labels]
    assert loaded.definition.input_fields == wish.fields
    assert loaded.definition.targets[0].threshold == pytest.approx(wish.target)
