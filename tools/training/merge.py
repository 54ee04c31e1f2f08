"""A version's adapter put into its base model for good, and what others must know to ask the result as it was trained.

Worker side. The sums are made in fp32 whatever they are stored in. The merged folder is read back and answers some validation
rows beside the adapter, so that a claim of sameness is a measured one.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForCausalLM, GenerationConfig

from tools.runs import Example
from tools.text import T
from tools.training.chat_template import prompt_text
from tools.training.errands import PROMPT_SLOT, Asked, ExportDone, ExportErrand, PhaseSaid, Say
from tools.training.evaluation import Evaluator
from tools.training.examples import read_examples
from tools.training.loaded import Loaded, load


def export(errand: ExportErrand, say: Say) -> None:
    """Do an export errand and say how it ended."""
    if errand.target is None:
        loaded = load(errand, say, weights=False)
        say(ExportDone(asked=_asked(errand, loaded)))
        return
    loaded = load(errand, say)
    asked = _asked(errand, loaded)
    rows = read_examples(errand.rows)
    before = _outputs(loaded, rows, say)
    _write(errand, loaded, errand.target, say)
    _read_back(errand, loaded, errand.target)
    after = _outputs(loaded, rows, say)
    same = sum(one == other for one, other in zip(before, after, strict=True))
    say(ExportDone(asked=asked, outputs=before, checked=len(rows), agreed=same))


def _outputs(loaded: Loaded, rows: list[Example], say: Say) -> list[str]:
    if not rows:
        return []
    say(PhaseSaid(message=T("Answering {count} validation rows to check the export.", count=len(rows))))
    return [raw for raw, _ in loaded.evaluator.answer(loaded.model, rows)]


def _write(errand: ExportErrand, loaded: Loaded, target: Path, say: Say) -> None:
    """Write the merged model in one step."""
    say(PhaseSaid(message=T("Writing the merged model in {precision}.", precision=errand.store)))
    model = loaded.model.float()
    merged = model.merge_and_unload() if hasattr(model, "merge_and_unload") else model
    merged = merged.to(torch.bfloat16 if errand.store == "bf16" else torch.float32)
    merged.config.name_or_path = ""  # the prepared base lies in this machine's cache
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        loaded.tokenizer.save_pretrained(scratch)
        merged.save_pretrained(scratch)
        os.chmod(scratch, 0o755)
        os.replace(scratch, target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _read_back(errand: ExportErrand, loaded: Loaded, target: Path) -> None:
    """Load the written model in the numbers it is stored in, as others will."""
    loaded.model = AutoModelForCausalLM.from_pretrained(target, dtype="auto")
    limit = loaded.evaluator.max_new_tokens
    loaded.evaluator = Evaluator(errand.spec, loaded.tokenizer, errand.store, 1)
    loaded.evaluator.max_new_tokens = limit


def _asked(errand: ExportErrand, loaded: Loaded) -> Asked:
    text = prompt_text(loaded.tokenizer, [*errand.turns, {"role": "user", "content": PROMPT_SLOT}])
    before, _, after = text.partition(PROMPT_SLOT)
    start = loaded.tokenizer.bos_token or ""
    starts = bool(start) and before.startswith(start)
    return Asked(
        before=before.removeprefix(start) if starts else before,
        after=after,
        start_token=start if starts else "",
        stop=_stop(errand, loaded),
        max_new_tokens=loaded.evaluator.max_new_tokens,
        context=_context(loaded.folder),
    )


def _stop(errand: ExportErrand, loaded: Loaded) -> list[str]:
    has_own = (loaded.folder / "generation_config.json").is_file()
    generation = GenerationConfig.from_pretrained(loaded.folder) if has_own else None
    tokens = loaded.evaluator.stop_tokens(generation, read_examples(errand.answers)[:1])
    return [str(token) for token in loaded.tokenizer.convert_ids_to_tokens(sorted(tokens))]


def _context(folder: Path) -> int | None:
    found = getattr(AutoConfig.from_pretrained(folder), "max_position_embeddings", None)
    return found if isinstance(found, int) else None
