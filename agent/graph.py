"""The one place where the steps are wired.

    START -> load_task -> diagnose -> propose -> review* -> file_decision -> (review | dispatch | END)
    dispatch -> prepare -> execute -> compare -> decide* -> settle -> (dispatch | load_task | open_locked_test)
    open_locked_test -> confirm* -> finish_adoption -> (dispatch | END)

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

from agent.context import Context
from agent.events import Event
from agent.state import State
from agent.steps.adopt import confirm, finish_adoption, open_locked_test
from agent.steps.compare import compare
from agent.steps.decide import decide, settle
from agent.steps.diagnose import diagnose
from agent.steps.execute import dispatch, execute, prepare
from agent.steps.load_task import load_task
from agent.steps.propose import propose
from agent.steps.review import file_decision, review
from tools.text import Speaker

Step = Callable[..., State]
"""A step takes the state, and by name the session's context or the way to ask."""
Graph = CompiledStateGraph[State, None, State, State]


def build_graph(checkpointer: BaseCheckpointSaver[Any], *, session: str, say: Speaker) -> Graph:
    """Compile the loop for one session; events go out as the "custom" stream."""
    context = Context(session=session, emit=_emit, say=say)
    graph: StateGraph[State, None, State, State] = StateGraph(State)
    steps: list[Step] = [
        load_task,
        diagnose,
        propose,
        file_decision,
        dispatch,
        prepare,
        execute,
        compare,
        settle,
        open_locked_test,
        finish_adoption,
    ]
    for step in steps:
        graph.add_node(step.__name__, partial(step, context=context))
    for question in (review, decide, confirm):
        graph.add_node(question.__name__, partial(question, ask=interrupt))
    _wire(graph)
    return graph.compile(checkpointer=checkpointer)


def _emit(event: Event) -> None:
    get_stream_writer()(event.model_dump(mode="json"))


def _wire(graph: StateGraph[State, None, State, State]) -> None:
    graph.add_edge(START, "load_task")
    graph.add_edge("load_task", "diagnose")
    graph.add_edge("diagnose", "propose")
    graph.add_conditional_edges("propose", _after_propose, ["review", END])
    graph.add_edge("review", "file_decision")
    graph.add_conditional_edges("file_decision", _after_decision, ["review", "dispatch", END])
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
    return "review" if state["proposals"] else END


def _after_decision(state: State) -> str:
    if state["cursor"] < len(state["proposals"]):
        return "review"
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
