"""A situation: a corp, a call, and what WeCom's pages say of it; the modules beside this one hold many."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from tests.sandbox.conftest import Caller
from wxsync.sandbox.state import SandboxState
from wxsync.sandbox.switches import App

CONTACT, APP, OTHER_APP, NARROW_APP, NOBODY, STRANGER = "contact", "app", "other", "narrow", "nobody", "?"
"""Who calls: contact sync; an app that sees all; another such; one that sees department 3 only; a call
without a token; a token that WeCom never gave."""

APPS = (
    App(),
    App(agent_id=1000003, secret="sandbox-other-secret", name="另一应用"),
    App(agent_id=1000004, secret="sandbox-narrow-secret", name="小应用", scope=(3,)),
)
MULTIPART = "multipart/form-data; boundary=xYzZY"


class Stage:
    """A sandbox on which every situation finds the same corp.

    Departments 2 研发 with 4 平台 below it, 3 市场, 5 空; lin (in 2, activated, bound to WeChat), wang (in 3)
    and chen (in 2 and 3), who lead nobody; tag 1 of the console with lin, tag 2 of the app, empty.
    """

    def __init__(self, wecom: Caller) -> None:
        self.wecom = wecom
        self.state: SandboxState = wecom.state
        self.state.apps = APPS
        self.tokens = self._fetch_tokens()
        self.notes: dict[str, Any] = {}
        """What a setup leaves for the call: ids that WeCom made up."""
        self._settle()

    def _settle(self) -> None:
        state = self.state
        for id, name, parent in ((2, "研发", 1), (3, "市场", 1), (4, "平台", 2), (5, "空", 1)):
            state.add_department(name, parent, id=id)
        state.add_member("lin", "林梅", department=(2,), mobile="13800000001", email="lin@example.com")
        state.add_member("wang", "王博", department=(3,), mobile="13800000002", email="wang@example.com")
        state.add_member("chen", "陈晨", department=(2, 3), email="chen@example.com")
        self.notes["openid"] = state.bind_wechat("lin")
        state.add_tag("骨干", ["lin"], id=1)
        self.did(APP, "POST", "tag/create", body={"tagname": "项目", "tagid": 2})

    def _fetch_tokens(self) -> dict[str, str]:
        secrets = (self.state.contact_secret, *(app.secret for app in APPS))
        names = (CONTACT, APP, OTHER_APP, NARROW_APP)
        tokens = {name: self.wecom.fetch_token(secret) for name, secret in zip(names, secrets, strict=True)}
        return {**tokens, STRANGER: "never-given"}

    def forward(self, seconds: float) -> None:
        """So much time passes; whoever calls after that has a token that is good."""
        self.state.forward(seconds)
        self.tokens = self._fetch_tokens()

    def call(self, who: str, method: str, path: str, **options: Any) -> httpx.Response:
        query = {name: str(value) for name, value in options.pop("query", {}).items()}
        if who in self.tokens:
            query.setdefault("access_token", self.tokens[who])
        if "body" in options:
            options["json"] = options.pop("body")
        return self.wecom.send(method, path, params=query, **options)

    def did(self, who: str, method: str, path: str, **options: Any) -> dict[str, Any]:
        """A call of the setup, which must succeed."""
        answer = dict(self.call(who, method, path, **options).json())
        assert answer["errcode"] == 0, (path, answer)
        return answer

    def app(self, **changes: Any) -> None:
        """Turn a switch of the first app."""
        self.state.apps = (replace(self.state.apps[0], **changes), *self.state.apps[1:])


Setup = Callable[[Stage], None]
Body = Mapping[str, Any] | Callable[[Stage], Mapping[str, Any]]


def as_ever(stage: Stage) -> None:
    """The corp as every situation finds it."""


def noted(name: str) -> Callable[[Stage], Mapping[str, Any]]:
    """A body or query of one entry that the setup left: `noted("jobid")`."""
    return lambda stage: {name: stage.notes[name]}


def switch(**switches: Any) -> Setup:
    """A setup that turns switches of the state."""

    def turn(stage: Stage) -> None:
        for name, value in switches.items():
            setattr(stage.state, name, value)

    return turn


def app_switch(**switches: Any) -> Setup:
    """A setup that turns switches of the first app."""
    return lambda stage: stage.app(**switches)


def after(*setups: Setup) -> Setup:
    """One setup after the other."""

    def all_of_them(stage: Stage) -> None:
        for setup in setups:
            setup(stage)

    return all_of_them


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What is asked in which state, and the errcode that it gives."""

    id: str
    call: str
    """Method and path: `GET user/get`."""
    errcode: int = 0
    by: str = CONTACT
    given: Setup = as_ever
    query: Body = field(default_factory=dict)
    body: Body | None = None
    content: bytes | None = None
    """The body as it goes over the wire, in the place of `body`."""
    headers: Mapping[str, str] = field(default_factory=dict)
    answer: Mapping[str, Any] = field(default_factory=dict)
    """What the answer holds, as far as it matters here."""
    lacks: Sequence[str] = ()
    """What the answer does not hold at all."""

    def ask(self, stage: Stage) -> httpx.Response:
        method, path = self.call.split()
        options: dict[str, Any] = {
            "query": self.query(stage) if callable(self.query) else self.query,
            "headers": dict(self.headers),
        }
        if self.content is not None:
            options["content"] = self.content
        elif self.body is not None:
            options["body"] = self.body(stage) if callable(self.body) else self.body
        return stage.call(self.by, method, path, **options)


def part(content: bytes, filename: str = "a.csv", name: str = "media") -> bytes:
    """A body in parts that holds one file (WeCom page 90253)."""
    head = f'--xYzZY\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
    return head.encode() + b"Content-Type: application/octet-stream\r\n\r\n" + content + b"\r\n--xYzZY--\r\n"
