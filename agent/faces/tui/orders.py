"""Carrying out what the person asked for: each method is one acting command of agent/conversation/commands.py.

A method may answer the question that waits, because only words typed by a person, or a key or click of theirs, make an Order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import JsonValue

from agent.approval import (
    Answer,
    Confirmation,
    ConfirmQuestion,
    DecideQuestion,
    Question,
    ReviewQuestion,
    VersionChoice,
    user_name,
)
from agent.conversation.said import Order
from agent.faces.standing import decision
from agent.faces.tui import beginning, themes, wishes
from agent.faces.tui.messages import TasksRead
from agent.faces.tui.screens.confirm import ConfirmScreen
from agent.faces.tui.screens.resume import ResumeScreen
from agent.faces.tui.start import overviews
from agent.faces.tui.unattended import agreed_night, begun_night
from agent.faces.tui.widgets.blocks import Link, Note, entries_of
from agent.paths import offer_examples
from agent.records import PastSession, find_session, past_sessions
from tools.change import Verb
from tools.errors import InputError
from tools.files import now
from tools.text import T, Text, visible

if TYPE_CHECKING:
    from agent.faces.tui.app import IterateApp

Args = Mapping[str, JsonValue]


class Orders:
    """The acting commands, on the app they act for."""

    def __init__(self, app: IterateApp) -> None:
        self._app = app

    # --- sessions

    async def improve(self, args: Args) -> None:
        """Begin or take up the session of a task."""
        await self._take_up(self._task(args))

    async def sessions(self, args: Args) -> None:
        """Choose an earlier session."""
        app = self._app
        tasks = [app.workspace.task_path(name) for name in app.workspace.task_names()]
        found = await asyncio.to_thread(past_sessions, tasks)
        if not found:
            app.tell(T("There is no session yet: say `improve` and the name of a task."))
            return
        wanted = await app.push_screen_wait(ResumeScreen(found, app.say))
        if wanted is not None:
            await self._go_on_with(wanted)

    async def resume(self, wanted: str) -> None:
        """Go on with the session of this id, which the command line named."""
        app = self._app
        tasks = [app.workspace.task_path(name) for name in app.workspace.task_names()]
        await self._take_up((await asyncio.to_thread(find_session, tasks, wanted)).task)

    async def create(self, args: Args) -> None:
        """Ask what a new task is, and make it."""
        await beginning.create(self._app, args)

    async def label(self, args: Args) -> None:
        """Label rows that wait for it."""
        await beginning.label(self._app, self._task(args))

    async def split(self, args: Args) -> None:
        """Divide the first labelled rows."""
        await beginning.split(self._app, self._task(args))

    async def examples(self) -> None:
        """Offer the bundled tasks to a workspace that has none."""
        app = self._app
        if await self._sure(
            T(
                "There are no tasks here. Copy the bundled example tasks into {folder}?",
                folder=str(app.workspace.tasks_dir),
            )
        ):
            names = await asyncio.to_thread(offer_examples, app.workspace.root)
            app.tell(T("Copied {names}.", names=", ".join(names)))
            app.on_tasks_read(TasksRead(await asyncio.to_thread(overviews, app.workspace)))

    async def quit(self, args: Args) -> None:
        """Leave; nothing is stopped."""
        await self._app.leave()

    async def overnight(self, args: Args) -> None:
        """Begin a night on the task under discussion, once its limits were agreed to."""
        if await agreed_night(self._app, self._task(args), str(args.get("until") or "")):
            await self.leave_session()
            await begun_night(self._app, self._task(args), str(args["until"]))

    async def _go_on_with(self, one: PastSession) -> None:
        if one.open:
            await self._take_up(one.task)
            return
        self._app.choose_task(one.task)
        told = T("That session is over. `improve {task}` begins a new one.", task=visible(one.task.name))
        self._app.tell(told)

    async def _take_up(self, task: Path) -> None:
        app = self._app
        bridge = app.bridge
        if bridge.running and bridge.task == task:
            if bridge.question is not None:
                app.action_to_question()
            else:
                app.tell(T("The session on {task} is already at work.", task=visible(task.name)))
            return
        await self.leave_session()
        app.choose_task(task)
        if not bridge.start(task):
            app.tell(wishes.STILL_LEAVING, "warning")
        app.refresh_hints()

    async def leave_session(self) -> None:
        """Leave the session that runs, if one does: its question and its training stay as they are."""
        app = self._app
        if not app.bridge.running or app.bridge.task is None:
            return
        name = visible(app.bridge.task.name)
        app.quick.leave()
        await asyncio.to_thread(app.bridge.leave)
        app.desk.drop()
        app.tell(T("The session on {task} is left as it is; `improve {task}` goes on with it.", task=name))

    # --- decisions

    async def approve(self, args: Args) -> None:
        """Approve by number."""
        self._decide(args, Verb.approve)

    async def reject(self, args: Args) -> None:
        """Reject by number; the reason reaches the next proposals."""
        self._decide(args, Verb.reject)

    async def later(self, args: Args) -> None:
        """Put proposals off; without a number the question simply waits."""
        if args.get("numbers"):
            self._decide(args, Verb.defer)
        else:
            self._app.desk.postpone()

    async def edit(self, args: Args) -> None:
        """Open the card of the proposal that waits."""
        question = self._app.bridge.question
        numbers = _numbers(args)
        if not isinstance(question, ReviewQuestion) or (numbers and numbers != [question.number]):
            self._app.tell(T("A proposal can be edited on its card, when its turn comes."))
            return
        self._app.action_to_question()
        self._app.tell(T("Press e on the card to edit."))

    async def quick(self, args: Args) -> None:
        """Open the card of the proposal that waits: trying it first is asked for there."""
        if not isinstance(self._app.bridge.question, ReviewQuestion):
            self._app.tell(T("No proposal is waiting for a decision."))
            return
        self._app.action_to_question()
        self._app.tell(T("Press t on the card to try it quickly first."))

    async def adopt(self, args: Args) -> None:
        """Adopt: answer the question that waits, or open the test set of a version on record after asking."""
        version = str(args.get("version") or "")
        match self._question(args):
            case DecideQuestion(version=asked) if version in {"", asked}:
                self._answer(_choice("adopt"))
            case ConfirmQuestion(version=asked) if version in {"", asked}:
                self._answer(Confirmation(adopt=True, by="person", who=user_name(), at=now()))
            case _ if version:
                await self._adopt_on_record(self._task(args), version)
            case _:
                self._app.tell(T("Say which version: `adopt v2`."))

    async def go_on(self, args: Args) -> None:
        """Keep the new version on record and go on from it."""
        if isinstance(self._app.bridge.question, DecideQuestion):
            self._answer(_choice("continue"))
        else:
            self._app.tell(T("No version is waiting for that decision."))

    async def rollback(self, args: Args) -> None:
        """Go back: answer the question that waits, or restore a version on record after asking."""
        version = str(args.get("version") or "")
        question = self._question(args)
        if isinstance(question, DecideQuestion) and version in {"", question.parent}:
            self._answer(_choice("rollback"))
            return
        task = self._task(args)
        asked = (
            T("Go back to {version}?", version=visible(version, 40)) if version else T("Go back to the version before?")
        )
        if await self._sure(asked):
            await self.leave_session()
            from agent.manual import roll_back

            done = await asyncio.to_thread(roll_back, task, version or None)
            self._app.tell(
                T("The configuration of {version} is restored; nothing was lost.", version=done.restored.version)
            )
            self._app.read_status()

    async def stop(self, args: Args) -> None:
        """Stop the training that runs."""
        from agent.manual import stop
        from tools.launch_training import active_runs

        task = self._task(args)
        running = await asyncio.to_thread(active_runs, task)
        if not running:
            self._app.tell(T("No training of {task} is running.", task=visible(task.name)))
            return
        asked = T("Stop the training {run}? Its newest checkpoint is kept.", run=", ".join(run.name for run in running))
        # The training screen asks by itself, with what is kept; only a key press there makes such an order.
        if args.get("confirmed") is True or await self._sure(asked):
            stopped = await asyncio.to_thread(stop, task)
            self._app.tell(T("Stopped: {runs}.", runs=", ".join(stopped)))

    def _decide(self, args: Args, verb: Verb) -> None:
        app = self._app
        question = app.bridge.question
        reason = str(args.get("reason") or "")
        numbers = _numbers(args) or ([question.number] if isinstance(question, ReviewQuestion) else [])
        if not numbers or not app.bridge.running:
            app.tell(T("No proposal is waiting for a decision."))
            return
        proposals, unknown = app.bridge.standing.named(numbers)
        now_asked = question.proposal.id if isinstance(question, ReviewQuestion) else ""
        for proposal in proposals:
            if proposal.id != now_asked:
                app.bridge.standing.note(proposal, verb, reason)
                told = T("Noted for when its turn comes: {title}", title=proposal.title)
                app.tell(told)
        for proposal in proposals:
            if proposal.id == now_asked:
                self._answer(decision(proposal, verb, reason))
        if unknown:
            told = T(
                "There is no proposal {numbers}; the list has {count}.",
                numbers=", ".join(map(str, unknown)),
                count=len(app.bridge.standing.proposals),
            )
            app.tell(told, "warning")

    def _question(self, args: Args) -> Question | None:
        """The question that waits, unless the order names another task: versions of two tasks have the same names."""
        bridge = self._app.bridge
        own = bridge.task is not None and args.get("task") in {None, bridge.task.name}
        return bridge.question if own else None

    def _answer(self, answer: Answer) -> None:
        self._app.desk.give(answer, self._app.bridge.token)

    async def _adopt_on_record(self, task: Path, version: str) -> None:
        from agent.manual import adopt_opened, open_for_adoption
        from tools.comparing.report import valid_and_test
        from tools.versioning.adopt import how_to_use

        app = self._app
        shown = visible(version, 40)
        if not await self._sure(
            T("Adopt {version}? This opens the locked test set, and the opening is recorded.", version=shown)
        ):
            return
        await self.leave_session()
        opened = await asyncio.to_thread(open_for_adoption, task, version)
        found = (
            entries_of(valid_and_test(opened, app.say))
            if opened.scores
            else [Note(app.say(one)) for one in opened.notes]
        )
        app.show(*found)
        if await app.push_screen_wait(ConfirmScreen(T("Adopt {version} now?", version=shown), app.say, about=found)):
            await asyncio.to_thread(adopt_opened, task, version)
            app.tell(T("{version} is now the version in use (models/current.json).", version=shown))
            app.tell(how_to_use(task))
            app.read_status()

    async def _sure(self, question: Text) -> bool:
        answer: bool = await self._app.push_screen_wait(ConfirmScreen(question, self._app.say))
        return answer

    # --- screens

    async def errors(self, args: Args) -> None:
        """The errors: confusions, and the rows behind them."""
        from agent.faces.tui.screens.errors import ErrorsScreen

        pair, label = args.get("pair"), args.get("label")
        chosen = (str(pair[0]), str(pair[1])) if isinstance(pair, list) and len(pair) == 2 else None
        app = self._app
        app.push_screen(ErrorsScreen(self._task(args), app.say, pair=chosen, label=str(label) if label else None))

    async def versions(self, args: Args) -> None:
        """The versions on record."""
        from agent.faces.tui.screens.versions import VersionsScreen

        self._app.push_screen(VersionsScreen(self._task(args), self._app.say))

    async def training(self, args: Args) -> None:
        """The live view of the training."""
        from agent.faces.tui.screens.training import TrainingScreen

        self._app.push_screen(TrainingScreen(self._task(args), self._app.say))

    async def report(self, args: Args) -> None:
        """The morning report of a night, or a decision that it left to a person."""
        from agent.faces.tui.mornings import report

        await report(self._app, args)

    async def samples(self, args: Args) -> None:
        """Rows to review one by one."""
        from agent.faces.tui.screens.samples import SamplesScreen

        self._app.push_screen(SamplesScreen(self._task(args), self._app.say))

    async def refs(self, args: Args) -> None:
        """A reference page, or a search for one."""
        from agent.faces.tui.screens.references import ReferencesScreen
        from agent.library import Library

        app = self._app
        library = await asyncio.to_thread(Library)
        wanted = str(args.get("page") or "").strip()
        page = next((one for one in library.ids if wanted and wanted in {one, one.partition("/")[2]}), None)
        query = wanted if wanted and page is None else None
        app.push_screen(ReferencesScreen(library, app.say, app.language, page=page, query=query))

    async def change(self, args: Args) -> None:
        """A change that a screen worked out."""
        await wishes.propose(self._app, self._task(args), args["change"])

    # --- the program itself

    async def theme(self, args: Args) -> None:
        """Choose the colours."""
        word = str(args.get("words") or "")
        choice = themes.chosen(word)
        if choice is not None:
            self._app.use_theme(choice)
            return
        if word:
            raise InputError(
                T("There are no colours called {word}.", word=repr(visible(word, 40))),
                hint=T("Choose one of {choices}.", choices=", ".join(themes.CHOICES)),
            )
        self._app.tell(T("Colours now: {theme}", theme=self._app.memory.now.theme))
        self._app.show(*(Link(f"/theme {one}", Order(command="theme", args={"words": one})) for one in themes.CHOICES))

    async def copy(self, args: Args) -> None:
        """Copy the last answer."""
        text = self._app.last_answer()
        if not text:
            self._app.tell(T("There is no answer to copy yet."))
            return
        self._app.copy_to_clipboard(text)
        self._app.tell(T("Copied {count} characters.", count=len(text)))

    def _task(self, args: Args) -> Path:
        """The task that was named, or the one under discussion; raises InputError when there are several and none is meant."""
        app = self._app
        if args.get("task"):
            return app.task_named(str(args["task"]))
        names = app.workspace.task_names()
        if app.task_path is None and len(names) == 1:
            return app.workspace.task_path(names[0])
        if app.task_path is None:
            raise InputError(
                T("Which task do you mean?"), hint=T("Name one of them: {names}.", names=", ".join(names) or "-")
            )
        return app.task_path


def _numbers(args: Args) -> list[int]:
    numbers = args.get("numbers")
    return [int(one) for one in numbers if isinstance(one, int)] if isinstance(numbers, list) else []


def _choice(word: str) -> VersionChoice:
    return VersionChoice.model_validate({"choice": word, "by": "person", "who": user_name(), "at": now()})
