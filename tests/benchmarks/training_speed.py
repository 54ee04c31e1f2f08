"""Training speed and peak memory against stock SFTTrainer, on the same rows in the same run.

    python tests/benchmarks/training_speed.py [ROWS.jsonl] [--base-model NAME] [--steps N] [--batch-size N]

Each arm is a process of its own and trains one epoch over the same rows with the same adapter and batch size. The stock arm
is SFTTrainer as it comes, with use_cpu=True, which it needs to start at all on a machine without a GPU. Tokens are those of
prompt and completion without padding; the first step of each arm is left out, since it warms caches. Not part of the tests.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
DEFAULT_ROWS = ROOT / "tasks" / "stance" / "data" / "train.jsonl"
ARMS = ("stock", "iterate")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="?", type=Path, default=DEFAULT_ROWS, help="JSON lines with text, target, label")
    parser.add_argument("--base-model", default="embedded:gemma3-270m")
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--arm", choices=ARMS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.arm:
        measured = train_stock(given) if given.arm == "stock" else train_ours(given)
        measured["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        print(json.dumps(measured))
        return
    report({arm: run_arm(arm, given) for arm in ARMS})


def run_arm(arm: str, given: argparse.Namespace) -> dict[str, float]:
    command = [sys.executable, __file__, str(given.rows), "--arm", arm, "--base-model", given.base_model]
    command += ["--steps", str(given.steps), "--batch-size", str(given.batch_size)]
    quiet = {"HF_HUB_OFFLINE": "1", "TRL_EXPERIMENTAL_SILENCE": "1", "TOKENIZERS_PARALLELISM": "false"}
    ours = {"OMP_WAIT_POLICY": "PASSIVE"} if arm == "iterate" else {}
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **quiet, **ours}, check=False)
    if done.returncode != 0:
        sys.exit(f"the {arm} arm failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def report(arms: dict[str, dict[str, float]]) -> None:
    stock, ours = arms["stock"], arms["iterate"]
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"{'':24}{'stock':>12}{'iterate':>12}{'ratio':>9}")
    for key, name in [
        ("tokens_per_second", "tokens per second"),
        ("peak_mb", "peak memory, MB"),
        ("loss", "mean loss"),
    ]:
        print(f"{name:24}{stock[key]:12.2f}{ours[key]:12.2f}{ours[key] / stock[key]:9.2f}")


def prepared(given: argparse.Namespace):
    """Base model folder and encoded rows: as many as the steps take."""
    from tools.runs import Example
    from tools.training.models import load_tokenizer
    from tools.training.prepare_model import prepare_base_model
    from tools.training.rows import encode

    folder = prepare_base_model(given.base_model, lambda text: None)
    tokenizer = load_tokenizer(folder)
    rows = [json.loads(line) for line in given.rows.read_text("utf-8").splitlines()][: given.steps * given.batch_size]
    rows_encoded = []
    for row in rows:
        question = "\n".join(f"{name}：{value}" for name, value in row.items() if name not in {"id", "label"})
        messages = [{"role": "user", "content": question}]
        example = Example(
            id=row["id"], messages=messages, completion=row["label"], expected=row["label"], input={"text": question}
        )
        rows_encoded.append(encode(tokenizer, example, 1024))
    return folder, tokenizer, rows_encoded


def lora():
    from tools.config import Lora

    return Lora()


def clock():
    """A callback that times steps, the first left out."""
    from transformers import TrainerCallback

    class Clock(TrainerCallback):
        def __init__(self) -> None:
            self.seconds: list[float] = []
            self._start = 0.0

        def on_step_begin(self, *_: object, **__: object) -> None:
            self._start = time.perf_counter()

        def on_step_end(self, *_: object, **__: object) -> None:
            self.seconds.append(time.perf_counter() - self._start)

    return Clock()


def measured_speed(watch, rows, losses) -> dict[str, float]:
    steps = len(watch.seconds)
    tokens = sum(len(row.ids) for row in rows)
    per_step = sum(watch.seconds[1:]) / (steps - 1)
    return {"tokens_per_second": tokens / steps / per_step, "loss": sum(losses) / len(losses)}


def train_stock(given: argparse.Namespace) -> dict[str, float]:
    from datasets import Dataset
    from peft import LoraConfig
    from trl import SFTConfig, SFTTrainer

    folder, tokenizer, rows = prepared(given)
    data = Dataset.from_list(
        [{"input_ids": row.ids, "completion_mask": [0] * len(row.prompt) + [1] * len(row.completion)} for row in rows]
    )
    adapter = lora()
    watch = clock()
    with tempfile.TemporaryDirectory() as output:
        config = SFTConfig(
            output_dir=output,
            use_cpu=True,
            completion_only_loss=True,
            per_device_train_batch_size=given.batch_size,
            num_train_epochs=1,
            learning_rate=2e-4,
            logging_steps=1,
            save_strategy="no",
        )
        trainer = SFTTrainer(
            model=str(folder),
            args=config,
            train_dataset=data,
            processing_class=tokenizer,
            peft_config=LoraConfig(
                r=adapter.r, lora_alpha=adapter.alpha, target_modules=adapter.target_modules, task_type="CAUSAL_LM"
            ),
            callbacks=[watch],
        )
        trainer.train()
    return measured_speed(watch, rows, [entry["loss"] for entry in trainer.state.log_history if "loss" in entry])


def train_ours(given: argparse.Namespace) -> dict[str, float]:
    from tools.config import Training
    from tools.training.memory import keep_memory_low
    from tools.training.models import add_lora, load_model
    from tools.training.plan import Plan
    from tools.training.precision import choose_precision
    from tools.training.sft import CompletionTrainer, sft_config

    keep_memory_low()
    folder, tokenizer, rows = prepared(given)
    precision = choose_precision("auto").name
    training = Training(epochs=1, batch_size=given.batch_size, warmup=0)
    plan = Plan.make(training, [len(row.ids) for row in rows])
    watch = clock()
    with tempfile.TemporaryDirectory() as output:
        config = sft_config(training, plan, Path(output), 42, precision)
        model = add_lora(load_model(folder, precision, all_weights=False), lora())
        trainer = CompletionTrainer(model, tokenizer, rows, config, callbacks=[watch])
        trainer.train()
    return measured_speed(watch, rows, [entry["loss"] for entry in trainer.state.log_history if "loss" in entry])


if __name__ == "__main__":
    main()
