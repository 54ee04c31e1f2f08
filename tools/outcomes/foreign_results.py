"""Understanding result files of other tools: scikit-learn, Transformers, lm-evaluation-harness, and flat metrics.

It turns one parsed JSON object into scores; where files lie, which version and split they are of, and whether their scores
may be looked at at all is tools/read_results.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from tools.outcomes.metric_names import class_of, fraction, metric_name, without_split
from tools.results import ClassScore
from tools.text import T, Text, visible

_AVERAGES = ("macro avg", "weighted avg", "micro avg", "samples avg")
_NOT_SCORES = frozenset(
    {
        *("loss", "perplexity", "runtime", "samples_per_second", "steps_per_second", "total_flos"),
        *("epoch", "step", "steps", "global_step", "seed", "version", "threshold", "num_input_tokens_seen"),
        *(
            "rows",
            "support",
            "samples",
            "num_samples",
            "n_samples",
            "num_rows",
            "n",
            "total",
            "count",
            "correct",
            "errors",
        ),
    }
)
"""Numbers that stand among scores in result files and are none."""
_ROWS = ("rows", "num_rows", "num_samples", "n_samples", "samples", "total", "support", "n")
_CLASS_BLOCKS = ("per_class", "per_class_metrics", "class_metrics", "classes", "per_label", "by_class")
_METRIC_BLOCKS = ("metrics", "scores", "results", "overall", "summary")
_CLASS_PARTS = ("precision", "recall", "support")
_CONFUSIONS = ("confusion", "confusion_matrix")


class Understood(NamedTuple):
    """The scores of one file, as fractions."""

    source: str
    metrics: dict[str, float]
    per_class: dict[str, ClassScore]
    confusion: dict[str, dict[str, int]]
    rows: int


def understand(data: Mapping[str, Any], task: str) -> Understood | Text:
    """The scores in a result object, or the reason why there are none; `task` picks among several tasks in one file."""
    if _is_lm_eval(data):
        return _lm_eval(data, task)
    if isinstance(data.get("macro avg"), dict):
        return _sklearn(data)
    return _flat(data)


def lm_eval_split(data: Mapping[str, Any]) -> str | None:
    """The split that lm-evaluation-harness used: its test split where the task has one, else validation."""
    configs = data.get("configs")
    if not _is_lm_eval(data) or not isinstance(configs, dict):
        return None
    tasks = [config for config in configs.values() if isinstance(config, dict)]
    if not tasks or any(config.get("test_split") for config in tasks):
        return "test" if tasks else None
    return "valid" if all(config.get("validation_split") for config in tasks) else None


def _is_lm_eval(data: Mapping[str, Any]) -> bool:
    results = data.get("results")
    return isinstance(results, dict) and any(
        isinstance(scores, dict) and any("," in str(key) for key in scores) for scores in results.values()
    )


def _lm_eval(data: Mapping[str, Any], task: str) -> Understood | Text:
    tasks = {str(name): scores for name, scores in data["results"].items() if isinstance(scores, dict)}
    name = task if task in tasks else next(iter(tasks)) if len(tasks) == 1 else None
    if name is None:
        return T("it holds several tasks ({tasks}), and none is called {task}", tasks=_listed(tasks), task=task)
    scores: dict[str, Any] = {}
    for key, value in tasks[name].items():
        metric, _, _filter = str(key).partition(",")
        if not metric.endswith("_stderr") and metric != "alias":
            scores.setdefault(metric, value)
    samples = data.get("n-samples")
    counted = samples.get(name) if isinstance(samples, dict) else None
    rows = _count(counted.get("effective")) if isinstance(counted, dict) else 0
    return _checked(Understood("lm-eval", _metrics(scores), {}, {}, rows))


def _sklearn(data: Mapping[str, Any]) -> Understood | Text:
    """classification_report(output_dict=True): classes, then accuracy (or "micro avg") and averages."""
    # A class is an object there; "accuracy" is a bare number beside them, and no class.
    classes = {key: value for key, value in data.items() if key not in _AVERAGES and isinstance(value, dict)}
    per_class = _per_class(classes)
    metrics: dict[str, float] = {}
    for average in _AVERAGES:
        block = data.get(average)
        score = fraction(block.get("f1-score")) if isinstance(block, dict) else None
        if score is not None:
            metrics[metric_name(average.removesuffix(" avg") + "_f1")] = score
    accuracy = fraction(data.get("accuracy"))
    if accuracy is not None:
        metrics["accuracy"] = accuracy
    rows = _count(data["macro avg"].get("support"))
    return _checked(Understood("sklearn", metrics, per_class, {}, rows))


def _flat(data: Mapping[str, Any]) -> Understood | Text:
    """Metrics by name, at the top or in a block, with Transformers' split prefixes and scores of single classes."""
    blocks = [data, *(block for key in _METRIC_BLOCKS if isinstance(block := data.get(key), dict))]
    given = {str(key): value for block in reversed(blocks) for key, value in block.items()}
    from_transformers = any(key.startswith(("eval_", "predict_", "test_")) for key in given)
    loose = {key: value for key, value in given.items() if not key.startswith("train_")}
    scores = {without_split(key) if from_transformers else key: value for key, value in loose.items()}
    per_class = _loose_classes(scores)
    of_classes = {
        name for label in per_class for part in _CLASS_PARTS for name in (f"{part}_{label}", f"{label}_{part}")
    }
    whole = {name: value for name, value in scores.items() if class_of(name) is None and name not in of_classes}
    metrics = _metrics(whole)
    for key in _CLASS_BLOCKS:
        if isinstance(block := loose.get(key), dict):
            per_class |= _per_class(block)
    rows = next((count for key in _ROWS if (count := _count(scores.get(key)))), 0)
    confusion = next((_confusion(loose[key], loose) for key in _CONFUSIONS if key in loose), {})
    source = "transformers" if from_transformers else "flat"
    return _checked(Understood(source, _with_macro(metrics, per_class), per_class, confusion, rows))


