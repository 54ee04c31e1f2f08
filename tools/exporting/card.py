"""The model card of an exported version: what it does, how well, on how many rows, from which base model, and how to load it.

A score on the test set stands in it only when the ledger has an opening of that version. No row of the data is quoted, except
those that the version's prompt itself shows as examples.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from tools.catalogue.known import HUB_NAMES
from tools.catalogue.look_up import entry_of
from tools.comparing.words import metric_name
from tools.errors import IterateError
from tools.exporting.version import UsedVersion
from tools.read_results import ReadResultsArgs, latest, read_results
from tools.reading.task import load_split
from tools.results import SplitResult
from tools.running.recipe import apply_recipe
from tools.task import Row
from tools.text import Speaker, T, Text, visible
from tools.training.base_models import resolve_base_model
from tools.training.errands import Asked
from tools.versioning.ledger import opened_result
from tools.versioning.overview import Score, score_of
from tools.versioning.records import drift
from tools.words import split_name

_WEAK = 0.6
"""F1 below which a class is named among the limits (specification: flagged below 60 %)."""
_PIPELINES = {
    "classification": "text-classification",
    "extraction": "token-classification",
    "generation": "text-generation",
}


@dataclass(frozen=True)
class Facts:
    """What the card is made of besides the version's own files."""

    used: UsedVersion
    asked: Asked
    notes: list[Text]
    """Said about this form, such as in which numbers it is stored."""


def card(facts: Facts, form: str, say: Speaker) -> str:
    """README.md of an exported folder; `form` is adapter or merged."""
    task, version = facts.used.task, facts.used.version
    parts = [_front_matter(facts, form), f"# {visible(task.name)} {version}", ""]
    if task.definition.description:
        parts += [visible(task.definition.description), ""]
    for title, lines in (
        (T("What it is"), _what(facts, say)),
        (T("How to load it"), _load(facts, form)),
        (T("How it is asked"), _asked(facts, say)),
        (T("Data"), _data(facts, say)),
        (T("Scores"), _scores(facts, say)),
        (T("Limits"), _limits(facts, say)),
    ):
        parts += [f"## {say(title)}", "", *lines, ""]
    return "\n".join(parts)


def _front_matter(facts: Facts, form: str) -> str:
    """The block that a hub reads. Every value is written as JSON, which is YAML and can hold anything."""
    task = facts.used.task
    name = task.config.values.training.base_model
    # A hub refuses a card whose base model is a folder, and nobody else could open it.
    on_hub = name in HUB_NAMES or resolve_base_model(name, task.path).kind == "hub"
    known = {"base_model": hub_name(facts.used)} if on_hub else {}
    fields: dict[str, object] = {
        **known,
        "library_name": "peft" if form == "adapter" else "transformers",
        "pipeline_tag": "text-generation",
        "tags": ["iterate-mode", task.definition.task_type, *(["lora"] if form == "adapter" else [])],
    }
    entry = entry_of(task.config.values.training.base_model, task.path)
    if entry is not None and entry.terms is not None:
        fields["license"] = entry.terms.hub_id
    if task.definition.language:
        fields["language"] = task.definition.language.split("-")[0].lower()
    fields["model-index"] = [{"name": f"{task.name}-{facts.used.version}", "results": list(_index(facts))}]
    lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in fields.items()]
    return "\n".join(["---", *lines, "---", ""])


def _index(facts: Facts) -> Iterator[dict[str, object]]:
    """The results as a hub lists them."""
    task = facts.used.task
    for result in _results(facts):
        yield {
            "task": {"type": _PIPELINES[task.definition.task_type]},
            "dataset": {"name": task.name, "type": task.name, "split": result.split},
            "metrics": [
                {"type": name, "name": str(metric_name(name)), "value": round(value, 4)}
                for name, value in result.metrics.items()
            ],
        }


def hub_name(used: UsedVersion) -> str:
    """The base model as others find it."""
    name = used.task.config.values.training.base_model
    return HUB_NAMES.get(name, name)


