"""The one place where the steps are wired.

    START -> load_task -> diagnose -> propose -> review* -> file_decision -> (review | dispatch | END)
    review* -> file_wishes -> review          a wish decides nothing: it is put on the list, and the question asked again
    (propose | file_*) -> apply_grant -> file_decision      instead of review, where a person's rule of this session covers
    dispatch -> prepare -> execute -> compare -> decide* -> settle -> (dispatch | load_task | open_locked_test)
    open_locked_test -> confirm* -> finish_adoption -> (dispatch | END)

    chat, on a thread and in a file of its own: START -> hear -> (talk <-> use_tools | answer) -> END

Nodes marked * ask an approver and do nothing else: LangGraph runs a node again from its first line when it is resumed, so
a side effect before the question would happen twice. Approval is an edge out of these nodes; no text can take it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import interrupt

from agent.context import Context, Left, never
from agent.events import Event
from agent.model.client import ChatModel
from agent.state import State
from agent.steps.adopt import confirm, finish_adoption, open_locked_test
from agent.steps.chat import ChatContext, ChatState, answer, hear, talk, use_tools
from agent.steps.compare import compare
from agent.steps.decide import decide, settle
from agent.steps.diagnose import diagnose
from agent.steps.execute import dispatch, execute, prepare
from agent.steps.load_task import load_task
from agent.steps.propose import propose
from agent.steps.review import apply_grant, file_decision, grant_for, review
from agent.steps.wishes import file_wishes
from tools.text import Speaker

Step = Callable[..., State]
"""A step takes the state, and by name the session's context or the way to ask."""
Graph = CompiledStateGraph[State, None, State, State]
ChatGraph = CompiledStateGraph[ChatState, None, ChatState, ChatState]


def build_graph(
    checkpointer: BaseCheckpointSaver[Any],
    *,
    session: str,
    say: Speaker,
    model: ChatModel | None = None,
    leaving: Callable[[], bool] = never,
) -> Graph:
    """Compile the loop for one session; events go out as the "custom" stream.

    Once `leaving` says so, the step that would come next raises Left, and so does one that waits; the checkpoint stands.
    """
    context = Context(session=session, emit=_emit, say=say, model=model, leaving=leaving)
    graph: StateGraph[State, None, State, State] = StateGraph(State)
    steps: list[Step] = [
        load_task,
        diagnose,
        propose,
        apply_grant,
        file_decision,
        file_wishes,
        dispatch,
        prepare,
        execute,
        compare,
        settle,
        open_locked_test,
        finish_adoption,
    ]
    for step in steps:
        graph.add_node(step.__name__, partial(_unless_leaving, step=step, context=context))
    for question in (review, decide, confirm):
        graph.add_node(question.__name__, partial(question, ask=interrupt))
    _wire(graph)
    return graph.compile(checkpointer=checkpointer)


def _unless_leaving(state: State, *, step: Step, context: Context) -> State:
    if context.leaving():
        raise Left
    return step(state, context=context)


def build_chat_graph(checkpointer: BaseCheckpointSaver[Any], context: ChatContext) -> ChatGraph:
    """Compile one turn of the chat; it knows no approver, so a pending question of the loop is out of its reach."""
    graph: StateGraph[ChatState, None, ChatState, ChatState] = StateGraph(ChatState)
    for node in (hear, talk, use_tools, answer):
        graph.add_node(node.__name__, partial(node, context=context))
    graph.add_edge(START, "hear")
    graph.add_conditional_edges("hear", _who_answers, ["talk", "answer"])
    graph.add_conditional_edges("talk", _after_talk, ["use_tools", "answer", END])
    graph.add_conditional_edges("use_tools", _after_tools, ["talk", END])
    graph.add_edge("answer", END)
    return graph.compile(checkpointer=checkpointer)


def _who_answers(state: ChatState) -> str:
    return "talk" if state["by"] == "model" else "answer"


def _after_talk(state: ChatState) -> str:
    if state["by"] == "rules":
        return "answer"
    return "use_tools" if state["calls"] else END


def _after_tools(state: ChatState) -> str:
    return END if state["note"] else "talk"


def _emit(event: Event) -> None:
    get_stream_writer()(event.model_dump(mode="json"))


def _wire(graph: StateGraph[State, None, State, State]) -> None:
    graph.add_edge(START, "load_task")
    graph.add_edge("load_task", "diagnose")
    graph.add_edge("diagnose", "propose")
    graph.add_conditional_edges("propose", _after_propose, ["review", "apply_grant", END])
    graph.add_conditional_edges("review", _after_review, ["file_decision", "file_wishes"])
    graph.add_edge("apply_grant", "file_decision")
    graph.add_conditional_edges("file_decision", _after_decision, ["review", "apply_grant", "dispatch", END])
    graph.add_conditional_edges("file_wishes", _after_decision, ["review", "apply_grant", "dispatch", END])
    graph.add_edge("dispatch", "prepare")
    graph.add_conditional_edges("prepare", _after_prepare, ["execute", "dispatch", "load_task"])
    graph.add_conditional_edges("execute", _after_execute, ["compare", "dispatch", END])
    graph.add_conditional_edges("compare", _after_compare, ["decide", "load_task"])
    graph.add_edge("decide", "settle")
    graph.add_conditional_edges("settle", _after_settle, ["open_locked_test", "dispatch", "load_task"])
    graph.add_edge("open_locked_test", "confirm")
    graph.add_edge("confirm", "finish_adoption")
    graph.add_conditional_edges("finish_adoption", _queue_or(END), ["dispatch", END])


def _after_propose(state: State) -> str:
    return _whom_to_ask(state) if state["proposals"] else END


def _whom_to_ask(state: State) -> str:
    return "review" if grant_for(state) is None else "apply_grant"


def _after_review(state: State) -> str:
    """A Wish holds proposals; only a Decision names the one it decides on."""
    return "file_wishes" if "proposals" in (state["answer"] or {}) else "file_decision"


def _after_decision(state: State) -> str:
    if state["cursor"] < len(state["proposals"]):
        return _whom_to_ask(state)
    return "dispatch" if state.get("queue") else END


def _after_prepare(state: State) -> str:
    if state.get("work"):
        return "execute"
    return "dispatch" if state.get("queue") else "load_task"


def _after_execute(state: State) -> str:
    if state.get("work"):
        return "compare"
    return "dispatch" if state.get("queue") else END


def _after_compare(state: State) -> str:
    return "decide" if state.get("work") else "load_task"


def _after_settle(state: State) -> str:
    if state.get("work"):
        return "open_locked_test"
    return "dispatch" if state.get("queue") else "load_task"


def _queue_or(otherwise: str) -> Callable[[State], str]:
    return lambda state: "dispatch" if state.get("queue") else otherwise
