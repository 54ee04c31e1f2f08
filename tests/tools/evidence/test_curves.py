from __future__ import annotations

from math import exp

import pytest

from tools.evidence.capacity import low_capacity
from tools.evidence.curves import overfitting, underfitting
from tools.evidence.instability import instability
from tools.finding import Severity
from tools.results import History

LOW = {"pos": 0.66, "neg": 0.65, "neu": 0.64}
RANK_8 = {"lora": {"r": 8, "alpha": 16}}


def converged(points=60):
    return [0.05 + 3 * exp(-8 * n / points) for n in range(points)]


GOOD_EVALS = [(15, 0.5, 0.5), (30, 0.3, 0.62), (45, 0.27, 0.66), (60, 0.28, 0.65)]


def test_a_training_that_converged_is_neither_under_nor_overfitted(case, history):
    evidence = case(class_f1=LOW, history=history(converged(), GOOD_EVALS))
    assert underfitting(evidence) == []
    assert overfitting(evidence) == []
    assert instability(evidence) == []


def test_a_loss_that_hardly_fell_is_underfitting(case, history):
    [finding] = underfitting(case(class_f1=LOW, history=history([3 - n / 100 for n in range(60)], [(60, 2.4, 0.65)])))
    assert finding.about["sign"] == "high_loss"
    assert {"epochs", "learning_rate"} <= set(finding.about)
    assert finding.lost == pytest.approx(0.15)


def test_a_loss_still_falling_with_the_best_score_last_is_underfitting(case, history):
    losses = [3 - 2.5 * n / 60 for n in range(60)]
    [finding] = underfitting(
        case(class_f1=LOW, history=history(losses, [(30, 1.8, 0.4), (60, 0.4, 0.65)], decay=False))
    )
    assert finding.about["sign"] == "still_falling"


def test_a_loss_still_falling_while_validation_got_worse_is_not_underfitting(case, history):
    losses = [3 - 2.5 * n / 60 for n in range(60)]
    evidence = case(class_f1=LOW, history=history(losses, [(30, 0.9, 0.70), (60, 1.6, 0.60)], decay=False))
    assert underfitting(evidence) == []


def test_a_training_that_has_memorised_nothing_yet_is_underfitting(case, history):
    losses = [0.3 + 3 * exp(-n / 4) for n in range(60)]
    evals = [(30, 0.33, 0.45), (60, 0.31, 0.58)]
    [finding] = underfitting(case(class_f1=LOW, history=history(losses, evals)))
    assert finding.about["sign"] == "no_gap"
    assert finding.lost == pytest.approx(0.13)


def test_a_score_that_jumped_at_the_last_evaluation_asks_for_more_epochs_although_train_is_known(case, history):
    rising = [(15, 0.5, 0.20), (30, 0.40, 0.30), (45, 0.38, 0.45), (60, 0.36, 0.64)]
    [finding] = underfitting(case(class_f1=LOW, history=history(converged(), rising)))
    assert finding.about["sign"] == "still_rising"
    assert "19.0 points" in str(finding.detail)


def test_a_last_gain_within_the_noise_of_the_rows_asks_for_nothing(case, history):
    level = [(15, 0.5, 0.55), (30, 0.40, 0.60), (45, 0.38, 0.63), (60, 0.36, 0.65)]
    assert underfitting(case(class_f1=LOW, history=history(converged(), level))) == []


def test_train_rows_harder_than_validation_rows_are_not_underfitting(case, history):
    losses = [0.6 + 3 * exp(-n / 4) for n in range(60)]
    assert underfitting(case(class_f1=LOW, history=history(losses, [(30, 0.33, 0.45), (60, 0.31, 0.58)]))) == []


def test_a_model_that_always_says_the_same_is_underfitted(case, history, result):
    scores = result({"pos": 0.5, "neg": 0.0, "neu": 0.0}, accuracy=0.35)
    losses = [0.6 + 2 * exp(-n / 3) for n in range(60)]
    [finding] = underfitting(case(result=scores, history=history(losses, [(60, 0.2, 0.17)])))
    assert finding.about["sign"] == "chance"


