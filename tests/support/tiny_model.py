"""A real but tiny language model on disk: random weights, and a tokenizer trained on the spot."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

_TEXTS = [
    "文本：這個提案很好，我支持。",
    "文本：我反對這個做法，太貴了。",
    "請問申請要準備哪些文件？中立",
    "### Input:\n\n### Answer:\n",
    "The service was good and the price was fair. positive negative neutral",
]


def build_tiny_model(folder: Path, *, texts: Iterable[str] = _TEXTS, tokens: int = 384) -> Path:
    """Write a Llama of 2 layers and width 32 into `folder`, with a byte-level BPE tokenizer of `texts`; returns the folder."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<pad>", "<bos>", "<eos>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=tokens, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<bos>", eos_token="<eos>"
    )
    wrapped.save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(wrapped),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
        tie_word_embeddings=True,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder
