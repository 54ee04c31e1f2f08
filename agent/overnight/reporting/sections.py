"""The parts of a morning report in their order, made of facts and said in no language yet; the first is opening.py's."""

from __future__ import annotations

from collections.abc import Iterator

from agent.overnight.reporting.document import Block, Commands, Items, Para, Section, Table
from agent.overnight.reporting.figures import budget_figure, forest_figure, score_figures
from agent.overnight.reporting.handing import commands, not_shown, records, rules
from agent.overnight.reporting.opening import opening
from agent.overnight.reporting.shapes import LEVEL, MeasuredFacts, NightFacts, TrialFacts
from agent.overnight.reporting.words import (
    GUARDS,
    OUTCOMES,
    WAITS,
    clock,
    duration,
    in_points,
    interval,
    moment,
    number,
    percent,
    plain,
    points,
)
from agent.overnight.rules import grace_text
from tools.comparing.words import metric_name, p_value, verdict_name
from tools.text import T, Text, sayable
from tools.versioning.forecasts import ForecastScore


def sections(facts: NightFacts) -> list[Section]:
    """The whole report."""
    return [
        Section("opening", None, [Para(opening(facts))]),
        Section("budget", T("Budget"), [*_budget(facts)]),
        Section("trials", T("What was tried"), [*_trials(facts)]),
        Section("test", T("Valid said, test says"), [*_opened(facts)]),
        Section("forecasts", T("Forecasts and what came of them"), [*_forecasts(facts)]),
        Section("guards", T("Guards that fired"), [*_guards(facts)]),
        Section("waiting", T("Decisions that wait for you"), [*_waiting(facts)]),
        *_offers(facts),
        Section("alone", T("Decisions that were taken alone"), [*_alone(facts)]),
        Section("commands", T("Reproduce, adopt, roll back"), [Commands(commands(facts))]),
        Section("records", T("Where the records are"), [*records(facts)]),
        Section("rules", T("Rules of this night"), [*rules(facts)]),
        Section("limits", T("What this night cannot show"), [Items(not_shown(facts))]),
    ]


# --- budget


def _budget(facts: NightFacts) -> Iterator[Block]:
    limits, used = facts.budget.limits, facts.budget.used
    rows: list[list[Text | str]] = [
        [T("Work"), duration(used.minutes), _at_most(None if limits.hours is None else duration(limits.hours * 60))],
        [T("Until"), moment(facts.newest_at), moment(limits.until) if limits.until else _at_most(None)],
        [T("Trainings and quick checks"), str(used.runs), _at_most(None if limits.runs is None else str(limits.runs))],
        [
            T("Money for tokens"),
            _dollars(used.dollars),
            _at_most(None if limits.dollars is None else _dollars(limits.dollars)),
        ],
        [T("Tokens of the language model"), f"{used.tokens:,}", _at_most(None)],
    ]
    yield Table(T("What was used, and what was allowed"), [T("What"), T("Used"), T("Limit")], rows)
    share = facts.rules.get("grace")  # which plans of earlier releases do not have
    if isinstance(share, int | float):
        yield Para([grace_text(share)])
    if facts.taken_up:
        yield Para(
            [T("The night was taken up again after its process had gone: {count} time(s).", count=facts.taken_up)]
        )
    if used.estimated:
        told = T(
            "A server did not count its tokens: they and the dollars are guessed from the length of what was said."
        )
        yield Para([told])
    if facts.message is not None:
        yield Para([T("The night's own last words: {message}", message=facts.message)])
    yield from budget_figure(facts)


def _at_most(limit: Text | str | None) -> Text:
    return T("no limit") if limit is None else T("at most {limit}", limit=limit)


def _dollars(amount: float) -> Text:
    return T("{dollars:.2f} US dollars", dollars=amount)


# --- trials


def _trials(facts: NightFacts) -> Iterator[Block]:
    if not facts.trials:
        yield Para([T("No change was tried.")])
        return
    yield trial_table(facts)
    yield Para(
        [
            T(
                "Points are those of each task's primary metric on valid. Expected: mean, and in brackets the {level:.0%} "
                "interval before it was tried. Observed: mean over the seeds, with its 95 percent interval. Kept means that "
                "later trials start from it, by these seeds and what was believed before: a choice, not a claim.",
                level=LEVEL,
            )
        ]
    )
    if facts.measured:
        yield Items([_measured(one) for one in facts.measured])
    reasons = [_reason(one) for one in facts.trials if one.reason is not None]
    if reasons:
        yield Items(reasons)
    yield from forest_figure(facts)
    yield from score_figures(facts)


