"""The base models that this program knows, each from its published config.json and model card.

A name that is not here is no obstacle: a local folder is read from its own config.json (tools/catalogue/look_up.py).
"""

from __future__ import annotations

from tools.catalogue.entries import NORMS, Entry, Shape, Terms

APACHE = Terms(
    name="Apache-2.0", url="https://www.apache.org/licenses/LICENSE-2.0", hub_id="apache-2.0", must_accept=False
)
GEMMA = Terms(name="Gemma Terms of Use", url="https://ai.google.dev/gemma/terms", hub_id="gemma", must_accept=True)
GEMMA_PACKAGE = GEMMA.model_copy(update={"must_accept": False})
"""The packages on PyPI ask for no account; the terms are the same."""
LLAMA_31 = Terms(
    name="Llama 3.1 Community License",
    url="https://www.llama.com/llama3_1/license/",
    hub_id="llama3.1",
    must_accept=True,
)
LLAMA_32 = Terms(
    name="Llama 3.2 Community License",
    url="https://www.llama.com/llama3_2/license/",
    hub_id="llama3.2",
    must_accept=True,
)


def _shape(blocks: tuple[int, int, int], heads: tuple[int, int, int], vocabulary: int, tied: bool = True) -> Shape:
    """A dense shape from (layers, hidden, intermediate) and (heads, kv heads, head size)."""
    return Shape(
        layers=blocks[0],
        hidden=blocks[1],
        intermediate=blocks[2],
        heads=heads[0],
        kv_heads=heads[1],
        head_dim=heads[2],
        vocabulary=vocabulary,
        tied=tied,
    )


def _normed(shape: Shape, architecture: str) -> Shape:
    norms, head_norms = NORMS[architecture]
    return shape.model_copy(update={"norms": norms, "head_norms": head_norms})


def _mixture(dense: Shape, experts: int, used: int) -> Shape:
    return dense.model_copy(update={"experts": experts, "experts_used": used})


_GEMMA_270M = _normed(_shape((18, 640, 2048), (4, 1, 256), 262144), "gemma3_text")
_SMOLLM2_135M = _shape((30, 576, 1536), (9, 3, 64), 49152)
_QWEN_30B = _mixture(_shape((48, 2048, 768), (32, 4, 128), 151936, tied=False), 128, 8)
_MIXTRAL = _mixture(_shape((32, 4096, 14336), (32, 8, 128), 32000, tied=False), 8, 2)


def _qwen(size: str, shape: Shape, larger: str | None, mixture: str | None = None) -> Entry:
    name = "Qwen/Qwen3-" + size
    architecture = "qwen3_moe" if shape.experts else "qwen3"
    return Entry(
        name=name,
        family="Qwen3",
        architecture=architecture,
        shape=_normed(shape, architecture),
        context=32768,
        terms=APACHE,
        chat_template=True,
        transformers="4.51",
        pretrained=name + "-Base",
        larger="Qwen/Qwen3-" + larger if larger else None,
        mixture="Qwen/Qwen3-" + mixture if mixture else None,
    )


def _gemma(name: str, shape: Shape, larger: str | None, pretrained: str) -> Entry:
    return Entry(
        name=name,
        family="Gemma 3",
        architecture="gemma3_text",
        shape=_normed(shape, "gemma3_text"),
        context=32768,
        terms=GEMMA,
        chat_template=True,
        transformers="4.50",
        pretrained=pretrained,
        larger=larger,
    )


def _llama(size: str, shape: Shape, larger: str | None, terms: Terms = LLAMA_32) -> Entry:
    pretrained = "meta-llama/Llama-" + size
    return Entry(
        name=pretrained + "-Instruct",
        family="Llama 3",
        architecture="llama",
        shape=shape,
        context=131072,
        terms=terms,
        chat_template=True,
        transformers="4.45",
        pretrained=pretrained,
        larger=f"meta-llama/Llama-{larger}-Instruct" if larger else None,
    )


def _smollm2(size: str, shape: Shape, larger: str) -> Entry:
    pretrained = "HuggingFaceTB/SmolLM2-" + size
    return Entry(
        name=pretrained + "-Instruct",
        family="SmolLM",
        architecture="llama",
        shape=shape,
        context=8192,
        terms=APACHE,
        chat_template=True,
        pretrained=pretrained,
        larger="HuggingFaceTB/" + larger,
    )


