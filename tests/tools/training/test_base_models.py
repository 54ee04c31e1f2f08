from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tools.errors import InputError, MissingPart
from tools.training import base_models
from tools.training.base_models import EMBEDDED, check_parts, licence_notice, part_files, resolve_base_model
from tools.training.estimate import Workload, answer_guess, estimate, tokens_guess
from tools.training.prepare_model import prepare_base_model
from tools.training.speeds import Speed, add_speed, speed_of

ROOT = Path(__file__).parents[3]


def test_asking_about_models_loads_no_torch():
    code = (
        "import sys; import tools.training.base_models, tools.training.estimate, tools.training.check, "
        "tools.training.worker; tools.training.base_models.resolve_base_model('embedded:gemma3-270m'); "
        "print([m for m in ('torch', 'transformers', 'trl', 'datasets', 'peft', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_embedded_model_names_its_licence_before_use():
    for name, model in EMBEDDED.items():
        notice = str(licence_notice(resolve_base_model(f"embedded:{name}")))
        assert model.licence.name in notice
        assert model.licence.url in notice


def test_a_model_of_unknown_terms_says_so(tiny_model):
    assert "not known" in str(licence_notice(resolve_base_model(str(tiny_model))))


def test_a_mistyped_embedded_model_is_answered_with_the_names_there_are():
    with pytest.raises(InputError, match="embedded:gemma3-270m"):
        resolve_base_model("embedded:gemma")


@pytest.mark.parametrize("name", ["", "just-a-word", "a/b/c", "../x"])
def test_a_name_that_means_nothing_is_refused(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if name:
        with pytest.raises(InputError):
            resolve_base_model(name)


def test_a_relative_folder_starts_from_the_task(tmp_path, tiny_model):
    (tmp_path / "base").symlink_to(tiny_model)
    info = resolve_base_model("base", tmp_path)
    assert (info.kind, info.installed) == ("folder", True)


def test_a_hub_id_is_known_without_asking_the_network():
    info = resolve_base_model("some-org/some-model-0.6B")
    assert (info.kind, info.installed) == ("hub", False)


def test_a_hub_model_that_cannot_be_fetched_is_a_missing_part():
    with pytest.raises(MissingPart, match="some-org/some-model"):
        prepare_base_model("some-org/some-model", lambda text: None)


def test_a_package_that_is_not_installed_is_a_missing_part_with_its_command(monkeypatch):
    model = EMBEDDED["smollm2-135m"].model_copy(update={"parts": [("no-such-distribution", "x.gguf")]})
    monkeypatch.setitem(base_models.EMBEDDED, "smollm2-135m", model)
    assert not resolve_base_model("embedded:smollm2-135m").installed
    with pytest.raises(MissingPart) as caught:
        prepare_base_model("embedded:smollm2-135m", lambda text: None)
    assert "iterate models add smollm2-135m" in str(caught.value.hint)


def test_a_damaged_file_is_never_loaded(tmp_path):
    damaged = tmp_path / "model.gguf"
    damaged.write_bytes(b"GGUF but not that one")
    with pytest.raises(MissingPart, match="SHA-256"):
        check_parts([damaged], EMBEDDED["smollm2-135m"])


@pytest.mark.parametrize("name", list(EMBEDDED))
def test_an_installed_package_holds_the_pinned_file(name):
    parts = part_files(EMBEDDED[name])
    if parts is None:
        pytest.skip("the package is not installed")
    check_parts(parts, EMBEDDED[name])


def test_an_estimate_without_a_run_on_this_machine_says_that_it_is_a_guess():
    found = estimate(Workload(base_model="embedded:gemma3-270m", rows=340, epochs=4, valid_rows=240, test_rows=300))
    assert "guess" in str(found.basis)
    assert 1 < found.minutes < 10
    assert 2 < found.memory_gb < 4


def test_long_answers_are_priced_by_the_tokens_that_are_written():
    """Rows of one length: a label is written in a step or two, an object token by token, each of which reads all weights."""
    label = Workload(base_model="embedded:gemma3-270m", rows=0, epochs=0, valid_rows=200, tokens_per_row=200)
    whole = label.model_copy(update={"tokens_per_answer": answer_guess(["主旨" * 40])})
    assert estimate(whole).minutes > 2 * estimate(label).minutes


def test_the_next_estimate_uses_what_was_measured():
    work = Workload(base_model="embedded:gemma3-270m", rows=1000, epochs=10)
    before = estimate(work)
    add_speed("embedded:gemma3-270m", Speed(train=10, answer=100))
    after = estimate(work)
    assert after.minutes > 10 * before.minutes
    assert "measured" in str(after.basis)


def test_one_slow_afternoon_does_not_decide():
    for train in (100, 100, 5, 100, 100):
        add_speed("m", Speed(train=train, answer=1))
    assert speed_of("m").train == 100


def test_more_seeds_take_as_many_times_as_long():
    one = estimate(Workload(base_model="embedded:gemma3-270m", rows=340, epochs=4))
    three = estimate(Workload(base_model="embedded:gemma3-270m", rows=340, epochs=4, seeds=3))
    assert three.minutes == pytest.approx(3 * one.minutes, abs=0.2)


def test_a_broken_speeds_file_is_no_obstacle(own_cache):
    own_cache.mkdir(parents=True)
    (own_cache / "speeds.json").write_text("{")
    assert speed_of("embedded:gemma3-270m") is None
    add_speed("embedded:gemma3-270m", Speed(train=1, answer=1))
    assert speed_of("embedded:gemma3-270m").train == 1


def test_a_model_of_unknown_size_is_not_estimated():
    with pytest.raises(InputError, match="size"):
        estimate(Workload(base_model="some-org/some-model", rows=10, epochs=1))


def test_chinese_and_english_texts_are_guessed_apart():
    assert tokens_guess(["字" * 100]) > tokens_guess(["a" * 100])
    assert tokens_guess([]) == 0