def trial_table(facts: NightFacts) -> Table:
    """One row for each trial."""
    several = len(facts.tasks) > 1
    header = [T("No."), *([T("Task")] if several else []), T("Change"), T("Outcome"), T("Expected (points)")]
    header += [T("Observed (points)"), T("95 percent interval"), T("Seeds"), T("Minutes"), T("Verdict on valid")]
    rows = [_trial_row(one, several=several) for one in facts.trials]
    first = 4 if several else 3
    return Table(
        T("Changes in the order in which they were tried"),
        header,
        rows,
        frozenset({0, *range(first, first + 5)}),
        first - 1,
    )


def _trial_row(one: TrialFacts, *, several: bool) -> list[Text | str]:
    quick = one.quick if one.observed is None else None
    observed: Text | str = in_points(one.observed)
    span = interval(one.observed.low, one.observed.high) if one.observed else "-"
    if quick is not None:
        observed, span = T("{value} (quick check)", value=points(quick.difference)), interval(quick.low, quick.high)
    return [
        str(one.number),
        *([plain(one.task, 40)] if several else []),
        change_name(one),
        _outcome(one),
        _expected(one),
        observed,
        span,
        str(len(one.seeds)) if one.seeds else "-",
        number(one.minutes, 1),
        verdict_name(one.verdict) if one.verdict else "-",
    ]


def _outcome(one: TrialFacts) -> Text:
    return T("baseline") if one.is_baseline and one.outcome == "kept" else OUTCOMES[one.outcome]


def change_name(one: TrialFacts) -> Text | str:
    """The change in words, with the version it made."""
    title: Text | str = one.title if one.title is not None else T("(its record is lost)")
    if one.version:
        return T("{title} ({version})", title=title, version=plain(one.version, 40))
    return title


def _expected(one: TrialFacts) -> Text | str:
    if one.expected is None:
        return "-"
    return T("{middle} ({interval})", middle=points(one.expected), interval=interval(one.low, one.high))


def _measured(one: MeasuredFacts) -> Text:
    parts: dict[str, str | int] = {
        "version": plain(one.version, 40),
        "task": plain(one.task, 40),
        "count": len(one.seeds),
    }
    if one.gain is None:
        return T(
            "{version} of {task} was trained with further seeds ({count} in all), so that chance can be told from gain.",
            **parts,
        )
    return T(
        "{version} of {task} was trained with further seeds after that ({count} in all): over all of them it is {points} "
        "points against {base} ({interval}). What stands above is what was known when it was kept.",
        **parts,
        points=points(one.gain.value),
        base=plain(one.base or "", 40),
        interval=interval(one.gain.low, one.gain.high),
    )


def _reason(one: TrialFacts) -> Text:
    return T("{number} {outcome}: {reason}", number=f"({one.number})", outcome=_outcome(one), reason=one.reason)


# --- test


def _opened(facts: NightFacts) -> Iterator[Block]:
    opened = [(one, one.opened) for one in facts.tasks if one.opened is not None]
    if not opened:
        yield Para([T("The locked test set of no task was opened: nothing is claimed, and nothing of it is known.")])
        return
    rows: list[list[Text | str]] = [
        [plain(task.name, 40), plain(one.version, 40), metric_name(one.metric), percent(one.valid), percent(one.test)]
        for task, found in opened
        for one in found.scores
    ]
    header = [T("Task"), T("Version"), T("Metric"), T("Valid said"), T("Test says")]
    yield Table(T("Scores of the versions that were opened"), header, rows, frozenset({3, 4}))
    header = [T("Task"), T("Versions"), T("Valid said (points)"), T("Test says (points)")]
    header += [T("95 percent interval"), T("Test rows"), T("p, corrected"), T("Verdict on test")]
    differences: list[list[Text | str]] = [
        [
            plain(task.name, 40),
            f"{plain(found.base, 40) or '-'} → {plain(found.version, 40)}",
            in_points(found.valid),
            in_points(found.test),
            interval(found.test.low, found.test.high) if found.test else "-",
            str(found.rows) if found.rows is not None else "-",
            p_value(found.p_corrected) if found.p_corrected is not None else "-",
            verdict_name(found.verdict),
        ]
        for task, found in opened
    ]
    caption = T("The difference on valid, where versions were chosen, and on test, where nothing was")
    yield Table(caption, header, differences, frozenset({2, 3, 4, 5, 6}))
    notes = [
        T("{task}: {note}", task=plain(task.name, 40), note=note) for task, found in opened for note in found.notes
    ]
    if notes:
        yield Items(notes)


# --- forecasts


