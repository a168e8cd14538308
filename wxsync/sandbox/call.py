"""One call on its way through the sandbox, and the description of a kind of call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from wxsync.sandbox.access import Permission
from wxsync.sandbox.directory import Directory
from wxsync.sandbox.fields import INT32_MAX, Shape, wrong_types
from wxsync.sandbox.identity import Identity
from wxsync.sandbox.multipart import Upload
from wxsync.sandbox.refusal import invalid, missing
from wxsync.sandbox.scope import Scope
from wxsync.sandbox.state import SandboxState


@dataclass(slots=True)
class Asked:
    """What a caller, known and admitted, asks for."""

    state: SandboxState
    who: Identity
    query: Mapping[str, str]
    body: Mapping[str, Any]
    uploads: tuple[Upload, ...] = ()
    """The parts of a body in parts."""
    base_url: str = ""
    """The address under which the caller reached the sandbox, without a slash at its end."""
    has_wrong_types: bool = False
    """A field was left out because of its JSON type; the answer carries the warning."""

    @property
    def directory(self) -> Directory:
        return self.state.directory

    @property
    def scope(self) -> Scope:
        """What the caller sees of the corp."""
        return self.state.scope(self.who)

    def given(self, shapes: Mapping[str, Shape]) -> dict[str, Any]:
        """The known fields of the body that are not null; unknown ones are ignored, as by WeCom."""
        wrong = wrong_types(self.body, shapes)
        if wrong and not self.state.warn_on_wrong_types:
            raise invalid(wrong[0])
        self.has_wrong_types = bool(wrong)
        return {
            name: self.body[name] for name in shapes if name not in wrong and self.body.get(name) is not None
        }

    def number(self, name: str) -> int | None:
        """A number from the query; None if it is not there."""
        text = self.query.get(name, "")
        if not text:
            return None
        if not (text.isascii() and text.isdigit()) or int(text) > INT32_MAX:
            raise invalid(name)
        return int(text)

    def required_number(self, name: str) -> int:
        number = self.number(name)
        if number is None:
            raise missing(name)
        return number


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One kind of call."""

    path: str
    method: str
    permission: Permission
    carry_out: Callable[[Asked], Mapping[str, Any]]
    """Gives what the answer holds beside errcode and errmsg, or raises `Refusal` with nothing changed."""
    success: str = "ok"
    at_once: int | None = None
    """So many calls may be under way together, where the call's own page says so."""
    is_write: bool = False
    takes_uploads: bool = False
    """The body is in parts, not a JSON object."""
    empties: tuple[str, ...] = field(default=())
    """Lists that the answer has, empty, also when it is an error."""
