"""Run the steps one after the other; a step that needs a broken one is not tested."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.contrib.auth.models import AbstractBaseUser

from realtime.doctor.problem import Advice, Problem, Untested
from realtime.doctor.site import Site
from realtime.doctor.socket_client import IdleSocket, Socket


class State(StrEnum):
    """How a step went."""

    OK = "ok"
    ADVICE = "advice"
    FAILED = "failed"
    UNTESTED = "untested"


@dataclass(frozen=True)
class Finding:
    """What a step found, and the fix if something is to be done."""

    step: str
    state: State
    found: str
    fix: str = ""
    seconds: float = 0


@dataclass
class Walk:
    """What the steps pass on: the site, the user whose page is played, their session and their socket."""

    site: Site
    user: AbstractBaseUser | None = None
    channel: str = ""  # a private channel of the user
    session_key: str = ""
    sockets_at: Site | None = None  # of REALTIME_HOST, if it is another one
    socket: Socket | None = None
    idle: IdleSocket | None = None
    waits_for_idle: bool = True
    findings: list[Finding] = field(default_factory=list)

    def close(self) -> None:
        """Close the sockets and end the session."""
        for each in (self.socket, self.idle):
            if each is not None:
                each.close()


@dataclass(frozen=True)
class PathStep:
    """A step on the path of a page and its socket; `needs` names the steps that must have worked."""

    name: str
    run: Callable[[Walk], str]
    needs: Sequence[str] = ()


def run(walk: Walk, steps: Iterable[PathStep]) -> Iterator[Finding]:
    """Run the steps, and yield what each found."""
    broken: set[str] = set()
    for step in steps:
        missing = ", ".join(name for name in step.needs if name in broken)
        finding = Finding(step.name, State.UNTESTED, f"needs {missing}") if missing else _run(walk, step)
        if finding.state in (State.FAILED, State.UNTESTED):
            broken.add(step.name)
        walk.findings.append(finding)
        yield finding


def _run(walk: Walk, step: PathStep) -> Finding:
    started_at = time.monotonic()

    def found(state: State, text: str, fix: str = "") -> Finding:
        return Finding(step.name, state, text, fix, round(time.monotonic() - started_at, 3))

    try:
        return found(State.OK, step.run(walk))
    except Advice as advice:
        return found(State.ADVICE, advice.found, advice.fix)
    except Problem as problem:
        return found(State.FAILED, problem.found, problem.fix)
    except Untested as reason:
        return found(State.UNTESTED, str(reason))
    except Exception as error:
        return found(State.FAILED, f"The step failed: {error!r}.", "This is a fault of the command; report it.")


def first_broken(findings: Iterable[Finding]) -> Finding | None:
    """Return the first step that failed: later ones may fail because of it."""
    return next((each for each in findings if each.state is State.FAILED), None)


def as_dict(finding: Finding) -> dict[str, Any]:
    """Return a finding for JSON."""
    return {**vars(finding), "state": finding.state.value}
