"""Reading the configuration of a task: configs/training_config.yaml over the `training:` block of the definition.

Every value that can be understood is; everything odd is a Problem with its line, and the default stands in where nothing
can be made of a value, so one slip never hides the rest. The file is never changed here (tools/edit_config.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from pydantic import JsonValue

from tools.config import TrainingConfig
from tools.editing.text_lines import decode
from tools.editing.yaml_file import YamlFile, read_yaml
from tools.editing.yaml_read import same
from tools.errors import InputError, Problem
from tools.files import sha256_bytes
from tools.reading.config_keys import FOREIGN, SECTIONS, SHORT_FORMS, Renamed, known, renamed
from tools.reading.config_keys import Path as KeyPath
from tools.reading.config_problems import (
    Given,
    Source,
    conflict,
    not_dividing,
    renamed_key,
    slip,
    unknown_key,
    written_for_yaml_1_1,
    wrong_section,
)
from tools.reading.config_values import check_value
from tools.task import ConfigFile
from tools.text import T

CONFIG_NAMES = ("configs/training_config.yaml", "configs/training_config.yml")
DEFINITION_NAMES = ("task_definition.yaml", "task_definition.yml")


Values = dict[KeyPath, JsonValue]


class _SourceRead(NamedTuple):
    """What one file gives: values under their current names, and problems with the field they concern."""

    values: Values
    problems: list[tuple[KeyPath, Problem]]


def read_config(task_path: Path, definition_training: dict[str, Any]) -> ConfigFile:
    """The configuration of a task with everything that is wrong with it; raises nothing for what the files hold.

    When the configuration file is no valid YAML, its problem has the kind "broken_yaml", and `require_usable` refuses it.
    """
    path, file, problems = _config_file(task_path)
    definition = Source(
        _present(task_path, DEFINITION_NAMES), {"training": definition_training}, _definition(task_path)
    )
    config = Source(_present(task_path, CONFIG_NAMES), file.data if file else {}, file)
    below, above = _read_source(definition), _read_source(config)
    merged = _merged(below.values, above.values)
    problems += file.problems if file else []
    problems += [problem for key, problem in below.problems if key not in above.values]
    problems += [problem for _, problem in above.problems]
    problems += [
        conflict(config, definition, key, value, below.values[key])
        for key, value in above.values.items()
        if key in below.values and not same(value, below.values[key])
    ]
    problems += _mend_batches(merged, config)
    content = file.content if file else path.read_bytes() if path else b""
    return ConfigFile(
        path=path,
        text=file.text if file else decode(content)[0],
        sha256=sha256_bytes(content) if path else "",
        values=_build(merged),
        origins=_origins(below.values, definition.name) | _origins(above.values, config.name),
        problems=problems,
    )


def require_usable(config: ConfigFile) -> None:
    """Raise InputError when the configuration file could not be read at all, before anything is trained with defaults."""
    broken = [problem for problem in config.problems if problem.kind == "broken_yaml"]
    if broken:
        raise InputError(broken[0].message, hint=broken[0].hint, page=broken[0].page, problems=broken)


def _config_file(task_path: Path) -> tuple[Path | None, YamlFile | None, list[Problem]]:
    name = _present(task_path, CONFIG_NAMES)
    path = task_path / name
    if not path.is_file():
        return None, None, []
    try:
        return path, read_yaml(path, name), []
    except InputError as error:
        return path, None, error.problems or [Problem(message=error.message, path=name, kind="broken_yaml")]


def _definition(task_path: Path) -> YamlFile | None:
    """The definition again, only for the lines of its values; its faults are reported by whoever reads it as such."""
    try:
        name = _present(task_path, DEFINITION_NAMES)
        return read_yaml(task_path / name, name)
    except InputError:
        return None


def _present(task_path: Path, names: tuple[str, ...]) -> str:
    return next((name for name in names if (task_path / name).is_file()), names[0])


def _read_source(source: Source) -> _SourceRead:
    """All values of one file under their current names; a current name goes before an old one of the same field."""
    givens, problems = _walk(source)
    read = _SourceRead({}, [((), problem) for problem in problems])
    for given in sorted(givens, key=lambda given: given.renamed is not None):
        _take(source, given, read)
    return read


def _walk(source: Source) -> tuple[list[Given], list[Problem]]:
    """The values of a file as they are written, sections opened, and the keys that mean nothing here."""
    givens: list[Given] = []
    problems: list[Problem] = []
    for written, value in _leaves(source.data):
        if written[-1:] == ("lora",) and (value is None or value is False):
            givens.append(Given(("lora",), written, None))
        elif len(written) == 1 and written[0] in SECTIONS:
            problems += [wrong_section(source, written, value)] if value is not None else []
        elif len(written) > 1 or written[0] not in FOREIGN:
            given = _resolve(written, value)
            givens += [given] if given is not None else []
            problems += [unknown_key(source, written, value)] if given is None else []
    return _with_accumulation(givens), problems


def _leaves(data: dict[str, JsonValue]) -> list[tuple[KeyPath, JsonValue]]:
    """Key paths with their values, one level below the sections and below training.lora."""
    leaves: list[tuple[KeyPath, JsonValue]] = []
    for key, value in data.items():
        if key not in SECTIONS or not isinstance(value, dict):
            leaves.append(((key,), value))
            continue
        for name, item in value.items():
            if (key, name) == ("training", "lora") and isinstance(item, dict):
                leaves += [((key, name, field), held) for field, held in item.items()]
            else:
                leaves.append(((key, name), item))
    return leaves


def _resolve(written: KeyPath, value: JsonValue) -> Given | None:
    path = written[1:] if written[:2] == ("training", "lora") and len(written) == 3 else written
    if known(path):
        return Given(path, written, value)
    if path in SHORT_FORMS:
        return Given(SHORT_FORMS[path], written, value)
    entry = renamed(path)
    if entry is None:
        return None
    new = entry.value(value) if entry.value is not None else value
    return Given((entry.to or ()) if new is not None else (), written, new, entry)


def _with_accumulation(givens: list[Given]) -> list[Given]:
    """Rows per part and number of parts, as transformers counts, turned into rows per step and rows per part."""
    parts = next((given for given in givens if given.written[-1] == "gradient_accumulation_steps"), None)
    size = next((given for given in givens if given.path == ("training", "batch_size")), None)
    if parts is None or size is None or not _is_count(parts.value) or not _is_count(size.value):
        return givens
    rows, times = int(str(size.value)), int(str(parts.value))
    whole = size._replace(value=rows * times, renamed=size.renamed or Renamed(size.path, _WHOLE_STEP))
    part = parts._replace(path=("training", "micro_batch_size"), value=rows)
    return [whole if given is size else part if given is parts else given for given in givens]


_WHOLE_STEP = T("batch_size counts the rows of a whole optimizer step, accumulated parts included.")


def _is_count(value: JsonValue) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _MOST_ROWS


_MOST_ROWS = 1_000_000


def _take(source: Source, given: Given, read: _SourceRead) -> None:
    """Check one value and keep it, unless its field has one already."""
    if given.path in read.values:
        also = T("{key} is given as well, and counts.", key=".".join(given.path))
        read.problems.append((given.path, renamed_key(source, given._replace(path=()), also)))
        return
    if given.renamed is not None:
        read.problems.append((given.path, renamed_key(source, given, given.renamed.reason)))
    if not given.path:
        return
    if given.path == ("lora",):
        read.values[given.path] = None
        return
    checked = check_value(given.path, given.value)
    if checked.usable:
        read.values[given.path] = checked.value
    read.problems.extend((given.path, slip(source, given, found)) for found in checked.slips)
    if given.renamed is None:
        read.problems.extend((given.path, problem) for problem in _yaml_1_1(source, given))


def _yaml_1_1(source: Source, given: Given) -> list[Problem]:
    """Problems of the numbers in a value that a reader of YAML 1.1 takes for text."""
    if source.yaml is None:
        return []
    inside: dict[str, JsonValue] = {}
    if isinstance(given.value, dict):
        inside = given.value
    elif isinstance(given.value, list):
        inside = {str(index): item for index, item in enumerate(given.value)}
    places: list[tuple[KeyPath, JsonValue]] = [((), given.value), *(((name,), item) for name, item in inside.items())]
    return [
        written_for_yaml_1_1(source, (*given.written, *place), (*given.path, *place), value, text)
        for place, value in places
        if isinstance(value, float) and (text := source.yaml.mistyped_number((*given.written, *place)))
    ]


def _merged(below: Values, above: Values) -> Values:
    """The values of both files, those of the configuration first; a LoRA section there undoes `lora: null` below."""
    merged = {**below, **above}
    if ("lora",) not in above and any(key[0] == "lora" for key in above):
        merged.pop(("lora",), None)
    return merged


def _mend_batches(values: Values, config: Source) -> list[Problem]:
    micro, batch = values.get(("training", "micro_batch_size")), values.get(("training", "batch_size"))
    rows = batch if isinstance(batch, int) else TrainingConfig().training.batch_size
    if not isinstance(micro, int) or rows % micro == 0:
        return []
    del values["training", "micro_batch_size"]
    return [not_dividing(config, rows, micro)]


def _build(values: Values) -> TrainingConfig:
    sections: dict[str, dict[str, JsonValue] | None] = {}
    for key, value in values.items():
        section = sections.setdefault(key[0], {})
        if len(key) == 2 and section is not None:
            section[key[1]] = value
    if ("lora",) in values:
        sections["lora"] = None
    return TrainingConfig.model_validate(sections)


def _origins(values: Values, name: str) -> dict[str, str]:
    """Dotted key to file, for fields and for the entries of those that are mappings."""
    keys = [".".join(key) for key in values]
    entries = [".".join((*key, entry)) for key, value in values.items() if isinstance(value, dict) for entry in value]
    return dict.fromkeys([*keys, *entries], name)
