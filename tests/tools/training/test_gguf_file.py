"""A GGUF file gets the tokenizer of another, and keeps everything else; a wrong one is refused. Small real files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFReader, GGUFWriter

from tools.errors import InputError
from tools.training.gguf_file import put_tokenizer


def write(path: Path, kind: str, words: list[str], tensor: float) -> Path:
    writer = GGUFWriter(path, "gemma3")
    writer.add_block_count(2)
    writer.add_tokenizer_model(kind)
    writer.add_token_list(words)
    if kind == "llama":
        writer.add_token_scores([-1.0] * len(words))
    writer.add_chat_template(f"the template of {kind}")
    writer.add_tensor("token_embd.weight", np.full((len(words), 4), tensor, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_the_original_tokenizer_is_put_back_and_weights_and_template_stay(tmp_path: Path):
    original = write(tmp_path / "original.gguf", "llama", ["<bos>", "▁a"], 1.0)
    converted = write(tmp_path / "converted.gguf", "gpt2", ["<bos>", "Ġa"], 2.0)
    put_tokenizer(original, converted, tmp_path / "whole.gguf")
    whole = GGUFReader(tmp_path / "whole.gguf")
    assert whole.fields["tokenizer.ggml.model"].contents() == "llama"
    assert whole.fields["tokenizer.ggml.tokens"].contents() == ["<bos>", "▁a"]
    assert whole.fields["tokenizer.ggml.scores"].contents() == [-1.0, -1.0]
    assert whole.fields["tokenizer.chat_template"].contents() == "the template of gpt2"
    assert whole.fields["gemma3.block_count"].contents() == 2
    assert np.array_equal(whole.tensors[0].data, np.full((2, 4), 2.0))


def test_vocabularies_of_different_size_are_refused(tmp_path: Path):
    original = write(tmp_path / "original.gguf", "llama", ["<bos>", "▁a", "▁b"], 1.0)
    converted = write(tmp_path / "converted.gguf", "gpt2", ["<bos>", "Ġa"], 2.0)
    with pytest.raises(InputError, match="2 words and the base model 3"):
        put_tokenizer(original, converted, tmp_path / "whole.gguf")
