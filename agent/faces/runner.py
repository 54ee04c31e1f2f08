"""`iterate run`: chooses the face and the approvers, runs the session, and returns its exit code."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Literal

from agent.approval import Approver, FirstAnswer
from agent.events import Event
from agent.faces.calling import Caller
from agent.faces.console import interactive, tell
from agent.faces.person import PersonApprover
from agent.faces.plain import PlainFace
from agent.faces.stream import StreamFace
from agent.journal import Journal
from agent.model.client import open_model
from agent.policy import Policy, PolicyApprover
from agent.records import session_records
from agent.session import EXIT_CODES, Session
from agent.settings import load_settings
from agent.written_rules import parse_rules, read_policy
from tools.change import Decision, Proposal, Verb
from tools.errors import Busy, InputError
from tools.text import Speaker, T
from tools.versioning.rule_facts import rule_facts


def run_session(  # noqa: PLR0913 - who answers and how it is shown, all named at the call
    task_path: Path, say: Speaker, *, resume: str, rules: list[str], policy: Path | None, fresh: bool, as_json: bool
) -> int:
    """Run the loop on one task; `resume` is the command that goes on with it. Raises the session's errors."""
    face = PlainFace(say)
    settings = load_settings(os.environ).settings
    caller = Caller(settings, say, task=task_path.name, command=resume, warn=lambda wrong: tell(say(wrong)))
    person = caller.before(PersonApprover(task_path, face, say)) if interactive() and not as_json else None
    approvers = _approvers(rules, policy, person, task_path)
    if not approvers:
        tell(say(T("No terminal and no policy: nothing will be approved here, questions wait for a person.")))
    show = StreamFace().watch if as_json else face.watch

    def watch(event: Event) -> None:
        show(event)
        caller.hear(event)

    session = Session(
        task_path,
        approver=FirstAnswer(approvers),
        watch=watch,
        say=say,
        resume_command=resume,
        model=open_model(settings),
    )
    try:
        return EXIT_CODES[session.run(fresh=fresh)]
    except Busy:
        raise
    except BaseException:  # whatever ended it, what was decided is kept, and the person is told the way back
        tell(say(T("Continue with: {command}", command=resume)))
        raise


def approved_by_rules(task: Path, proposal_id: str) -> int:
    """Trainings that rules have approved in the newest session of a task, besides the question about that proposal.

    Read from the journal at each question and never counted along: a process that takes the session up may first file an answer
    that the one before it gave and did not live to file.
    """
    session = session_records(task)[-1].id
    decisions = [one for one in Journal(task).entries() if one.session == session and one.event == "decision"]
    found = 0
    for entry in decisions:
        decision = Decision.model_validate(entry.data["decision"])
        asked_again = entry is decisions[-1] and decision.proposal_id == proposal_id
        if entry.by in {"rule", "policy"} and decision.decision is Verb.approve and not asked_again:
            found += Proposal.model_validate(entry.data["proposal"]).cost.trainings
    return found


def _approvers(rules: list[str], policy: Path | None, person: Approver | None, task: Path) -> list[Approver]:
    """Rules before the person: what they cover is not asked; without a person they defer the rest."""
    if rules and policy:
        raise InputError(
            T("--approve and --yes-policy were both given, so it is not clear which of them decides."),
            hint=T("Give one of them; a policy file can hold everything that --approve can."),
        )
    approvers: list[Approver] = []
    found: tuple[Policy, Literal["rule", "policy"], str] | None = None
    if rules:
        found = parse_rules(rules), "rule", "--approve " + " ".join(rules)
    if policy:
        found = read_policy(policy), "policy", policy.name
    if found is not None:
        read, by, who = found
        approved = partial(approved_by_rules, task)
        approvers.append(
            PolicyApprover(read, by=by, who=who, defer_rest=person is None, approved=approved, facts=rule_facts(task))
        )
    if person is not None:
        approvers.append(person)
    return approvers