def _what(facts: Facts, say: Speaker) -> list[str]:
    used = facts.used
    definition, config = used.task.definition, used.task.config.values
    info = resolve_base_model(config.training.base_model, used.task.path)
    lines = [say(T("Task: {name} ({kind}).", name=visible(used.task.name), kind=definition.task_type))]
    if definition.answer.labels:
        lines.append(say(T("Labels: {labels}.", labels=visible(", ".join(definition.answer.labels), 400))))
    lines.append(say(T("Base model: {name}.", name=visible(info.title, 120))))
    lines.append(say(licence_text(used)))
    method = T("Trained with {method}, seed {seed}.", method=config.training.method, seed=used.seed)
    lines += [say(method), *(say(note) for note in facts.notes)]
    return [f"- {line}" for line in lines]


def licence_text(used: UsedVersion) -> Text:
    """The licence of the base model, which goes with everything made of it."""
    entry = entry_of(used.task.config.values.training.base_model, used.task.path)
    if entry is not None and entry.terms is not None:
        return T("Licence of the base model: {name}, {url}", name=entry.terms.name, url=entry.terms.url)
    return T("The licence of the base model is not known to this program: look it up before you share this.")


def _load(facts: Facts, form: str) -> list[str]:
    """Six lines of Python, to be run in the folder that the card lies in."""
    library = "peft" if form == "adapter" else "transformers"
    loader = "AutoPeftModelForCausalLM" if form == "adapter" else "AutoModelForCausalLM"
    stop = f"tokenizer.convert_tokens_to_ids({json.dumps(facts.asked.stop, ensure_ascii=False)})"
    names = facts.used.task.definition.input_fields
    filled = "".join(f'.replace({json.dumps("{" + name + "}", ensure_ascii=False)}, "...")' for name in names)
    options = f"do_sample=False, max_new_tokens={facts.asked.max_new_tokens}, eos_token_id={stop}"
    return [
        "```python",
        f"from {library} import {loader}",
        "from transformers import AutoTokenizer",
        f'tokenizer, model = AutoTokenizer.from_pretrained("."), {loader}.from_pretrained(".", dtype="auto")',
        f"prompt = {json.dumps(question(facts.used), ensure_ascii=False)}{filled}",
        f'ids = tokenizer({_rendered(facts)}, return_tensors="pt", add_special_tokens=False).input_ids',
        f"print(tokenizer.decode(model.generate(ids, {options})[0, ids.shape[1]:], skip_special_tokens=True))",
        "```",
    ]


def _rendered(facts: Facts) -> str:
    before = json.dumps(facts.asked.start_token + facts.asked.before, ensure_ascii=False)
    return f"{before} + prompt + {json.dumps(facts.asked.after, ensure_ascii=False)}"


def question(used: UsedVersion) -> str:
    """The user's turn with the names of its fields in braces where a row's values go."""
    fields = {name: "{" + name + "}" for name in used.task.definition.input_fields}
    return used.asker.messages(Row(id="", fields=fields))[-1]["content"]


def _asked(facts: Facts, say: Speaker) -> list[str]:
    system = facts.used.task.config.values.prompt.system
    lines = [say(T("The prompt, with the row's fields in braces:")), "", *_fenced(question(facts.used))]
    if system:
        lines += ["", say(T("The system text:")), "", *_fenced(system)]
    whole = facts.asked.start_token + facts.asked.before + "..." + facts.asked.after
    lines += ["", say(T("What the model reads around it:")), "", *_fenced(whole), ""]
    decoding = T(
        "Greedy decoding, at most {tokens} new tokens, until {stop}.",
        tokens=facts.asked.max_new_tokens,
        stop=visible(" / ".join(facts.asked.stop), 200),
    )
    lines.append(say(decoding))
    lines.append(say(T("Only an answer in exactly the declared form counts; everything else is a format failure.")))
    return lines


def _fenced(text: str) -> list[str]:
    fence = "```"
    while fence in text:
        fence += "`"
    return [fence + "text", visible(text), fence]


