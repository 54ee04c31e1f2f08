"""What changes the evaluator hash, and what must not."""

from __future__ import annotations

import inspect
import io
import tokenize
from types import ModuleType

import pytest

from tools.results import Prediction
from tools.scoring import answers, evaluator, metrics
from tools.scoring.answers import ParseFailure
from tools.scoring.evaluator import evaluator_hash, normalised_source, rejudge
from tools.task import AnswerFormat, TaskDefinition

LABELS = AnswerFormat(type="label", labels=["a", "b"])
ROWS = [("1", "a"), ("2", "b")]


def digest(**changes):
    return evaluator_hash(**{"task_type": "classification", "answer": LABELS, "rows": ROWS, **changes})


def test_the_order_of_rows_does_not_matter():
    assert digest() == digest(rows=reversed(ROWS))


@pytest.mark.parametrize(
    "changes",
    [
        {"rows": [("1", "a"), ("2", "a")]},
        {"rows": [("1", "a"), ("3", "b")]},
        {"rows": [("1", "a")]},
        {"rows": [*ROWS, ROWS[0]]},
        {"task_type": "generation"},
        {"answer": AnswerFormat(type="label", labels=["a", "b", "c"])},
        {"answer": AnswerFormat(type="json", fields=["s"], label_field="s", labels=["a", "b"])},
    ],
)
def test_other_rows_answers_labels_or_formats_are_another_evaluator(changes):
    assert digest(**changes) != digest()


def test_a_label_and_the_object_that_holds_it_are_the_same_expectation():
    answer = AnswerFormat(type="json", fields=["s"], label_field="s", labels=["a", "b"])
    as_objects = [(row_id, {"s": label}) for row_id, label in ROWS]
    assert digest(answer=answer) == digest(answer=answer, rows=as_objects)


def normalised(monkeypatch, source):
    monkeypatch.setattr(evaluator.inspect, "getsource", lambda module: source)
    return normalised_source(ModuleType("m"))


BARE = "x = 1\n\ndef f(a):\n    return a + 'b'\n"
DRESSED = (
    '"""Module."""\n# comment\n\nx = 1  # one\n"""Field."""\n\n\n'
    'def f(a):\n\n  """What."""\n  # why\n  return a + \'b\'\n'
)


def test_comments_docstrings_blank_lines_and_indents_do_not_change_the_code(monkeypatch):
    assert normalised(monkeypatch, DRESSED) == normalised(monkeypatch, BARE)


@pytest.mark.parametrize("changed", [BARE.replace("1", "2"), BARE.replace("'b'", "'c'"), BARE + "f = len\n"])
def test_any_change_of_the_code_itself_is_seen(monkeypatch, changed):
    assert normalised(monkeypatch, changed) != normalised(monkeypatch, BARE)


@pytest.mark.parametrize("module", [answers, metrics])
def test_the_measuring_code_has_no_literals_that_python_versions_tokenise_differently(module):
    for part in tokenize.generate_tokens(io.StringIO(inspect.getsource(module)).readline):
        kind = tokenize.tok_name[part.type]
        assert not kind.startswith(("FSTRING", "TSTRING"))
        assert kind != "STRING" or part.string.lower().split('"')[0].split("'")[0] in {"", "r"}


def test_the_code_of_both_parser_and_metrics_counts(monkeypatch):
    before = digest()
    real = inspect.getsource
    for changed in (answers, metrics):
        monkeypatch.setattr(
            evaluator.inspect,
            "getsource",
            lambda module, it=changed: real(module) + ("x = 1\n" if module is it else ""),
        )
        assert digest() != before


def test_a_stored_output_is_judged_again_by_the_present_rules():
    task = TaskDefinition(
        task_name="t", task_type="classification", template="{text}", input_fields=["text"], answer=LABELS
    )
    stored = Prediction(id="1", input={}, expected="a", raw=" a ", parsed=None, failure="empty", correct=False, score=0)
    assert rejudge(task, stored).model_dump(include={"parsed", "failure", "correct", "score"}) == {
        "parsed": "a",
        "failure": None,
        "correct": True,
        "score": 1.0,
    }
    spoiled = rejudge(task, stored.model_copy(update={"raw": "a a"}))
    assert (spoiled.parsed, spoiled.failure, spoiled.correct) == (None, ParseFailure.repeated.value, False)