def _forecasts(facts: NightFacts) -> Iterator[Block]:
    if facts.forecasts:
        header = [
            T("Task"),
            T("Version"),
            T("Metric"),
            T("Promised (points)"),
            T("Interval level"),
            T("Chance of improving"),
        ]
        header += [T("Came (points)"), T("Inside")]
        rows: list[list[Text | str]] = [
            [
                plain(one.task, 40),
                plain(one.version, 40),
                metric_name(one.metric),
                interval(one.low, one.high),
                f"{one.level:.0%}",
                f"{one.p_better:.0%}",
                points(one.observed),
                T("yes") if one.inside else T("no"),
            ]
            for one in facts.forecasts
        ]
        yield Table(T("What the proposals promised, and what came on valid"), header, rows, frozenset({3, 4, 5, 6}))
    told = [*_scored(facts.tonight, T("Tonight")), *_scored(facts.ever, T("On these tasks so far"))]
    yield Para(told or [T("No forecast of this night has an outcome yet.")])
    expected = [
        one for one in facts.trials if one.observed is not None and one.low is not None and one.high is not None
    ]
    if expected:
        inside = sum(
            one.low <= one.observed.value <= one.high
            for one in expected
            if one.low is not None and one.high is not None and one.observed is not None
        )
        yield Para(
            [
                T(
                    "What the night itself expected when it chose: {inside} of {count} outcomes fell inside the {level:.0%} "
                    "interval.",
                    inside=inside,
                    count=len(expected),
                    level=LEVEL,
                )
            ]
        )


def _scored(score: ForecastScore, when: Text) -> Iterator[Text]:
    if score.count and score.coverage is not None and score.level is not None and score.brier is not None:
        yield T(
            "{when}: {coverage:.0%} of {count} forecasts held their interval ({level:.0%} was promised); Brier score "
            "{brier:.2f} (0 is perfect, 0.25 a coin).",
            when=when,
            coverage=score.coverage,
            count=score.count,
            level=score.level,
            brier=score.brier,
        )


# --- guards and decisions


def _guards(facts: NightFacts) -> Iterator[Block]:
    if not facts.guards:
        yield Para([T("No guard fired.")])
        return
    rows: list[list[Text | str]] = [
        [
            clock(one.at),
            plain(one.task, 40) if one.task else "-",
            GUARDS.get(one.guard, T("{name}", name=plain(one.guard, 40))),
            one.message,
            f"iterate refs {plain(one.page, 80)}" if one.page else "-",
        ]
        for one in facts.guards
    ]
    header = [T("Time"), T("Task"), T("Guard"), T("What happened"), T("Read more")]
    yield Table(T("What a guard stopped, and what the night survived"), header, rows)


def _waiting(facts: NightFacts) -> Iterator[Block]:
    decisions = [one for one in facts.waiting if one.is_decision]
    if not decisions:
        yield Para([T("No decision waits for you.")])
        return
    header = [T("No."), T("Task"), T("What"), T("About"), T("Why it waits"), T("State")]
    rows: list[list[Text | str]] = [
        [
            str(one.number),
            plain(one.task, 40),
            WAITS[one.what],
            one.title if one.title is not None else plain(one.version or "-", 40),
            one.reason,
            T("decided since") if one.settled else T("waits"),
        ]
        for one in decisions
    ]
    yield Table(T("Nothing here was approved, and nothing waited for it"), header, rows, frozenset({0}))
    yield Commands([(T("Decide number {number}", number=one.number), one.command) for one in facts.decisions])


def _offers(facts: NightFacts) -> Iterator[Section]:
    """What the night found that nobody has to decide; no section where it found nothing."""
    found = [one for one in facts.waiting if not one.is_decision]
    if not found:
        return
    rows: list[list[Text | str]] = [[str(one.number), plain(one.task, 40), one.reason] for one in found]
    table = Table(T("Nothing waits for these"), [T("No."), T("Task"), T("What")], rows, frozenset({0}))
    begin = Commands([(T("Begin number {number}", number=one.number), one.command) for one in found])
    yield Section("offers", T("What only you could do besides"), [table, begin])


def _alone(facts: NightFacts) -> Iterator[Block]:
    if not facts.alone:
        yield Para([T("None.")])
        return
    rows: list[list[Text | str]] = [
        [clock(one.at), plain(one.task, 40), WAITS[one.what], one.subject, sayable(one.rule, 160) or "-"]
        for one in facts.alone
    ]
    header = [T("Time"), T("Task"), T("What"), T("About"), T("Covered by")]
    yield Table(T("Decided by the rules of the night, without a person"), header, rows)