def _mistral(name: str, shape: Shape, context: int, larger: str | None = None, mixture: str | None = None) -> Entry:
    return Entry(
        name="mistralai/" + name,
        family="Mistral",
        architecture="mixtral" if shape.experts else "mistral",
        shape=shape,
        context=context,
        terms=APACHE,
        chat_template=True,
        larger="mistralai/" + larger if larger else None,
        mixture="mistralai/" + mixture if mixture else None,
    )


_ENTRIES = (
    Entry(
        name="embedded:smollm2-135m",
        family="SmolLM",
        architecture="llama",
        shape=_SMOLLM2_135M,
        context=8192,
        terms=APACHE,
        chat_template=True,
        larger="embedded:gemma3-270m",
    ),
    Entry(
        name="embedded:gemma3-270m",
        family="Gemma 3",
        architecture="gemma3_text",
        shape=_GEMMA_270M,
        context=32768,
        terms=GEMMA_PACKAGE,
        chat_template=False,
        transformers="4.50",
    ),
    _smollm2("135M", _SMOLLM2_135M, "SmolLM2-360M-Instruct"),
    _smollm2("360M", _shape((32, 960, 2560), (15, 5, 64), 49152), "SmolLM2-1.7B-Instruct"),
    _smollm2("1.7B", _shape((24, 2048, 8192), (32, 32, 64), 49152), "SmolLM3-3B"),
    Entry(
        name="HuggingFaceTB/SmolLM3-3B",
        family="SmolLM",
        architecture="smollm3",
        shape=_shape((36, 2048, 11008), (16, 4, 128), 128256),
        context=65536,
        terms=APACHE,
        chat_template=True,
        transformers="4.53",
        pretrained="HuggingFaceTB/SmolLM3-3B-Base",
    ),
    _gemma("google/gemma-3-270m-it", _GEMMA_270M, "google/gemma-3-1b-it", "google/gemma-3-270m"),
    _gemma("google/gemma-3-1b-it", _shape((26, 1152, 6912), (4, 1, 256), 262144), None, "google/gemma-3-1b-pt"),
    _qwen("0.6B", _shape((28, 1024, 3072), (16, 8, 128), 151936), "1.7B"),
    _qwen("1.7B", _shape((28, 2048, 6144), (16, 8, 128), 151936), "4B"),
    _qwen("4B", _shape((36, 2560, 9728), (32, 8, 128), 151936), "8B", "30B-A3B"),
    _qwen("8B", _shape((36, 4096, 12288), (32, 8, 128), 151936, tied=False), "14B", "30B-A3B"),
    _qwen("14B", _shape((40, 5120, 17408), (40, 8, 128), 151936, tied=False), None, "30B-A3B"),
    _qwen("30B-A3B", _QWEN_30B, None),
    _llama("3.2-1B", _shape((16, 2048, 8192), (32, 8, 64), 128256), "3.2-3B"),
    _llama("3.2-3B", _shape((28, 3072, 8192), (24, 8, 128), 128256), "3.1-8B"),
    _llama("3.1-8B", _shape((32, 4096, 14336), (32, 8, 128), 128256, tied=False), None, LLAMA_31),
    _mistral(
        "Mistral-7B-Instruct-v0.3",
        _shape((32, 4096, 14336), (32, 8, 128), 32768, tied=False),
        32768,
        "Mistral-Nemo-Instruct-2407",
        "Mixtral-8x7B-Instruct-v0.1",
    ),
    _mistral("Mistral-Nemo-Instruct-2407", _shape((40, 5120, 14336), (32, 8, 128), 131072, tied=False), 131072),
    _mistral("Mixtral-8x7B-Instruct-v0.1", _MIXTRAL, 32768),
)

CATALOGUE: dict[str, Entry] = {entry.name: entry for entry in _ENTRIES}
"""Every entry by its name, small to large within a family."""

HUB_NAMES = {
    "embedded:smollm2-135m": "HuggingFaceTB/SmolLM2-135M-Instruct",
    "embedded:gemma3-270m": "google/gemma-3-270m",
}
"""What the embedded models were made from; their weights were stored in four bits, so they are close to these and not equal."""