def test_a_model_that_learned_the_format_and_not_yet_the_labels_is_underfitted(case, history, result):
    # As measured: Gemma 3 270M on three labels has a tenth of its first loss left after one epoch, at accuracy 0.40.
    scores = result({"pos": 0.57, "neg": 0.0, "neu": 0.0}, accuracy=0.40)
    losses = [3.9, 3.7, 3.9, 3.1, 1.7, 0.7, *[0.4] * 16]
    evidence = case(result=scores, valid={"pos": 96, "neg": 88, "neu": 56}, history=history(losses, [(22, 0.58, 0.19)]))
    assert [one.about["sign"] for one in underfitting(evidence)] == ["chance"]


def test_saying_the_same_after_a_training_on_one_class_is_not_called_underfitting(case, history, result):
    scores = result({"pos": 0.5, "neg": 0.0, "neu": 0.0}, accuracy=0.35)
    losses = [0.6 + 2 * exp(-n / 3) for n in range(60)]
    evidence = case(result=scores, train={"pos": 400, "neg": 40, "neu": 40}, history=history(losses, [(60, 0.2, 0.17)]))
    assert underfitting(evidence) == []


def test_nothing_is_underfitted_when_the_target_is_met(case, history):
    assert underfitting(case(history=history([3 - n / 100 for n in range(60)]))) == []


def test_a_high_loss_of_another_trainer_is_not_judged_since_it_may_cover_the_prompt(case, history):
    losses = [3 - n / 100 for n in range(60)]
    foreign = history(losses, file="checkpoints/trainer_state.json")
    assert underfitting(case(class_f1=LOW, history=foreign)) == []
    assert underfitting(case(class_f1=LOW, history=history(losses), config={"training": {"method": "orpo"}})) == []


def test_a_validation_loss_that_climbs_while_train_goes_to_zero_is_overfitting(case, history):
    evals = [(12, 0.40, 0.60), (24, 0.35, 0.66), (36, 0.55, 0.65), (48, 0.80, 0.64), (60, 1.05, 0.64)]
    [finding] = overfitting(case(class_f1=LOW, history=history(converged(), evals)))
    assert finding.about["best_step"] == 24
    assert finding.lost >= 0.15 / 2 - 1e-9


def test_a_rising_validation_loss_with_a_rising_score_is_not_overfitting(case, history):
    evals = [(15, 0.40, 0.50), (30, 0.35, 0.58), (45, 0.45, 0.63), (60, 0.55, 0.66)]
    assert overfitting(case(class_f1=LOW, history=history(converged(), evals))) == []


def test_a_score_that_fell_from_an_early_best_is_overfitting_where_no_loss_was_logged(case, history):
    evals = [(12, None, 0.70), (24, None, 0.66), (36, None, 0.63), (60, None, 0.60)]
    [finding] = overfitting(case(class_f1=LOW, history=history(converged(), evals)))
    assert finding.about["sign"] == "metric_drop"


def test_two_evaluations_are_too_few_to_speak_of_overfitting(case, history):
    assert overfitting(case(class_f1=LOW, history=history(converged(), [(30, 0.3, 0.7), (60, 0.9, 0.6)]))) == []


def test_one_overfitted_seed_of_three_is_not_a_finding_but_two_are(case, history):
    bad_evals = [(12, 0.40, 0.60), (24, 0.35, 0.66), (36, 0.55, 0.65), (60, 1.05, 0.64)]

    def three(*kinds):
        points = [p for seed, evals in enumerate(kinds) for p in history(converged(), evals, seed=seed).points]
        return case(class_f1=LOW, history=History(points=points))

    assert overfitting(three(bad_evals, GOOD_EVALS, GOOD_EVALS)) == []
    assert len(overfitting(three(bad_evals, bad_evals, GOOD_EVALS))) == 1


