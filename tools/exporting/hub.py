"""An exported folder on the Hugging Face hub: what would go there, and sending it when a person has said so."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tools.errors import InputError, MissingPart, RunFailed
from tools.text import T, visible

_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[\w.-]{1,96}", re.ASCII)


class UploadPlan(BaseModel):
    """What an upload would send."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    repository: str
    folder: Path
    files: dict[str, int]
    """Path in the repository to its bytes."""
    has_token: bool
    """Whether this machine is logged in to the hub."""


def check_name(repository: str) -> None:
    """Raise InputError for a name that is no repository's; known before anything is exported."""
    if not _NAME.fullmatch(repository):
        raise InputError(
            T("{name} is not the name of a repository.", name=visible(repository, 120)),
            hint=T("Write it as USER/NAME, such as alice/stance-v2."),
        )


def plan_upload(folder: Path, repository: str) -> UploadPlan:
    """What would be sent, without a network; raises InputError for a name that is no repository's."""
    check_name(repository)
    from huggingface_hub import get_token

    found = sorted(path for path in folder.rglob("*") if path.is_file())
    files = {path.relative_to(folder).as_posix(): path.stat().st_size for path in found}
    return UploadPlan(repository=repository, folder=folder, files=files, has_token=bool(get_token()))


def upload(plan: UploadPlan, title: str) -> str:
    """Send the folder to a private repository, made if it is not there; returns its address. Raises MissingPart, RunFailed."""
    from huggingface_hub import HfApi

    if not plan.has_token:
        raise MissingPart(
            T("This machine is not logged in to the hub, so nothing was sent."),
            hint=T("Run: hf auth login, or set HF_TOKEN; then the same command again."),
        )
    api = HfApi()
    try:
        address = api.create_repo(plan.repository, private=True, exist_ok=True)
        api.upload_folder(repo_id=plan.repository, folder_path=plan.folder, commit_message=title)
    except Exception as reason:  # the hub client raises many kinds, of its own and of its HTTP library
        raise RunFailed(
            T(
                "The hub did not take {name}: {reason}",
                name=plan.repository,
                reason=visible(str(reason).strip().split("\n")[0], 300),
            ),
            hint=T(
                "Check the network, the name and the rights of the token; sending again sends only what is missing."
            ),
        ) from reason
    return str(address)
