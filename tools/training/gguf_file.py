"""A freshly converted GGUF file made whole and read back before anyone relies on it.

Worker side. The converter of llama.cpp guesses the kind of a tokenizer from its files. A base model that came as GGUF has no
sentencepiece file any more, and the guess is then wrong without a word: such a file answers nonsense. So the tokenizer of the
original GGUF is put back, and whatever was converted must read text into the very tokens that the version was trained on.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import torch
from gguf import GGUFReader, GGUFValueType, GGUFWriter, Keys
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

from tools.errors import InputError
from tools.runs import Example
from tools.text import T, visible
from tools.training.base_models import embedded_model, part_files, resolve_base_model
from tools.training.chat_template import prompt_text
from tools.training.errands import ExportDone, GgufErrand, PhaseSaid, Say
from tools.training.examples import read_examples
from tools.training.loaded import Loaded, load

_TOKENIZER = "tokenizer.ggml."
_PAGE = "troubleshooting/installation"


def finish(errand: GgufErrand, say: Say) -> None:
    """Put the original tokenizer back where there is one, check the file, and say how many answers agree."""
    loaded = load(errand, say, weights=False)
    rows = read_examples(errand.rows)
    with tempfile.TemporaryDirectory(dir=errand.file.parent) as folder:
        original = _original(errand, Path(folder))
        if original is not None:
            say(PhaseSaid(message=T("Putting the original tokenizer into the GGUF file.")))
            whole = Path(folder) / "whole.gguf"
            put_tokenizer(original, errand.file, whole)
            whole.replace(errand.file)
    say(PhaseSaid(message=T("Reading the GGUF file back.")))
    _check_tokenizer(errand.file, loaded.tokenizer, rows)
    answers = _answers(errand.file, loaded, rows)
    agreed = sum(one == other for one, other in zip(answers, errand.expected, strict=False))
    say(ExportDone(asked=None, checked=len(answers), agreed=agreed))


def put_tokenizer(original: Path, converted: Path, target: Path) -> None:
    """Write `converted` to `target` with the tokenizer of `original`; raises InputError when they differ in size."""
    first, second = GGUFReader(original), GGUFReader(converted)
    sizes = [len(reader.fields["tokenizer.ggml.tokens"].data) for reader in (first, second)]
    if sizes[0] != sizes[1]:
        raise InputError(
            T("The converted file has {new} words and the base model {old}.", new=sizes[1], old=sizes[0]), page=_PAGE
        )
    architecture = second.fields[Keys.General.ARCHITECTURE].contents()
    writer = GGUFWriter(target, architecture)
    kept = [field for name, field in second.fields.items() if not name.startswith(_TOKENIZER)]
    words = [field for name, field in first.fields.items() if name.startswith(_TOKENIZER)]
    for field in [*kept, *words]:
        if field.name == Keys.General.ARCHITECTURE or field.name.startswith("GGUF."):
            continue  # the writer writes these itself
        inner = field.types[-1] if field.types[0] == GGUFValueType.ARRAY else None
        writer.add_key_value(field.name, field.contents(), field.types[0], sub_type=inner)
    for tensor in second.tensors:
        data = tensor.data
        writer.add_tensor_info(tensor.name, data.shape, data.dtype, data.nbytes, tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for tensor in second.tensors:
        writer.write_tensor_data(tensor.data)
    writer.close()


def _original(errand: GgufErrand, folder: Path) -> Path | None:
    """The GGUF file that the base model came as; None for a base of another kind."""
    info = resolve_base_model(errand.spec.training.base_model, errand.spec.task_folder)
    if info.kind == "gguf":
        return Path(info.source)
    parts = part_files(embedded_model(info.name)) if info.kind == "embedded" else None
    if not parts:
        return None
    whole = folder / "original.gguf"
    with whole.open("wb") as out:
        for part in parts:
            with part.open("rb") as stream:
                shutil.copyfileobj(stream, out, 1 << 20)
    return whole


def _check_tokenizer(file: Path, tokenizer: Any, rows: list[Example]) -> None:
    """Raise InputError unless the file reads every prompt into the tokens that the version was trained on."""
    try:
        own = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    except Exception as reason:  # readers of tokenizers raise many kinds; for the user all mean: not to be relied on
        raise _wrong_tokenizer(str(reason)) from reason
    for row in rows:
        text = prompt_text(tokenizer, row.messages)
        read = [each(text, add_special_tokens=False)["input_ids"] for each in (own, tokenizer)]
        if read[0] != read[1]:
            raise _wrong_tokenizer(row.id)


def _wrong_tokenizer(what: str) -> InputError:
    return InputError(
        T(
            "The converter wrote a tokenizer that reads text differently ({what}), so the GGUF file was not kept.",
            what=visible(what.strip().split("\n")[0], 120),
        ),
        hint=T("Export it as merged, or convert that folder with a version of llama.cpp that knows its tokenizer."),
        page=_PAGE,
    )


def _answers(file: Path, loaded: Loaded, rows: list[Example]) -> list[str]:
    """What the file answers, read by transformers; [] where that cannot read the architecture."""
    try:
        config = GgufConfig(dequantize=True)
        loaded.model = AutoModelForCausalLM.from_pretrained(
            file.parent, gguf_file=file.name, quantization_config=config, dtype=torch.float32
        )
    except Exception:  # an architecture that llama.cpp knows and transformers does not read from GGUF
        return []
    return [raw for raw, _ in loaded.evaluator.answer(loaded.model, rows)] if rows else []
