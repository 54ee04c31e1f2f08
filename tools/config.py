"""The schema of configs/training_config.yaml: everything that makes a version.

Only the vocabulary lives here. Reading the file with its problems is tools/reading/config.py, editing it is
tools/edit_config.py. Unknown keys never reach these models: the reader keeps them aside and reports them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt

Method = Literal["sft", "orpo", "dpo", "kto"]
HIGHEST_RATE = 0.1
"""Learning rates beyond it are a slip of the point: LoRA is trained with rates of about 1e-5 to 1e-3."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Lora(_Section):
    """Low-rank adapter; absent targets mean every linear layer but the output head."""

    r: PositiveInt = 16
    """Rank."""
    alpha: PositiveFloat = 32
    """Scale; the update is multiplied by alpha / r."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    target_modules: Literal["all-linear"] | list[str] = "all-linear"


class Training(_Section):
    """How the weights are fitted."""

    base_model: str = "embedded:gemma3-270m"
    """"embedded:<name>", a local folder, or a hub id."""
    method: Method = "sft"
    beta: float | None = Field(default=None, gt=0)
    """Strength of the preference term; only for orpo, dpo, kto. None is the usual 0.1."""
    start_from: Literal["parent", "base"] | None = None
    """The weights that training begins with. None: for dpo and kto those of the parent version where they are kept here, for
    sft and orpo the base model as it is."""
    epochs: float = Field(default=3, gt=0, le=100)
    learning_rate: float = Field(default=2e-4, gt=0, le=HIGHEST_RATE)
    batch_size: PositiveInt = 16
    """Rows per optimizer step."""
    micro_batch_size: PositiveInt | None = None
    """Rows per forward pass when memory is short; must divide batch_size (the rest is gradient accumulation)."""
    max_length: PositiveInt = 512
    """Tokens of prompt and completion together."""
    warmup: float = Field(default=0.1, ge=0)
    """Steps (1 or more) or share of all steps (below 1) with a rising learning rate."""
    lr_scheduler: Literal["linear", "cosine", "constant", "constant_with_warmup"] = "linear"
    weight_decay: float = Field(default=0.0, ge=0)
    max_grad_norm: PositiveFloat = 1.0
    class_weights: dict[str, PositiveFloat] = {}
    """Label to weight of its rows in the loss; labels not named weigh 1."""
    seed: int = 42
    seeds: list[int] = []
    """Several seeds make one version of several runs; empty means [seed]."""
    evals_per_epoch: PositiveInt = 1
    early_stopping: PositiveInt | None = 3
    """Stop after this many evaluations without a better validation metric; null switches it off."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    command: str | None = None
    """The task's own training script instead of this program's trainer; it is run in the task folder."""

    @property
    def all_seeds(self) -> list[int]:
        """The seeds of this version, at least one."""
        return self.seeds or [self.seed]


class DataRecipe(_Section):
    """Which rows are trained on. Source files are never edited; a data change is a line here."""

    train: list[str] = ["data/train.jsonl"]
    """Files in order; later files may add rows, never replace them."""
    valid: str | None = "data/valid.jsonl"
    test: str | None = "data/test.jsonl"
    exclude: list[str] = []
    """Row ids left out of training."""
    relabel: dict[str, str] = {}
    """Row id to the label that a person settled on."""
    oversample: dict[str, Annotated[int, Field(ge=1, le=1_000_000)]] = {}
    """Label to the number of rows wanted; rows are repeated in a fixed order until the number is reached. Every look at the
    task makes these copies, so a slip of the finger must not ask for more than a memory holds."""
    deduplicate: bool = False
    """Keep only the first of rows with the same input fields."""
    preference: list[str] = []
    """Files of pairs (data/preference/...) for orpo, dpo and kto; a row takes its pairs from the first file that has any."""
    valid_fraction: float = Field(default=0.15, gt=0, lt=0.5)
    """Share of train carved out, stratified, when there is no valid file."""
    carve_seed: int = 0


class Prompt(_Section):
    """What is put before the model."""

    system: str | None = None
    template: str | None = None
    """Overrides input_format.template of the definition."""
    answer_instruction: str | None = None
    """Overrides the line that states the output format; "" leaves it out."""
    label_words: dict[str, str] = {}
    """Declared label to the word that the model reads and writes for it; labels not named stand for themselves."""
    examples: list[str] = []
    """Ids of training rows that are shown with their answers before each question, in this order."""


class Decoding(_Section):
    """How answers are generated."""

    max_new_tokens: PositiveInt | None = None
    """None: the longest training answer in tokens, plus a margin."""
    constrained: bool = False
    """Choose among the declared labels, or keep to the declared keys of a JSON object, instead of generating freely."""


class Launcher(_Section):
    """Where a run happens."""

    kind: Literal["local"] = "local"
    threads: PositiveInt | None = None


class TrainingConfig(_Section):
    """A whole configuration, defaults filled in."""

    lora: Lora | None = Lora()
    """null trains all weights."""
    training: Training = Training()
    data: DataRecipe = DataRecipe()
    prompt: Prompt = Prompt()
    decoding: Decoding = Decoding()
    launcher: Launcher = Launcher()
