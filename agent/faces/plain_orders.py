"""What a person ordered in the plain chat, carried out: sessions in the foreground, screens as lists of lines.

Questions are answered where they are asked, by the person at the terminal; without a terminal nothing is ever approved. The
names of the orders are those of agent/conversation/commands.py, and each of them has its method in the table below.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from pydantic import JsonValue

from agent.approval import Answer, Approver, FirstAnswer, Question, ReviewQuestion, Wish
from agent.events import Event, Proposed
from agent.faces.adopting import adopt_version, roll_back_version
from agent.faces.calling import Caller
from agent.faces.console import ask, interactive, is_yes, out, show_error, tell
from agent.faces.creating import ask_and_create
from agent.faces.labelling import LabelWishes, label_task
from agent.faces.layout import wrap
from agent.faces.person import PersonApprover
from agent.faces.plain import PlainFace
from agent.faces.plain_answers import DECIDING, TypedAnswers
from agent.faces.plain_samples import review_samples
from agent.faces.plain_turn import PlainTurn
from agent.faces.plain_using import export_asked, predict_typed
from agent.faces.splitting import offer_split
from agent.faces.training import stop_training
from agent.faces.views.errors import error_lines
from agent.faces.views.history import history_lines, task_history
from agent.faces.views.refs import show_refs
from agent.faces.views.sessions import session_lines
from agent.faces.views.training import training_lines
from agent.model.client import ChatModel
from agent.paths import Workspace
from agent.records import past_sessions
from agent.session import EXIT_CODES, Session
from agent.settings import load_settings
from tools.change import Proposal
from tools.errors import InputError, IterateError
from tools.reviewing.answers import read_answers
from tools.text import Speaker, T, Text, visible
from tools.watch_run import RunWatch, run_dirs, run_to_watch

Args = dict[str, JsonValue]


class PlainOrders:
    """Carries out orders; remembers the task under discussion."""

    def __init__(
        self,
        workspace: Workspace,
        say: Speaker,
        language: str,
        turn: Callable[[str], PlainTurn],
        model: ChatModel | None,
    ) -> None:
        self.task: Path | None = None
        self.answers = TypedAnswers(self._tell)
        self.leaving = False
        self.code = 0
        """Exit code of the last thing that was carried out."""
        self._workspace = workspace
        self._say = say
        self._language = language
        self._turn = turn
        self._model = model
        self._session: Session | None = None
        self._asked: Path | None = None
        """The task of the session that runs; another one may be looked at meanwhile."""
        self._table: dict[str, Callable[[Args], None]] = {
            "improve": lambda args: self.improve(self._named(args)),
            "create": self._create,
            "label": lambda args: self._done(label_task(self._named(args), LabelWishes(), self._say)),
            "split": lambda args: self._done(offer_split(self._named(args), self._say)),
            "approve": self._ask_first,
            "edit": self._ask_first,
            "reject": self._ask_first,
            "later": self._ask_first,
            "quick": self._ask_first,
            "continue": self._ask_first,
            "adopt": self._adopt,
            "rollback": self._roll_back,
            "predict": lambda args: self._done(predict_typed(self._named(args), args, self._say)),
            "export": lambda args: self._done(export_asked(self._named(args), workspace.root, args, self._say)),
            "stop": self._stop,
            "errors": self._errors,
            "versions": self._versions,
            "training": self._training,
            "samples": self._samples,
            "refs": self._refs,
            "sessions": lambda _: self._lines(session_lines(past_sessions(self._tasks()), self._say)),
            "overnight": self._overnight,
            "report": self._report,
            "theme": lambda _: self._tell(T("Colours belong to the full screen; plain lines have none.")),
            "copy": lambda _: self._tell(T("Select the text with your terminal; plain lines have no clipboard.")),
            "quit": self._quit,
        }

    def carry_out(self, turn: PlainTurn) -> None:
        """Everything that a turn asked for, in its order; wishes go to review at once."""
        for order in turn.orders:
            self._table[order.command](order.args)
        if turn.filed:
            self.improve(self._named({"task": turn.filed[0].task}), wishes=turn.filed)

    def improve(self, task: Path, *, wishes: list[Proposal] | None = None) -> None:
        """Run the session of a task here until it ends or waits."""
        if self.answers.question is not None and self._session is not None and wishes and task == self._asked:
            self._session.wish(*wishes)
            self._tell(_COMES_FIRST)
            return
        if self.answers.question is not None:
            self._tell(T("A question is open: answer it first, or leave it with `q`."))
            return
        self.task = self._asked = task
        self.answers.begin()
        face = PlainFace(self._say)
        if not interactive():
            tell(self._say(T("No terminal and no policy: nothing will be approved here, questions wait for a person.")))
        caller = self._caller(task)
        self._session = Session(
            task,
            approver=FirstAnswer(self._approvers(task, face, caller)),
            watch=lambda event: self._watch(event, face, caller),
            say=self._say,
            resume_command=f"improve {task.name}",
            model=self._model,
        )
        try:
            self.code = EXIT_CODES[self._session.run(wishes=wishes or ())]
        finally:
            self._session, self.answers.question = None, None

    def _caller(self, task: Path) -> Caller:
        return Caller(
            load_settings(os.environ).settings,
            self._say,
            task=task.name,
            command=f"iterate chat {task.name}",
            warn=self._tell,
        )

    def _approvers(self, task: Path, face: PlainFace, caller: Caller) -> list[Approver]:
        person = PersonApprover(task, face, self._say, self._talk)
        return [self.answers, caller.before(person)] if interactive() else []

    def _watch(self, event: Event, face: PlainFace, caller: Caller) -> None:
        if isinstance(event, Proposed):
            self.answers.standing.show(event.proposals)
        if event.type in {"decided", "version_begun", "compared", "session_ended"}:
            self.answers.question = None
        face.watch(event)
        caller.hear(event)

    def _talk(self, typed: str, question: Question) -> Answer | str | None:
        """Words typed at a question: answered, carried out, or an answer to it after all; what fails leaves it open."""
        try:
            return self._meant(self._turn(typed), question)
        except IterateError as error:
            show_error(error, self._say)
            return None

    def _meant(self, turn: PlainTurn, question: Question) -> Answer | str | None:
        if turn.filed:
            return self._file(turn.filed, question)
        for order in turn.orders:
            if order.command == "quit":
                return "quit"
            if order.command not in DECIDING:
                self._table[order.command](order.args)
                continue
            meant = self.answers.meant(order, question)
            if meant is not None:
                return meant
        return None

    def _file(self, wishes: list[Proposal], question: Question) -> Answer | None:
        asked = self._asked
        if asked is not None and any(one.task != asked.name for one in wishes):
            name = visible(asked.name)
            self._tell(T("The question here is about {task}: leave it with `q`, then say that again.", task=name))
            return None
        if isinstance(question, ReviewQuestion):
            return Wish(proposals=wishes)
        if self._session is not None:
            self._session.wish(*wishes)
            self._tell(_COMES_FIRST)
        return None

    def _ask_first(self, _: Args) -> None:
        """A decision is taken at its question: show that first."""
        self._tell(T("Decisions are taken where the question is asked. Here it comes."))
        self.improve(self._named({}))

    def _create(self, args: Args) -> None:
        if not interactive():
            self._tell(T("Making a task asks a person; without a terminal give flags: iterate create --help"))
            return
        name = args.get("words")
        given = {"name": name} if isinstance(name, str) else {}
        path = ask_and_create(self._workspace, self._say, self._language, lambda: self._model, given)
        self.task = path or self.task

    def _done(self, code: int) -> None:
        self.code = code

    def _adopt(self, args: Args) -> None:
        self.code = adopt_version(self._named(args), str(args.get("version") or ""), self._say, yes=False)

    def _roll_back(self, args: Args) -> None:
        task, version = self._named(args), args.get("version")
        named = version if isinstance(version, str) else None
        asked = T("Go back to {version}? [y/N] ", version=visible(named, 40)) if named else _BACK
        if self._agrees(asked):
            self.code = roll_back_version(task, named, self._say)

    def _stop(self, args: Args) -> None:
        task = self._named(args)
        name = visible(task.name)
        if self._agrees(T("Stop the training of {task}? Its newest checkpoint is kept. [y/N] ", task=name)):
            self.code = stop_training(task, self._say)

    def _errors(self, args: Args) -> None:
        answers = read_answers(self._named(args))
        pair = [str(one) for one in _list(args.get("pair"))] or None
        label = args.get("label")
        self._lines(error_lines(answers, self._say, pair=pair, label=label if isinstance(label, str) else None))

    def _versions(self, args: Args) -> None:
        self._lines(history_lines(task_history(self._named(args)), self._say))

    def _training(self, args: Args) -> None:
        task = self._named(args)
        run = run_to_watch(run_dirs(task))
        if run is None:
            self._tell(T("No training of {task} is on record.", task=visible(task.name)))
        else:
            self._lines(training_lines(RunWatch(run, task_dir=task).look(), self._say))

    def _samples(self, args: Args) -> None:
        task = self._named(args)
        wish = review_samples(task, self._say)
        if wish is not None:
            self.improve(task, wishes=[wish])

    def _report(self, _: Args) -> None:
        """The newest night, and the decision that the person takes up from it."""
        from agent.faces.report import read_and_choose
        from agent.overnight.reporting.nights import find_night

        one = read_and_choose(find_night(self._workspace.root, None), self._say)
        if one is None:
            return
        task = self._named({"task": one.task})
        if one.what == "adoption" and one.version is not None:
            self._adopt({"task": one.task, "version": one.version})
        elif one.proposal is not None:
            self.improve(task, wishes=[one.proposal] if one.proposal.changes else None)
        else:
            self._tell(T("Look at it with `{command}`.", command=visible(one.command, 200)))

    def _overnight(self, args: Args) -> None:
        from agent.faces.overnight import NightWish, begin_detached, wish_texts

        task, until = self._named(args), str(args.get("until") or "")
        if not until:
            self._tell(T("Say until when: `/overnight 07:00`. It works on {task} alone.", task=visible(task.name)))
            return
        wish = NightWish(until=until)
        for text in wish_texts([task], wish):
            self._tell(text)
        if self._agrees(T("Leave {task} to the program until {until}? [y/N] ", task=visible(task.name), until=until)):
            for text in begin_detached(self._workspace.root, [task], wish, self._language):
                self._tell(text)

    def _refs(self, args: Args) -> None:
        page = args.get("page")
        show_refs(page if isinstance(page, str) else None, self._say, language=self._language)

    def _quit(self, _: Args) -> None:
        self.leaving = True

    def _named(self, args: Args) -> Path:
        """The task of an order, else the one under discussion; raises InputError when none is meant."""
        name = args.get("task")
        # The task under discussion may lie outside the workspace, where its name alone does not find it.
        if isinstance(name, str) and (self.task is None or self.task.name != name):
            self.task = self._workspace.task_path(name)
        if self.task is None:
            names = ", ".join(self._workspace.task_names()) or "-"
            raise InputError(T("Which task do you mean?"), hint=T("Name one of them: {names}.", names=names))
        return self.task

    def _tasks(self) -> list[Path]:
        return [self._workspace.task_path(name) for name in self._workspace.task_names()]

    def _agrees(self, question: Text) -> bool:
        if not interactive():
            self._tell(T("This needs a person at a terminal; nothing was done."))
            return False
        return is_yes(ask(self._say(question)))

    def _tell(self, text: Text) -> None:
        self._lines(wrap(self._say(text)))

    def _lines(self, lines: list[str]) -> None:
        for line in lines:
            out(line)


_COMES_FIRST = T("It comes first in the next list of proposals.")
_BACK = T("Go back to the version before? [y/N] ")


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []
