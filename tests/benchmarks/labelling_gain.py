"""What labelling by a person brings for every 50 rows, against labelling random ones.

    python tests/benchmarks/labelling_gain.py ANSWERS [--tasks stance entity-sentiment] [--seeds 20] [--batch 50]
    python tests/benchmarks/labelling_gain.py --miniature       a made-up task of a few rows: does the simulation itself work

ANSWERS is a folder with <task>/pool_labels.jsonl: what the person would say about the rows of tasks/<task>/data/raw/pool.jsonl.
It is not shipped, since those answers would be training data for nothing; without it the benchmark says so and stops.

The model is a stand-in: TF-IDF of characters with logistic regression, because a real training takes minutes and this takes
hundreds of fits. Its gains say which way of choosing is better, not how many points a fine-tuned model would gain. Each seed
draws four fifths of train and halves validation: one half gives the confusions that the choice looks at, the other is scored.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import NormalDist, fmean, stdev

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tools.labelling.choose import choose, confused_pairs  # noqa: E402
from tools.labelling.pool import read_pool  # noqa: E402
from tools.reading.task import load_split, load_task  # noqa: E402
from tools.task import Row  # noqa: E402

Confusion = dict[str, dict[str, int]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("answers", type=Path, nargs="?")
    parser.add_argument("--tasks", nargs="+", default=["stance", "entity-sentiment"])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--batch", type=int, default=50)
    parser.add_argument("--miniature", action="store_true")
    given = parser.parse_args()
    if given.miniature:
        miniature()
        return
    for name in given.tasks:
        file = given.answers / name / "pool_labels.jsonl" if given.answers else None
        if file is None or not file.is_file():
            print(f"{name}: skipped, there is no file of answers ({file or 'no folder given'})")
            continue
        simulate(ROOT / "tasks" / name, answers_in(file), given.seeds, given.batch)


def miniature() -> dict[str, list[list[float]]]:
    """The simulation on a task where one word says the label and one pair of labels shares its words."""
    with tempfile.TemporaryDirectory() as folder:
        path, answers = made_up(Path(folder) / "made-up")
        return simulate(path, answers, seeds=3, batch=8)


_WORDS = {"up": ("gains", "rises"), "down": ("losses", "falls"), "flat": ("rises", "falls")}
"""Label to its words: "flat" is the one that is confused."""


def made_up(path: Path) -> tuple[Path, dict[str, str]]:
    """A task with a pool, and what a person would say about the rows of the pool."""
    drawn = random.Random(7)

    def text(label: str, number: int) -> str:
        said = label if drawn.random() < 0.7 else drawn.choice(list(_WORDS))  # some rows say another label's words
        words = _WORDS[said] if said == "flat" or drawn.random() < 0.15 else (drawn.choice(_WORDS[said]),)
        return f"share {number} {' and '.join(words)} {drawn.choice(('today', 'again', 'slowly', 'at last'))}"

    (path / "data" / "raw").mkdir(parents=True)
    definition = "task_name: made-up\ntask_type: classification\ninput_format: {template: '{text}'}\n"
    labels = f"output_format: {{type: label, labels: [{', '.join(_WORDS)}]}}\n"
    (path / "task_definition.yaml").write_text(definition + labels, encoding="utf-8")
    answers = {}
    for name, count in (("train", 24), ("valid", 24), ("test", 6), ("raw/pool", 40)):
        rows = []
        for number in range(count):
            label = list(_WORDS)[number % 3]
            row = {"id": f"{name[-4:]}{number}", "text": text(label, number + 100 * len(name))}
            answers[row["id"]] = label
            rows.append(row if name == "raw/pool" else {**row, "label": label})
        (path / "data" / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path, {row: label for row, label in answers.items() if row.startswith("pool")}


def answers_in(file: Path) -> dict[str, str]:
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    return {line["id"]: line["label"] for line in lines}


def simulate(path: Path, answers: Mapping[str, str], seeds: int, batch: int) -> dict[str, list[list[float]]]:
    """Macro-F1 of each way of choosing: seed by seed, before labelling and after each batch."""
    task = load_task(path)
    train, valid = (load_split(task, split).split.rows for split in ("train", "valid"))
    pool = [row for row in read_pool(task).rows if row.id in answers]
    rounds = max(1, min(3, (len(pool) - 1) // batch))
    print(
        f"\n{path.name}: train {len(train)}, valid {len(valid)}, pool {len(pool)}; {seeds} seeds, {rounds} x {batch} rows"
    )
    scores: dict[str, list[list[float]]] = {arm: [] for arm in ARMS}
    features = Features([*train, *valid, *pool])
    for seed in range(seeds):
        drawn = random.Random(seed)
        start = drawn.sample(train, len(train) * 4 // 5)
        mixed = drawn.sample(valid, len(valid))
        half = len(mixed) // 2
        for arm, pick in ARMS.items():
            scores[arm].append(
                trial(features, (start, mixed[:half], mixed[half:]), pool, answers, (pick, seed, rounds, batch))
            )
    report(scores, batch)
    return scores


Pick = Callable[[Sequence[Row], Sequence[Row], "Model", Confusion, int, int], list[Row]]


def trial(features: Features, splits, pool: Sequence[Row], answers: Mapping[str, str], how) -> list[float]:
    """Macro-F1 on the scored half before labelling and after each batch."""
    train, looked_at, scored = splits
    pick, seed, rounds, batch = how
    known, left, found = list(train), list(pool), []
    for turn in range(rounds + 1):
        model = Model(features, known)
        found.append(model.macro_f1(scored))
        if turn < rounds:
            chosen = pick(left, known, model, model.confusion(looked_at), batch, seed * 10 + turn)
            taken = {row.id for row in chosen}
            known += [row.model_copy(update={"answer": answers[row.id]}) for row in chosen]
            left = [row for row in left if row.id not in taken]
    return found


class Features:
    """TF-IDF of 1 to 3 characters over all fields, weighted once over all rows: texts need no labels."""

    def __init__(self, rows: Sequence[Row]) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        self._at = {row.id: number for number, row in enumerate(rows)}
        self._matrix = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True, min_df=2).fit_transform(
            [" | ".join(text for _, text in sorted(row.fields.items())) for row in rows]
        )

    def of(self, rows: Sequence[Row]):
        return self._matrix[[self._at[row.id] for row in rows]]


class Model:
    """Logistic regression over the features."""

    def __init__(self, features: Features, rows: Sequence[Row]) -> None:
        from sklearn.linear_model import LogisticRegression

        self.features = features
        self._fit = LogisticRegression(C=10, max_iter=200, tol=1e-3, class_weight="balanced")
        self._fit.fit(features.of(rows), [row.answer for row in rows])

    def probabilities(self, rows: Sequence[Row]) -> dict[str, dict[str, float]]:
        labels = [str(label) for label in self._fit.classes_]
        shares = self._fit.predict_proba(self.features.of(rows))
        return {
            row.id: dict(zip(labels, map(float, share), strict=True)) for row, share in zip(rows, shares, strict=True)
        }

    def answers(self, rows: Sequence[Row]) -> list[str]:
        return list(self._fit.predict(self.features.of(rows)))

    def confusion(self, rows: Sequence[Row]) -> Confusion:
        labels = [str(label) for label in self._fit.classes_]
        counts = Counter(zip([row.answer for row in rows], self.answers(rows), strict=True))
        return {want: {got: counts[want, got] for got in labels} for want in labels}

    def macro_f1(self, rows: Sequence[Row]) -> float:
        from sklearn.metrics import f1_score

        return float(f1_score([row.answer for row in rows], self.answers(rows), average="macro"))


def by_model(left, known, model, confusion, batch, seed) -> list[Row]:
    return [
        one.row for one in choose(left, model.probabilities(left), batch, confused=confused_pairs(confusion), draw=seed)
    ]


def without_scores(left, known, model, confusion, batch, seed) -> list[Row]:
    return [one.row for one in choose(left, {}, batch, draw=seed)]


def by_neighbours(left, known, model, confusion, batch, seed) -> list[Row]:
    """Most divided among its 15 nearest training rows: a guess at uncertainty that needs no model."""
    from sklearn.neighbors import KNeighborsClassifier

    features = model.features
    votes = KNeighborsClassifier(15, weights=lambda far: 1.01 - far, metric="cosine")
    votes.fit(features.of(known), [row.answer for row in known])
    shares = votes.predict_proba(features.of(left))
    scores = {row.id: dict(enumerate(share)) for row, share in zip(left, shares, strict=True)}
    return sorted(left, key=lambda row: margin(scores[row.id]))[:batch]


def most_uncertain(left, known, model, confusion, batch, seed) -> list[Row]:
    shares = model.probabilities(left)
    return sorted(left, key=lambda row: margin(shares[row.id]))[:batch]


def margin(shares: Mapping[str, float]) -> float:
    second, first = sorted(shares.values())[-2:]
    return first - second


def at_random(left, known, model, confusion, batch, seed) -> list[Row]:
    return random.Random(seed).sample(list(left), min(batch, len(left)))


ARMS: dict[str, Pick] = {
    "random": at_random,
    "as iterate label does": by_model,
    "the same, no weights": without_scores,
    "most uncertain only": most_uncertain,
    "nearest texts": by_neighbours,
}


def report(scores: Mapping[str, Sequence[Sequence[float]]], batch: int) -> None:
    turns = len(next(iter(scores.values()))[0])
    before = fmean(trial[0] for trial in scores["random"])
    print(f"macro-F1 before: {before:.3f}; gain in points, and what choosing adds to random (95 % interval over seeds)")
    for turn in range(1, turns):
        print(f"  after {turn * batch} rows")
        for arm, trials in scores.items():
            gains = [100 * (trial[turn] - trial[0]) for trial in trials]
            ahead = [100 * (a[turn] - b[turn]) for a, b in zip(trials, scores["random"], strict=True)]
            wide = NormalDist().inv_cdf(0.975) * stdev(ahead) / len(ahead) ** 0.5
            low, high = fmean(ahead) - wide, fmean(ahead) + wide
            print(f"    {arm:22} {fmean(gains):+5.1f}   {fmean(ahead):+5.1f} ({low:+.1f} to {high:+.1f})")


if __name__ == "__main__":
    main()