def _data(facts: Facts, say: Speaker) -> list[str]:
    task = facts.used.task
    lines = []
    for name in ("train", "valid", "test"):
        try:
            split = load_split(task, name).split
        except IterateError:
            continue
        rows = apply_recipe(task, split).rows if name == "train" else split.rows
        labels: dict[str, int] = {}
        for row in rows if name == "train" else []:
            if isinstance(row.answer, str):
                labels[row.answer] = labels.get(row.answer, 0) + 1
        shown = ", ".join(f"{visible(label, 40)} {count}" for label, count in labels.items())
        count = T("{split}: {count} rows", split=split_name(name), count=len(rows))
        lines.append(f"- {say(count)}" + (f" ({shown})" if shown and task.definition.answer.labels else ""))
    changed = [visible(problem.path or "", 120) for problem in drift(task.path, facts.used.version)]
    if changed:
        lines.append("- " + say(T("Changed since it was trained: {files}.", files=", ".join(changed))))
    return lines


def _results(facts: Facts) -> list[SplitResult]:
    """The result on valid, and on test where an opening is in the ledger."""
    used = facts.used
    valid = latest(read_results(ReadResultsArgs(task_dir=used.task.path)), used.version, "valid")
    test = opened_result(used.task.path, used.version)
    return [result for result in (valid, test) if result is not None]


def _scores(facts: Facts, say: Speaker) -> list[str]:
    results = _results(facts)
    lines = []
    for result in results:
        lines.append(f"- {say(_scored(result))}")
        lines += [f"  - {say(_measured(result, name))}" for name in result.metrics]
    if not any(result.split == "test" for result in results):
        lines.append(
            "- " + say(T("The test set was not opened for this version, so there is no score on unseen rows."))
        )
    return lines


def _scored(result: SplitResult) -> Text:
    seeds = max(1, len(result.seeds))
    if seeds == 1:
        return T("{split}, {rows} rows:", split=split_name(result.split), rows=result.rows)
    return T(
        "{split}, {rows} rows, mean of {seeds} seeds:", split=split_name(result.split), rows=result.rows, seeds=seeds
    )


def _measured(result: SplitResult, metric: str) -> Text:
    score = score_of(result, metric) or Score(result.metrics[metric], result.rows, [])
    said = T("{metric} {value:.1%}", metric=metric_name(metric), value=score.value)
    if score.low is None or score.high is None:
        return said
    spread = {"low": score.low, "high": score.high}
    if len(score.seeds) > 1:
        return T("{score}, over the seeds {low:.1%} to {high:.1%}", score=said, **spread)
    return T("{score}, 95 percent interval {low:.1%} to {high:.1%}", score=said, **spread)


def _limits(facts: Facts, say: Speaker) -> list[str]:
    used = facts.used
    results = _results(facts)
    lines = [
        T("Made for rows like those it was trained on, asked with exactly the prompt above; nothing else was measured.")
    ]
    if results:
        weak = [
            f"{visible(label, 40)} {score.f1:.0%}" for label, score in results[-1].per_class.items() if score.f1 < _WEAK
        ]
        if weak:
            lines.append(T("Weak classes by F1: {classes}.", classes=", ".join(weak)))
        parsed = results[-1].metrics.get("parse_rate", 1.0)
        if parsed < 1:
            lines.append(T("{share:.1%} of its answers had no valid form.", share=1 - parsed))
    if results and len(results[0].seeds) > 1:
        lines.append(_one_seed(used, results[0]))
    if used.task.config.values.training.base_model in HUB_NAMES:
        lines.append(
            T(
                "Trained on weights that had been stored in four bits; on the original weights of {name} its answers differ "
                "a little. The merged form has the very weights.",
                name=hub_name(used),
            )
        )
    return [f"- {say(line)}" for line in lines]


def _one_seed(used: UsedVersion, valid: SplitResult) -> Text:
    """The score of the very weights that are given away, where the others are means over seeds."""
    metric = used.task.definition.primary_metric
    value = valid.seeds.get(str(used.seed), {}).get(metric)
    if value is None:
        return T("The scores are means over seeds; these are the weights of seed {seed}.", seed=used.seed)
    return T(
        "The scores are means over seeds; these weights, of seed {seed}, had {metric} {value:.1%} on validation.",
        seed=used.seed,
        metric=metric_name(metric),
        value=value,
    )
