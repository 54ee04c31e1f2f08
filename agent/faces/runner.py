"""`iterate run`: chooses the face and the approvers, runs the session, and returns its exit code."""

from __future__ import annotations

import os
from pathlib import Path

from agent.approval import Approver, FirstAnswer
from agent.faces.console import interactive, tell
from agent.faces.person import PersonApprover
from agent.faces.plain import PlainFace
from agent.faces.stream import StreamFace
from agent.model.client import open_model
from agent.policy import PolicyApprover, parse_rules, read_policy
from agent.session import EXIT_CODES, Session
from agent.settings import load_settings
from tools.errors import Busy, InputError
from tools.text import Speaker, T


def run_session(
    task_path: Path, say: Speaker, *, rules: list[str], policy: Path | None, fresh: bool, as_json: bool
) -> int:
    """Run the loop on one task; raises the session's errors."""
    face = PlainFace(say)
    person = PersonApprover(task_path, face, say) if interactive() and not as_json else None
    approvers = _approvers(rules, policy, person)
    if not approvers:
        tell(say(T("No terminal and no policy: nothing will be approved here, questions wait for a person.")))
    watch = StreamFace().watch if as_json else face.watch
    resume = "iterate run " + task_path.name
    session = Session(
        task_path,
        approver=FirstAnswer(approvers),
        watch=watch,
        say=say,
        resume_command=resume,
        model=open_model(load_settings(os.environ).settings),
    )
    try:
        return EXIT_CODES[session.run(fresh=fresh)]
    except Busy:
        raise
    except BaseException:  # whatever ended it, what was decided is kept, and the person is told the way back
        tell(say(T("Continue with: {command}", command=resume)))
        raise


def _approvers(rules: list[str], policy: Path | None, person: PersonApprover | None) -> list[Approver]:
    """Rules before the person: what they cover is not asked; without a person they defer the rest."""
    if rules and policy:
        raise InputError(
            T("--approve and --yes-policy were both given, so it is not clear which of them decides."),
            hint=T("Give one of them; a policy file can hold everything that --approve can."),
        )
    approvers: list[Approver] = []
    if rules:
        who = "--approve " + " ".join(rules)
        approvers.append(PolicyApprover(parse_rules(rules), by="rule", who=who, defer_rest=person is None))
    if policy:
        approvers.append(PolicyApprover(read_policy(policy), by="policy", who=policy.name, defer_rest=person is None))
    if person is not None:
        approvers.append(person)
    return approvers
