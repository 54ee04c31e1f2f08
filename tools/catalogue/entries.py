"""The vocabulary of the catalogue: the shape of a transformer, and a base model with its terms.

Numbers of weights are not written down but follow from the shape, so they cannot contradict it.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from tools.training.base_models import Licence

ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
FEED_FORWARD = ("gate_proj", "up_proj", "down_proj")
"""The linear layers of one block, as all families of the catalogue name them."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Shape(_Model):
    """The sizes of a decoder of blocks with attention (grouped heads) and a gated feed-forward part."""

    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate: int
    """Width of the feed-forward part; of one expert in a mixture."""
    vocabulary: int
    tied: bool
    """True when input and output embeddings are the same weights."""
    experts: int = 0
    """0 for a dense model."""
    experts_used: int = 0
    """Experts that each token goes through."""
    norms: int = 2
    """Norms of a block's width in one block."""
    head_norms: bool = False
    """True when queries and keys are normed as well."""

    @property
    def parameters(self) -> float:
        """Millions of weights; norms and biases, below a thousandth, are left out."""
        return self._millions(self.experts or 1)

    @property
    def active(self) -> float:
        """Millions of weights that one token goes through."""
        return self._millions(self.experts_used or 1)

    def linear_layers(self) -> dict[str, tuple[int, int]]:
        """The linear layers of one block that an adapter may be put on, with their input and output sizes.

        The experts of a mixture are not among them: current libraries keep them as one block of weights.
        """
        keys, queries = self.kv_heads * self.head_dim, self.heads * self.head_dim
        attention = ((self.hidden, queries), (self.hidden, keys), (self.hidden, keys), (queries, self.hidden))
        found = dict(zip(ATTENTION, attention, strict=True))
        if not self.experts:
            wide = (self.hidden, self.intermediate)
            found |= dict(zip(FEED_FORWARD, (wide, wide, (self.intermediate, self.hidden)), strict=True))
        return found

    def _millions(self, experts: int) -> float:
        embeddings = self.vocabulary * self.hidden * (1 if self.tied else 2)
        attention = 2 * self.hidden * self.head_dim * (self.heads + self.kv_heads)
        feed_forward = 3 * self.hidden * self.intermediate * experts + self.hidden * self.experts
        return (embeddings + self.layers * (attention + feed_forward)) / 1e6


NORMS: dict[str, tuple[int, bool]] = {
    "gemma3_text": (4, True),
    "gemma3": (4, True),
    "qwen3": (2, True),
    "qwen3_moe": (2, True),
}
"""Norms of a block, and whether its heads have some, for architectures that differ from Llama's two and none."""


class Terms(Licence):
    """The licence of a base model."""

    hub_id: str
    """How a model card names it in its front matter."""
    must_accept: bool
    """True when the hub gives the weights only to an account that has accepted the terms."""


class Entry(_Model):
    """A base model."""

    name: str
    """As training.base_model names it."""
    family: str
    architecture: str
    """`model_type` of its config.json."""
    shape: Shape
    context: int
    """Tokens that it was made for."""
    terms: Terms | None
    """None when this program does not know them."""
    chat_template: bool | None
    """Whether its tokenizer brings a chat template; None when that is not known."""
    transformers: str = "4"
    """The oldest version of transformers that knows the architecture."""
    pretrained: str | None = None
    """The same model before it was taught to follow instructions."""
    larger: str | None = None
    """The next step up: name of another entry."""
    mixture: str | None = None
    """A mixture of experts of the same family, as another step up."""

    @property
    def lora_targets(self) -> list[str]:
        """Where an adapter is usually put: every linear layer of a dense model, the attention of a mixture."""
        return list(self.shape.linear_layers())
