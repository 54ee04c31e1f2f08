from __future__ import annotations

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTConfig, SFTTrainer
from trl.trainer.utils import add_fused_lm_head

from tools.config import Lora
from tools.training import completion_loss
from tools.training.completion_loss import completion_log_probs, weighted_loss
from tools.training.generation import Question, Wanted, ask
from tools.training.models import add_lora

PAD = 0


def batch_of(rows: list[tuple[list[int], list[int]]]) -> dict[str, torch.Tensor]:
    width = max(len(prompt) + len(answer) for prompt, answer in rows)
    ids = [prompt + answer + [PAD] * (width - len(prompt) - len(answer)) for prompt, answer in rows]
    labels = [[-100] * len(p) + a + [-100] * (width - len(p) - len(a)) for p, a in rows]
    mask = [[1] * (len(p) + len(a)) + [0] * (width - len(p) - len(a)) for p, a in rows]
    return {"input_ids": torch.tensor(ids), "labels": torch.tensor(labels), "attention_mask": torch.tensor(mask)}


ROWS = [([1, 40, 50, 60, 70], [80, 81, 2]), ([1, 44], [90, 2]), ([1, 45, 46], [91, 92, 93, 94, 2])]


@pytest.fixture
def model(tiny_model):
    loaded = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32).eval()
    add_fused_lm_head(loaded)
    return loaded


def full_loss(model, batch) -> torch.Tensor:
    """The loss as transformers computes it, from the logits of every position."""
    return model(**batch).loss


def test_weight_one_is_the_loss_of_the_library(model):
    batch = batch_of(ROWS)
    log_probs, rows = completion_log_probs(model, batch)
    assert weighted_loss(log_probs, rows, torch.ones(3), None).item() == pytest.approx(
        full_loss(model, batch).item(), rel=1e-5
    )


def test_weight_two_doubles_the_loss_and_its_gradient(model):
    batch = batch_of(ROWS)
    gradients = []
    for weight in (1.0, 2.0):
        model.zero_grad()
        log_probs, rows = completion_log_probs(model, batch)
        weighted_loss(log_probs, rows, torch.full((3,), weight), None).backward()
        gradients.append(model.model.layers[0].mlp.up_proj.weight.grad.clone())
    assert torch.allclose(2 * gradients[0], gradients[1], rtol=1e-5)


def test_a_weight_counts_for_its_own_row_only(model):
    batch = batch_of(ROWS)
    log_probs, rows = completion_log_probs(model, batch)
    weighted = weighted_loss(log_probs, rows, torch.tensor([1.0, 3.0, 1.0]), None) * log_probs.numel()
    plain = weighted_loss(log_probs, rows, torch.ones(3), None) * log_probs.numel()
    own = -log_probs[rows == 1].sum()
    assert (weighted - plain).item() == pytest.approx(2 * own.item(), rel=1e-5)


def test_many_answer_tokens_take_the_tiled_head_and_give_the_same(model, monkeypatch):
    batch = batch_of(ROWS)
    at_once, _ = completion_log_probs(model, batch)
    monkeypatch.setattr(completion_loss, "_MOST_LOGITS", 0)
    tiled, _ = completion_log_probs(model, batch)
    assert torch.allclose(at_once, tiled, atol=1e-5)


def test_the_head_sees_answer_positions_only(model):
    seen = []
    model.lm_head.register_forward_hook(lambda module, given, output: seen.append(tuple(output.shape)))
    completion_log_probs(model, batch_of(ROWS))
    assert [shape[:2] for shape in seen] == [(1, 10)]


def test_a_step_has_the_loss_of_stock_sft_trainer(tiny_model, tmp_path):
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    config = SFTConfig(output_dir=str(tmp_path), use_cpu=True, bf16=False, report_to="none")
    from datasets import Dataset

    data = Dataset.from_list([{"input_ids": p + a, "labels": [-100] * len(p) + a} for p, a in ROWS])
    plain = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    trainer = SFTTrainer(model=plain, args=config, train_dataset=data, processing_class=tokenizer)
    batch = batch_of(ROWS)
    stock = trainer.compute_loss(trainer.model, dict(batch)).item()
    log_probs, rows = completion_log_probs(trainer.model, batch)
    assert weighted_loss(log_probs, rows, torch.ones(3), None).item() == pytest.approx(stock, rel=1e-5)


def test_an_adapter_does_not_hide_the_layers_below_the_head(model):
    wrapped = add_lora(model, Lora(r=2))
    log_probs, rows = completion_log_probs(wrapped, batch_of(ROWS))
    assert log_probs.shape == rows.shape == (10,)


def plain_greedy(model, prompt, steps, stop):
    ids = list(prompt)
    for _ in range(steps):
        token = int(model(input_ids=torch.tensor([ids])).logits[0, -1].argmax())
        if token == stop:
            break
        ids.append(token)
    return ids[len(prompt) :]


def test_batched_answers_are_those_of_one_prompt_at_a_time(model):
    prompts = [[1, 40, 50, 60, 70, 71, 72], [1, 44], [1, 45, 46, 47], [1]]
    expected = [[80, 81, 2], [90, 2], [91, 92, 93, 94, 2], [99]]
    labels = [[80, 2], [90, 91, 2]]
    questions = [Question(prompt, answer) for prompt, answer in zip(prompts, expected, strict=True)]
    outcomes = ask(model, questions, Wanted(6, frozenset({2}), labels), PAD)
    for question, outcome in zip(questions, outcomes, strict=True):
        assert outcome.tokens == plain_greedy(model, question.prompt, 6, 2)
        alone = batch_of([(question.prompt, question.expected)])
        log_probs, _ = completion_log_probs(model, alone)
        assert outcome.expected_log_prob == pytest.approx(log_probs.sum().item(), abs=1e-4)
        for label, found in zip(labels, outcome.label_log_probs, strict=True):
            log_probs, _ = completion_log_probs(model, batch_of([(question.prompt, label)]))
            assert found == pytest.approx(log_probs.sum().item(), abs=1e-4)


def test_the_validation_loss_is_the_same_whether_or_not_labels_are_scored_beside_it(model):
    questions = [Question([1, 40, 50], [80, 2]), Question([1, 44], [90, 91, 2]), Question([1, 45, 46], [80, 2])]
    stop = frozenset({2})
    alone = ask(model, questions, Wanted(4, stop), PAD)
    beside = ask(model, questions, Wanted(4, stop, labels=[[80, 2], [81, 2]]), PAD)
    assert [row.expected_log_prob for row in alone] == pytest.approx(
        [row.expected_log_prob for row in beside], rel=1e-4
    )
