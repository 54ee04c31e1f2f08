from __future__ import annotations

from tools.evidence.confusions import analyse_errors, confusion_findings
from tools.results import Prediction
from tools.task import AnswerFormat

LABELS = AnswerFormat(type="label", labels=["pos", "neg", "neu"])
LOW = {"pos": 0.66, "neg": 0.65, "neu": 0.50}
MIXED = {("pos", "pos"): 50, ("neu", "pos"): 15, ("neu", "neg"): 12, ("neg", "neu"): 10, ("neg", None): 3}


def test_errors_are_counted_by_pair_with_their_share(predictions):
    errors = analyse_errors("classification", LABELS, predictions(MIXED))
    assert (errors.answers, errors.errors) == (90, 40)
    assert [(one.expected, one.predicted, one.count) for one in errors.pairs[:2]] == [
        ("neu", "pos", 15),
        ("neu", "neg", 12),
    ]
    assert errors.pairs[0].share == 15 / 40
    assert errors.pairs[-1].predicted is None
    assert errors.failures == {"not_json": 3}


def test_typical_cases_are_spread_over_the_kinds_of_error(predictions):
    errors = analyse_errors("classification", LABELS, predictions(MIXED))
    kinds = [(one.expected, one.predicted) for one in errors.cases]
    assert kinds[:4] == [("neu", "pos"), ("neu", "neg"), ("neg", "neu"), ("neg", None)]
    assert len({one.row for one in errors.cases}) == len(errors.cases) == 5


def test_rows_that_all_seeds_get_wrong_come_first():
    def answer(row_id, seed, got):
        return Prediction(
            id=row_id, seed=seed, input={}, expected="neu", raw=got, parsed=got, correct=got == "neu", score=0
        )

    rows = [answer("a", 1, "pos"), answer("a", 2, "neu"), answer("b", 1, "pos"), answer("b", 2, "pos")]
    errors = analyse_errors("classification", LABELS, rows)
    assert [(one.row, one.seeds_wrong) for one in errors.cases] == [("b", 2), ("a", 1)]


def test_texts_of_rows_cannot_move_the_cursor():
    row = Prediction(
        id="a",
        input={"text": "\x1b[2Jgone"},
        expected="pos",
        raw="\x1b]0;title",
        parsed=None,
        correct=False,
        score=0,
        failure="x",
    )
    case = analyse_errors("classification", LABELS, [row]).cases[0]
    assert case.input["text"] == "\\u001b[2Jgone"
    assert case.raw.startswith("\\u001b]0")


def test_fields_of_objects_are_listed_worst_first():
    answer = AnswerFormat(type="json", fields=["who", "when"])

    def row(n, who, when):
        got = {"who": who, "when": when}
        return Prediction(
            id=str(n), input={}, expected={"who": "A", "when": "B"}, raw="", parsed=got, correct=False, score=0.5
        )

    errors = analyse_errors("extraction", answer, [row(1, "A", "x"), row(2, "A", "y"), row(3, "z", "B")])
    assert [(one.field, one.wrong) for one in errors.fields] == [("when", 2), ("who", 1)]
    assert errors.pairs == []


def test_the_top_confusion_is_information_with_its_rows(case, predictions):
    [finding] = confusion_findings(case(class_f1=LOW, predictions=predictions(MIXED)))
    assert (finding.about["expected"], finding.about["predicted"], finding.about["count"]) == ("neu", "pos", 15)
    assert len(finding.rows) == 15


def test_errors_spread_thinly_are_no_pattern(case, predictions):
    thin = {("pos", "pos"): 50, ("neu", "pos"): 4, ("neu", "neg"): 4, ("neg", "neu"): 4}
    assert confusion_findings(case(class_f1=LOW, predictions=predictions(thin))) == []


def test_no_predictions_or_a_reached_target_give_no_confusion(case, predictions):
    assert confusion_findings(case(class_f1=LOW)) == []
    assert confusion_findings(case(predictions=predictions(MIXED))) == []


def test_no_errors_give_an_empty_analysis(predictions):
    errors = analyse_errors("classification", LABELS, predictions({("pos", "pos"): 5}))
    assert (errors.errors, errors.pairs, errors.cases) == (0, [], [])
    assert analyse_errors("classification", LABELS, []).answers == 0
