"""Does the pointer to the version in use move once, after the opening, and back again without losing anything?"""

from __future__ import annotations

import json
import sys

import pytest

from tools.errors import NotFound, Refused
from tools.versioning.adopt import POINTER, adopt, current, how_to_use, rollback
from tools.versioning.ledger import open_test
from tools.versions import begin_version

OLD, NEW = "training:\n  epochs: 3\n", "training:\n  epochs: 5\n"


@pytest.fixture
def task(claim_task):
    """v1 and v2 with records and weights of two seeds; nothing is sealed."""
    task = claim_task(30)
    for version, parent, text in (("v1", None, OLD), ("v2", "v1", NEW)):
        begin_version(task.path, version, parent=parent, config_text=text)
        (task.path / "models" / version / "adapter").mkdir(parents=True)
    task.config.write_text(NEW, encoding="utf-8")
    return task


def deploying(task, script: str) -> None:
    (task.path / "deploy.py").write_text(script, encoding="utf-8")
    line = f'deploy: {{command: "{sys.executable} deploy.py"}}\n'
    task.write("task_definition.yaml", task.read("task_definition.yaml") + line)


def use(task, version, decision="d1"):
    return adopt(task.path, version, by="mei", decision_id=decision)


def test_adopting_says_which_weights_when_and_by_whom(task):
    assert current(task.path) is None
    use(task, "v1")
    record = use(task, "v2", "d2")
    assert (record.version, record.previous, record.by) == ("v2", "v1", "mei")
    assert record.adapters == ["models/v2/adapter"]
    assert json.loads(task.read(POINTER))["version"] == "v2"
    assert current(task.path) == record


def test_the_command_to_use_a_version_gives_every_field_that_a_row_needs(task):
    assert "iterate predict mood --text TEXT," in str(how_to_use(task.path))
    two = task.read("task_definition.yaml").replace("{text}", "{target} {text}")
    task.write("task_definition.yaml", two)
    assert "iterate predict mood --field target=TEXT --field text=TEXT," in str(how_to_use(task.path))


def test_adopting_twice_for_one_decision_is_adopting_once(task):
    use(task, "v1")
    first = use(task, "v2", "d2")
    assert use(task, "v2", "d2") == first


def test_adopting_the_same_version_for_another_decision_keeps_the_way_back(task):
    use(task, "v1")
    use(task, "v2", "d2")
    assert use(task, "v2", "d3").previous == "v1"


def test_a_version_with_sealed_results_is_not_adopted_before_they_are_opened(task):
    task.sealed("v2", {1: range(3)})
    with pytest.raises(Refused):
        use(task, "v2")
    assert current(task.path) is None
    open_test(task.path, ["v1", "v2"], why="adoption", by="mei", decision_id="d1")
    assert use(task, "v2").version == "v2"


def test_an_opening_of_another_version_does_not_count(task):
    task.sealed("v1", {1: range(3)})
    task.sealed("v2", {1: range(3)})
    open_test(task.path, ["v1"], why="adoption", by="mei", decision_id="d0")
    with pytest.raises(Refused):
        use(task, "v2")


def test_an_unknown_version_is_not_adopted(task):
    with pytest.raises(NotFound):
        use(task, "v7")


def test_the_deploy_command_runs_in_the_task_folder_and_knows_the_version(task):
    deploying(
        task,
        "import os, pathlib; pathlib.Path('out.txt').write_text(os.environ['ITERATE_VERSION'])\nprint('done 完成')",
    )
    record = use(task, "v2")
    assert record.deployed is True
    assert task.read("out.txt") == "v2"
    assert "done" in task.read("models/deploy.log")


def test_a_deploy_command_that_fails_is_reported_and_the_pointer_stays(task):
    deploying(task, "import sys; print('no server'); sys.exit(3)")
    record = use(task, "v2")
    assert (record.deployed, record.deploy_exit) == (False, 3)
    assert current(task.path) == record
    assert "no server" in task.read("models/deploy.log")


def test_a_crash_before_the_deployment_is_made_good_by_the_repeat_and_a_success_is_not_repeated(task):
    use(task, "v2")
    deploying(task, "open('count.txt', 'a').write('x')")
    assert use(task, "v2").deployed is True
    use(task, "v2")
    assert task.read("count.txt") == "x"


def test_rolling_back_restores_pointer_and_configuration(task):
    use(task, "v1")
    use(task, "v2", "d2")
    done = rollback(task.path, by="mei", decision_id="d3")
    assert done.record.version == "v1"
    assert task.config.read_text(encoding="utf-8") == OLD
    assert done.restored.version == "v1"


def test_rolling_back_twice_for_one_decision_does_not_swing_forth_again(task):
    use(task, "v1")
    use(task, "v2", "d2")
    first = rollback(task.path, by="mei", decision_id="d3")
    assert rollback(task.path, by="mei", decision_id="d3").record == first.record


def test_rolling_back_to_a_named_version_keeps_hand_edits(task):
    task.config.write_text("training:\n  epochs: 9  # my idea\n", encoding="utf-8")
    done = rollback(task.path, "v1", by="mei", decision_id="d1")
    assert done.record is None
    assert "my idea" in task.read(done.restored.saved)


def test_without_an_earlier_version_there_is_nothing_to_go_back_to(task):
    with pytest.raises(NotFound):
        rollback(task.path, by="mei", decision_id="d1")
    use(task, "v1")
    with pytest.raises(NotFound):
        rollback(task.path, by="mei", decision_id="d2")


def test_a_pointer_of_somebody_else_is_not_taken_for_ours(task):
    task.write(POINTER, '{"live": "v0"}')
    assert current(task.path) is None
