"""Who calls, by which token, and what is kept of a call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls: "contact" (the contact-sync secret) or "app:1000002"."""

    name: str
    is_contact: bool
    sees_sensitive: bool
    agent_id: int | None = None
    """None for the contact-sync secret."""


@dataclass(slots=True)
class Token:
    """An access token and when it ends, by the state's clock."""

    text: str
    identity: Identity
    expires_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call as it was answered. Holds no token and no secret."""

    method: str
    path: str
    """Without `/cgi-bin/`: `user/create`."""
    is_write: bool
    """The call is of the kind that changes the corp, whether or not this one did."""
    errcode: int | None
    """What the caller was told; None where there was no JSON answer."""
    is_carried_out: bool
    """It passed every check and had its effect, whatever the caller was told."""
    http_status: int | None
    """None where the connection broke."""
    query: Mapping[str, str]
    body: Mapping[str, Any] | None = field(repr=False)
    who: str | None
    """The identity's name, where the token was good."""
    ip: str
    at: float
    """When it was answered, by the state's clock."""
