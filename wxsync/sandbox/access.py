"""Who may do what: tokens, trusted addresses, frequency, two kinds of secrets (WeCom pages 91039, 96079)."""

from __future__ import annotations

import secrets
from enum import Enum, auto

from wxsync.sandbox.refusal import Refusal
from wxsync.sandbox.state import Identity, SandboxState, Token


class Permission(Enum):
    """What a call asks of the caller."""

    NOBODY_IN_PARTICULAR = auto()
    """Not even a token: gettoken."""
    ANY_TOKEN = auto()
    CONTACT = auto()
    """The contact-sync secret; an app gets 48002."""
    CONTACT_EDIT = auto()
    """The contact-sync secret; an app gets 60011, as observed for departments."""
    DETAILS = auto()
    """Anybody but the contact-sync secret from an address that did not read before: 48009."""


def issue_token(state: SandboxState, corpid: str | None, secret: str | None) -> Token:
    """The token of this secret: the same one until it ends."""
    if not secret:
        raise Refusal(41004)
    if not corpid:
        raise Refusal(41002)
    if corpid != state.corp_id:
        raise Refusal(40013)
    identity = _owner(state, secret)
    token = state.current_tokens.get(secret)
    if token is None or token.expires_at <= state.clock():
        token = Token(secrets.token_urlsafe(48), identity, state.clock() + state.token_life)
        state.tokens[token.text] = state.current_tokens[secret] = token
    return token


def _owner(state: SandboxState, secret: str) -> Identity:
    if secret == state.contact_secret:
        return Identity("contact", is_contact=True, sees_sensitive=True)
    for app in state.apps:
        if secret == app.secret:
            return Identity(f"app:{app.agent_id}", is_contact=False, sees_sensitive=app.sees_sensitive)
    raise Refusal(40001)


def identify(state: SandboxState, token: str | None) -> Identity:
    """Whose token this is, if it is still good."""
    if not token:
        raise Refusal(41001)
    known = state.tokens.get(token)
    if known is None:
        raise Refusal(40014)
    if known.expires_at <= state.clock():
        raise Refusal(42001)
    return known.identity


def end_token(state: SandboxState, token: str | None) -> None:
    """This token is past its life from now on."""
    if token is not None and token in state.tokens:
        state.tokens[token].expires_at = state.clock()


def check_address(state: SandboxState, ip: str) -> None:
    if state.trusted_ips is not None and ip not in state.trusted_ips:
        raise Refusal(60020)


def check_frequency(state: SandboxState, path: str) -> None:
    """At most so many calls of a path a minute, and at once (WeCom page 90312)."""
    if state.calls_at_once is not None and state.under_way[path] > state.calls_at_once:
        raise Refusal(45033)
    if state.calls_per_minute is None:
        return
    minute = int(state.clock() // 60)
    counted_in, calls = state.minutes.get(path, (minute, 0))
    calls = calls + 1 if counted_in == minute else 1
    state.minutes[path] = (minute, calls)
    if calls > state.calls_per_minute:
        raise Refusal(45009)


def check_permission(state: SandboxState, identity: Identity, permission: Permission) -> None:
    if permission is Permission.CONTACT and not identity.is_contact:
        raise Refusal(48002)
    if permission is Permission.CONTACT_EDIT and not identity.is_contact:
        raise Refusal(60011)
    if permission is Permission.DETAILS and identity.is_contact and not state.legacy_ip:
        raise Refusal(48009)
