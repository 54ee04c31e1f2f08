"""The catalogue against published sizes, the memory formula against what was measured, the checks against faults."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tools.catalogue.checks import check_model, reach
from tools.catalogue.known import CATALOGUE, HUB_NAMES
from tools.catalogue.look_up import entry_of, prepared_folder, read_folder
from tools.catalogue.memory import answering_gb, training_gb
from tools.config import Lora, TrainingConfig
from tools.errors import InputError
from tools.text import english

PUBLISHED = {
    "embedded:smollm2-135m": 0.135,
    "embedded:gemma3-270m": 0.268,
    "HuggingFaceTB/SmolLM2-360M-Instruct": 0.362,
    "HuggingFaceTB/SmolLM2-1.7B-Instruct": 1.71,
    "HuggingFaceTB/SmolLM3-3B": 3.08,
    "google/gemma-3-1b-it": 1.0,
    "Qwen/Qwen3-0.6B": 0.6,
    "Qwen/Qwen3-1.7B": 1.7,
    "Qwen/Qwen3-4B": 4.0,
    "Qwen/Qwen3-8B": 8.2,
    "Qwen/Qwen3-14B": 14.8,
    "Qwen/Qwen3-30B-A3B": 30.5,
    "meta-llama/Llama-3.2-1B-Instruct": 1.23,
    "meta-llama/Llama-3.2-3B-Instruct": 3.21,
    "meta-llama/Llama-3.1-8B-Instruct": 8.03,
    "mistralai/Mistral-7B-Instruct-v0.3": 7.25,
    "mistralai/Mistral-Nemo-Instruct-2407": 12.2,
    "mistralai/Mixtral-8x7B-Instruct-v0.1": 46.7,
}
"""Billions of weights as the model cards state them."""
MEASURED = [
    ("embedded:gemma3-270m", 1024, 2.75),
    ("embedded:gemma3-270m", 4096, 5.57),
    ("embedded:smollm2-135m", 1024, 2.24),
    ("embedded:smollm2-135m", 4096, 5.84),
]
"""Peak of a training worker in gigabytes: rank 16 on all linear layers, bf16, two cores."""


def config(**sections: object) -> TrainingConfig:
    return TrainingConfig.model_validate(sections)


@pytest.mark.parametrize(("name", "billions"), PUBLISHED.items())
def test_the_shape_of_a_model_gives_the_number_of_weights_that_is_published(name: str, billions: float):
    assert CATALOGUE[name].shape.parameters / 1e3 == pytest.approx(billions, rel=0.015)


def test_of_a_mixture_only_a_part_works_for_one_token_but_all_of_it_takes_memory():
    shape = CATALOGUE["Qwen/Qwen3-30B-A3B"].shape
    assert shape.active == pytest.approx(3300, rel=0.03)
    assert answering_gb(shape) > 61
    assert CATALOGUE["Qwen/Qwen3-30B-A3B"].lora_targets == ["q_proj", "k_proj", "v_proj", "o_proj"]


@pytest.mark.parametrize(("name", "tokens", "measured"), MEASURED)
def test_computed_memory_is_near_what_was_measured(name: str, tokens: int, measured: float):
    assert training_gb(CATALOGUE[name].shape, Lora(r=16, alpha=32), tokens) == pytest.approx(measured, rel=0.1)


def test_every_step_up_leads_to_a_known_larger_model():
    for entry in CATALOGUE.values():
        for step in filter(None, (entry.larger, entry.mixture)):
            assert CATALOGUE[step].shape.parameters > entry.shape.parameters, entry.name
        assert entry.mixture is None or CATALOGUE[entry.mixture].shape.experts
    assert set(HUB_NAMES) == {name for name in CATALOGUE if name.startswith("embedded:")}
    twice = training_gb(CATALOGUE["Qwen/Qwen3-8B"].shape, Lora()) / training_gb(
        CATALOGUE["Qwen/Qwen3-4B"].shape, Lora()
    )
    assert 1.5 < twice < 2.1


def test_a_base_variant_goes_up_to_base_variants():
    entry = entry_of("Qwen/Qwen3-4B-Base")
    assert entry is not None
    assert (entry.larger, entry.chat_template) == ("Qwen/Qwen3-8B-Base", False)


def test_a_folder_is_read_from_its_own_config(tiny_model: Path, tmp_path: Path):
    entry = entry_of(str(tiny_model))
    assert entry is not None
    assert (entry.shape.layers, entry.shape.hidden, entry.shape.kv_heads, entry.context) == (2, 32, 2, 512)
    assert prepared_folder(str(tiny_model)) == tiny_model.resolve()
    folder = Path(shutil.copytree(tiny_model, tmp_path / "model"))
    qwen = CATALOGUE["Qwen/Qwen3-4B"].shape
    fields = {
        "model_type": "qwen3",
        "num_hidden_layers": qwen.layers,
        "hidden_size": qwen.hidden,
        "intermediate_size": qwen.intermediate,
        "num_attention_heads": qwen.heads,
        "num_key_value_heads": qwen.kv_heads,
        "head_dim": qwen.head_dim,
        "vocab_size": qwen.vocabulary,
        "tie_word_embeddings": True,
        "max_position_embeddings": 40960,
    }
    (folder / "config.json").write_text(json.dumps(fields))
    copy = entry_of(str(folder))
    assert copy is not None
    assert copy.larger == "Qwen/Qwen3-8B"
    for broken in ("{", "[]", '{"model_type": "llama"}', '{"num_attention_heads": 0, "model_type": "x"}'):
        (folder / "config.json").write_text(broken)
        assert read_folder(folder, "x") is None
    assert entry_of("nobody/knows-this-1B") is None


def refusals(name: str, values: TrainingConfig) -> list[str]:
    return [english(check.message) for check in check_model(name, values) if check.ok is False]


def test_a_model_that_fits_passes_every_check(tiny_model: Path):
    assert refusals(str(tiny_model), config(training={"max_length": 256})) == []


def test_each_thing_that_would_fail_later_is_said_before(tiny_model: Path, monkeypatch: pytest.MonkeyPatch):
    found = refusals(
        str(tiny_model), config(training={"max_length": 1024}, lora={"target_modules": ["q_proj", "c_attn"]})
    )
    assert found == [
        "It has no layers named c_attn.",
        "Its context of 512 tokens is shorter than max_length 1024.",
    ]
    monkeypatch.setattr("tools.catalogue.checks.machine_gb", lambda: 16.0)
    [experts, memory] = refusals("Qwen/Qwen3-30B-A3B", config())
    assert "each of the 128 experts" in experts
    assert "this machine has 16 GB" in memory
    attention = config(lora={"target_modules": ["q_proj", "v_proj"]})
    assert len(refusals("Qwen/Qwen3-30B-A3B", attention)) == 1
    monkeypatch.setattr("tools.catalogue.checks.version", lambda name: "4.40.0")
    assert any("does not know the architecture qwen3" in said for said in refusals("Qwen/Qwen3-0.6B", config()))
    with pytest.raises(InputError, match="none of"):
        check_model("no such thing", config())


def test_an_unreachable_hub_is_said_and_not_raised():
    assert reach("Qwen/Qwen3-0.6B").ok is False  # tests run without a network
