"""The names of batches of written rows."""

from __future__ import annotations

from tools.files import now, write_model
from tools.generating.plan import Plan
from tools.generating.store import batch_folder, free_name


def test_labels_that_make_one_name_get_batches_of_their_own(tmp_path):
    plan = Plan(batch=free_name(tmp_path, "C"), label="C", wanted=1, per_request=1, model="m", created_at=now())
    write_model(batch_folder(tmp_path, plan.batch) / "plan.json", plan)
    assert free_name(tmp_path, "C") == plan.batch
    assert free_name(tmp_path, "C++") == f"{plan.batch}-2"