def _with_macro(metrics: dict[str, float], per_class: dict[str, ClassScore]) -> dict[str, float]:
    """Add the macro-F1, which is the mean of the class scores, where a file gives only those."""
    if "macro_f1" in metrics or not per_class:
        return metrics
    return {"macro_f1": sum(score.f1 for score in per_class.values()) / len(per_class), **metrics}


def _checked(found: Understood) -> Understood | Text:
    if found.metrics or found.per_class:
        return found
    return T("it holds no score that this program knows")


def _metrics(scores: Mapping[str, Any]) -> dict[str, float]:
    return {
        metric_name(name): score
        for name, value in scores.items()
        if name.lower() not in _NOT_SCORES and (score := fraction(value)) is not None
    }


def _per_class(block: Mapping[str, Any]) -> dict[str, ClassScore]:
    """Classes with their scores: objects with f1 and more, or bare F1 numbers."""
    found = {str(label): _class_score(value) for label, value in block.items()}
    return {label: score for label, score in found.items() if score is not None}


def _class_score(value: Any) -> ClassScore | None:
    if not isinstance(value, dict):
        score = fraction(value) if not isinstance(value, list) else None
        return ClassScore(f1=score) if score is not None else None
    named = {str(key).lower().replace("-", "_"): held for key, held in value.items()}
    f1 = fraction(named.get("f1_score", named.get("f1")))
    if f1 is None:
        return None
    return ClassScore(
        precision=fraction(named.get("precision")),
        recall=fraction(named.get("recall")),
        f1=f1,
        support=_count(named.get("support", named.get("count", named.get("n")))),
    )


def _loose_classes(scores: Mapping[str, Any]) -> dict[str, ClassScore]:
    """Classes whose scores stand under names of their own: f1_正面, precision_正面, recall_正面."""
    labels = {label: fraction(value) for name, value in scores.items() if (label := class_of(name)) is not None}
    return {
        label: ClassScore(
            precision=_beside(scores, "precision", label),
            recall=_beside(scores, "recall", label),
            f1=f1,
            support=_count(scores.get(f"support_{label}", scores.get(f"{label}_support"))),
        )
        for label, f1 in labels.items()
        if f1 is not None
    }


def _beside(scores: Mapping[str, Any], metric: str, label: str) -> float | None:
    return fraction(scores.get(f"{metric}_{label}", scores.get(f"{label}_{metric}")))


def _confusion(value: Any, data: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Expected label to predicted label to rows, from nested objects, or from a matrix with its labels; else nothing."""
    if isinstance(value, dict) and isinstance(value.get("matrix"), list):
        return _confusion(value["matrix"], value)
    if isinstance(value, dict):
        rows = {str(label): cells for label, cells in value.items() if isinstance(cells, dict)}
        return {label: {str(key): _count(count) for key, count in cells.items()} for label, cells in rows.items()}
    labels = data.get("labels", data.get("classes"))
    if not isinstance(value, list) or not isinstance(labels, list) or len(labels) != len(value):
        return {}
    names = [str(label) for label in labels]
    whole = all(isinstance(row, list) and len(row) == len(names) for row in value)
    return {names[i]: dict(zip(names, map(_count, row), strict=True)) for i, row in enumerate(value)} if whole else {}


def _count(value: Any) -> int:
    """A number of rows; 0 for anything that is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12:
        return 0
    return int(value)


def _listed(names: Mapping[str, Any]) -> str:
    return visible(", ".join(names), 100)
