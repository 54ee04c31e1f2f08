"""Sealed test predictions hold everything, and show nothing to whoever looks at the file."""

from __future__ import annotations

import base64
import zlib

from tools.files import sha256_file
from tools.results import Prediction
from tools.versioning.sealing import SEAL_LINE, seal

ROWS = [
    Prediction(
        id=f"t{n}", seed=1, input={"text": "央行維持利率不變"}, expected="中立", raw="正面", correct=False, score=0
    )
    for n in range(50)
]


def test_a_sealed_file_holds_every_prediction_behind_its_first_line(tmp_path):
    seal(ROWS, tmp_path / "t.sealed")
    first, packed = (tmp_path / "t.sealed").read_text(encoding="ascii").splitlines()
    assert first == SEAL_LINE
    lines = zlib.decompress(base64.b85decode(packed)).decode("utf-8").splitlines()
    assert [Prediction.model_validate_json(line) for line in lines] == ROWS


def test_the_hash_is_that_of_the_file_and_equal_predictions_give_equal_files(tmp_path):
    first, second = seal(ROWS, tmp_path / "a"), seal(iter(ROWS), tmp_path / "deep" / "b")
    assert first == second == sha256_file(tmp_path / "a") == sha256_file(tmp_path / "deep" / "b")
    assert seal(ROWS[:-1], tmp_path / "c") != first


def test_searching_the_task_folder_for_a_word_does_not_find_it_in_a_sealed_file(tmp_path):
    seal(ROWS, tmp_path / "t.sealed")
    content = (tmp_path / "t.sealed").read_bytes()
    assert "央行".encode() not in content
    assert b"expected" not in content


def test_no_predictions_can_be_sealed_too(tmp_path):
    seal([], tmp_path / "t.sealed")
    assert (tmp_path / "t.sealed").read_text(encoding="ascii").startswith(SEAL_LINE)
