"""Is what stands behind /predict and /export taken as it was typed, and is a wrong word answered with the valid ones?"""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.conversation.completing import complete
from agent.conversation.situation import Situation
from agent.conversation.understand import Understood, brings_a_text, parse_slash, understand
from agent.conversation.using import named_fields
from agent.library import Library
from agent.paths import Workspace
from tools.errors import InputError
from tools.text import T, english

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def talk() -> Situation:
    """The bundled tasks, stance under discussion."""
    workspace = Workspace(root=ROOT, tasks_dir=ROOT / "tasks", origin=T("for a test"))
    library = Library(ROOT / "references")
    return Situation(workspace=workspace, library=library, say=english, language="en", task=ROOT / "tasks" / "stance")


@pytest.mark.parametrize(
    ("line", "args"),
    [
        ("/predict 今天，很好！\n第二行  完", {"text": "今天，很好！\n第二行  完"}),
        ("／預測　ＡＢＣ", {"text": "ＡＢＣ"}),
        ("/預測今天，很好", {"text": "今天，很好"}),
        ("/predict v2: It is fine", {"version": "v2", "text": "It is fine"}),
        ('/predict "v2 is out"', {"text": "v2 is out"}),
        ("/predict approve 1", {"text": "approve 1"}),
        ("predict the stance 1/2…", {"text": "the stance 1/2…"}),
        ("預測 v2: 這個政策很好", {"version": "v2", "text": "這個政策很好"}),
        ("predict “v2 is out”", {"text": "v2 is out"}),
        ("預測「很好！」", {"text": "很好！"}),
        ("用 v2 預測：很好！", {"version": "v2", "text": "很好！"}),
        ("please try the model on “fine”", {"text": "fine"}),
    ],
)
def test_a_text_reaches_the_model_exactly_as_it_was_typed(talk: Situation, line: str, args: dict[str, str]) -> None:
    found = parse_slash(line, talk) if line[0] in "/／" else understand(line, talk)
    assert isinstance(found, Understood), found
    assert (found.command.name, found.args) == ("predict", args)
    assert brings_a_text(line)


@pytest.mark.parametrize(
    "line", ["/predict", "/predict v2", "predict", "unpredictable", "預測準不準", "/export merged"]
)
def test_what_has_no_text_or_asks_about_forecasts_is_no_text_to_answer(talk: Situation, line: str) -> None:
    found = parse_slash(line, talk) if line.startswith("/") else understand(line, talk)
    assert not (isinstance(found, Understood) and found.command.name == "predict")


@pytest.mark.parametrize(
    ("line", "args"),
    [
        ("/export", {}),
        ("/匯出 合併模型", {"form": ["merged"]}),
        ("/export v2 merged, ollama to out/My  Ｆｏｌｄｅｒ", {"version": "v2", "form": ["merged", "ollama"]}),
        ("/export ~/models", {"folder": "~/models"}),
        ("export v2 as gguf", {"version": "v2", "form": ["gguf"]}),
        ("匯出", {}),
    ],
)
def test_an_export_takes_a_version_forms_and_a_folder(talk: Situation, line: str, args: dict[str, object]) -> None:
    found = parse_slash(line, talk) if line.startswith("/") else understand(line, talk)
    assert isinstance(found, Understood), found
    assert found.command.name == "export"
    assert {name: found.args.get(name) for name in args} == args
    if "Ｆ" in line:
        assert found.args["folder"] == "out/My  Ｆｏｌｄｅｒ"


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("/export gguff", "Did you mean gguf? The forms are adapter, merged, gguf, ollama"),
        ("/export merged please", "The forms are adapter, merged, gguf, ollama"),
        ("/export hub", "iterate export TASK --to FOLDER --hub USER/NAME"),
    ],
)
def test_a_word_that_is_no_form_is_answered_with_the_forms(talk: Situation, line: str, hint: str) -> None:
    with pytest.raises(InputError) as wrong:
        parse_slash(line, talk)
    assert hint in str(wrong.value.hint)


@pytest.mark.parametrize(
    "text", ["do not export", "should I export it?", "export the rows to csv", "我想匯出嗎", "the model says: export"]
)
def test_a_sentence_about_exporting_exports_nothing(talk: Situation, text: str) -> None:
    found = understand(text, talk)
    assert not (isinstance(found, Understood) and found.command.acts)


@pytest.mark.parametrize(
    ("typed", "fields", "text"),
    [
        ("target=長照 很好", {"target": "長照"}, "很好"),
        ('很好 target="long term care"', {"target": "long term care"}, "很好"),
        ("target＝「長期 照顧」 a=b is text", {"target": "長期 照顧"}, "a=b is text"),
        ("it says target=x in the middle", {}, "it says target=x in the middle"),
        ("target= 很好", {}, "很好"),
        ("target=長照", {"target": "長照"}, None),
    ],
)
def test_fields_are_named_before_or_behind_the_text(typed: str, fields: dict[str, str], text: str | None) -> None:
    assert named_fields(typed, ["target", "text"]) == (fields, text)


def test_the_words_of_a_text_are_not_completed(talk: Situation) -> None:
    assert [one.insert for one in complete("/predict v", talk)] == ["/predict v1"]
    assert complete("/predict hello v", talk) == []
    assert "/export merged" in [one.insert for one in complete("/export m", talk)]