def test_a_loss_that_became_nan_is_an_error_even_when_the_target_is_met(case, history):
    [finding] = instability(case(history=history([3.0, 2.0, None, None])))
    assert finding.severity is Severity.error
    assert (finding.about["sign"], "step 3" in str(finding.detail)) == ("nan", True)


def test_a_training_that_climbed_back_has_diverged(case, history):
    losses = [3 - 2.5 * min(n, 60 - n) / 30 for n in range(60)]
    [finding] = instability(case(history=history(losses)))
    assert finding.about["sign"] == "diverged"
    assert finding.severity is Severity.error


def test_two_spikes_are_a_warning_and_one_is_not(case, history):
    once = [5.0 if n == 30 else loss for n, loss in enumerate(converged())]
    twice = [5.0 if n in {30, 40} else loss for n, loss in enumerate(converged())]
    assert instability(case(history=history(once))) == []
    [finding] = instability(case(history=history(twice)))
    assert (finding.about["sign"], finding.severity) == ("spikes", Severity.warning)


def test_the_usual_noise_of_small_batches_is_not_unstable(case, history):
    noisy = [loss * (1.6 if n % 3 == 0 else 0.7) for n, loss in enumerate(converged())]
    assert instability(case(history=history(noisy))) == []


def test_seeds_far_apart_are_unstable(case, result):
    far = result({"pos": 0.6, "neg": 0.6, "neu": 0.6}).model_copy(
        update={"seeds": {"1": {"macro_f1": 0.75}, "2": {"macro_f1": 0.45}}}
    )
    near = far.model_copy(update={"seeds": {"1": {"macro_f1": 0.62}, "2": {"macro_f1": 0.58}}})
    assert [one.about["sign"] for one in instability(case(result=far))] == ["seeds"]
    assert instability(case(result=near)) == []


def test_a_low_rank_is_information_unless_the_loss_is_stuck_high(case, history):
    fine = case(class_f1=LOW, config=RANK_8, history=history(converged()))
    stuck = case(class_f1=LOW, config=RANK_8, history=history([2.0 + exp(-n / 5) for n in range(60)]))
    ended_early = case(class_f1=LOW, config=RANK_8, history=history([3 - n / 50 for n in range(60)], decay=False))
    assert [one.severity for one in low_capacity(fine)] == [Severity.info]
    assert [one.severity for one in low_capacity(stuck)] == [Severity.warning]
    assert [one.severity for one in low_capacity(ended_early)] == [Severity.info]


def test_the_rank_is_no_matter_when_it_is_32_or_all_weights_are_trained_or_the_target_is_met(case):
    assert low_capacity(case(class_f1=LOW)) == []
    assert low_capacity(case(class_f1=LOW, config={"lora": None})) == []
    assert low_capacity(case(config=RANK_8)) == []


@pytest.mark.parametrize("rule", [underfitting, overfitting, instability])
def test_no_history_or_an_empty_one_says_nothing(case, rule):
    assert rule(case(class_f1=LOW)) == []
    assert rule(case(class_f1=LOW, history=History(points=[]))) == []


def test_losses_of_a_preference_method_are_read_neither_as_underfitting_nor_as_overfitting(case, history):
    def of(method, found):
        return History(points=[point.model_copy(update={"method": method}) for point in found.points])

    flat = history([0.69 - n / 5000 for n in range(60)], [(30, 0.68, 0.4), (60, 0.67, 0.6)])
    climbing = history(converged(), [(12, 0.40, 0.60), (24, 0.35, 0.66), (36, 0.55, 0.65), (60, 1.05, 0.64)])
    assert underfitting(case(class_f1=LOW, history=flat))
    assert overfitting(case(class_f1=LOW, history=climbing))
    for method in ("orpo", "dpo", "kto"):
        assert underfitting(case(class_f1=LOW, history=of(method, flat))) == []
    for method in ("dpo", "kto"):
        assert overfitting(case(class_f1=LOW, history=of(method, climbing))) == []
    # ORPO raises the likelihood of the right answers as SFT does, so a validation loss that climbs means the same.
    assert overfitting(case(class_f1=LOW, history=of("orpo", climbing)))
