"""What can be known to be wrong with a run before a worker is started. Free of torch."""

from __future__ import annotations

from tools.errors import InputError, IterateError
from tools.runs import RunSpec
from tools.text import T
from tools.training.base_models import missing_model, resolve_base_model


def check_spec(spec: RunSpec) -> None:
    """Raise InputError or MissingPart for a run that could not succeed: model, batch sizes, decoding."""
    training = spec.training
    if training.command is not None:
        _check_command(spec)
        return
    micro = training.micro_batch_size
    if micro is not None and training.batch_size % micro:
        raise InputError(
            T(
                "training.micro_batch_size {micro} does not divide training.batch_size {batch}.",
                micro=micro,
                batch=training.batch_size,
            ),
            hint=T("Choose a divisor of the batch size."),
            page="troubleshooting/configuration",
        )
    if spec.train and training.method == "kto" and min(training.batch_size, micro or training.batch_size) < 2:
        raise InputError(
            T("KTO compares answers of one pass with each other, so a pass needs at least 2."),
            hint=T("Set training.batch_size (and micro_batch_size, where it is set) to 2 or more."),
            page="methods/kto",
        )
    if spec.decoding.constrained and not spec.answer.labels and not spec.answer.fields:
        raise InputError(
            T(
                "decoding.constrained keeps to declared labels or the declared keys of an object, and this task has neither."
            ),
            hint=T("Set decoding.constrained to false."),
            page="methods/decoding",
        )
    info = resolve_base_model(training.base_model, spec.task_folder)
    if not info.installed and info.kind != "hub":
        raise missing_model(info)


def _check_command(spec: RunSpec) -> None:
    if spec.task_folder is None or not spec.task_folder.is_dir():
        problem: IterateError = InputError(
            T("training.command runs in the task folder, and {folder} is not one.", folder=spec.task_dir or "-"),
            page="troubleshooting/configuration",
        )
        raise problem
