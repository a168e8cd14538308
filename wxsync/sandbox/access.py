"""Who may do what: tokens, trusted addresses, frequency, two kinds of secrets (WeCom pages 91039, 96079)."""

from __future__ import annotations

import secrets
from dataclasses import replace
from enum import Enum, auto
from typing import Final

from wxsync.sandbox.identity import Identity, Token
from wxsync.sandbox.quotas import Violation, rules_of_call
from wxsync.sandbox.refusal import Refusal
from wxsync.sandbox.state import SandboxState
from wxsync.sandbox.switches import App, ContactSync

NOBODY: Final = Identity("nobody", is_contact=False, sees_sensitive=False)
"""Who calls with a webhook's key."""


class Permission(Enum):
    """What a call asks of the caller."""

    NOBODY_IN_PARTICULAR = auto()
    """Not even a token: gettoken, and webhooks, whose key is everything."""
    OPEN = auto()
    """Any token, even of a contact sync that is switched off: no right is wanted."""
    ANY_TOKEN = auto()
    APP = auto()
    """An app's secret; the contact-sync secret gets 48002."""
    CONTACT = auto()
    """The contact-sync secret; an app gets 48002."""
    CONTACT_EDIT = auto()
    """The contact-sync secret; an app gets 60011, as observed for departments."""
    DETAILS = auto()
    """Anybody but the contact-sync secret from an address that did not read before: 48009."""


def issue_token(state: SandboxState, corpid: str | None, secret: str | None, ip: str = "127.0.0.1") -> Token:
    """The token of this secret: the same one, with its old end, until it ends.

    An address that came with too many wrong secrets is banned for an hour, right ones included.
    """
    check_ban(state, ip)
    if not secret:
        raise Refusal(41004)
    if not corpid:
        raise Refusal(41002)
    if corpid != state.corp_id:
        raise Refusal(40013)
    identity = _owner(state, secret, ip)
    token = state.current_tokens.get(secret)
    if token is None or token.expires_at <= state.clock():
        token = Token(secrets.token_urlsafe(48), identity, state.clock() + state.token_life)
        state.tokens[token.text] = state.current_tokens[secret] = token
    return token


def _owner(state: SandboxState, secret: str, ip: str) -> Identity:
    if secret in state.refused_secrets:
        raise Refusal(state.refused_secrets[secret])
    if secret == state.contact_secret:
        return Identity("contact", is_contact=True, sees_sensitive=True)
    for app in state.apps:
        if secret == app.secret:
            check_enabled(app)
            return Identity(
                f"app:{app.agent_id}",
                is_contact=False,
                sees_sensitive=app.sees_sensitive,
                agent_id=app.agent_id,
            )
    state.quotas.note_wrong_secret(ip, state.clock(), state.wrong_secrets_per_hour)
    raise Refusal(40001)


def check_enabled(app: App | None) -> None:
    """An app that is switched off, or no more there, calls nothing."""
    if app is None or not app.is_enabled:
        raise Refusal(50003)


def check_ban(state: SandboxState, ip: str) -> None:
    """That the ban holds for all calls of the address is the strict reading of WeCom page 90313, 45009."""
    if state.quotas.is_banned(ip, state.clock()):
        state.quotas.violate(Violation.BANNED)
        raise Refusal(45009)


def identify(state: SandboxState, token: str | None, permission: Permission) -> Identity:
    """Whose token this is, if it is still good; nobody's where the call wants none."""
    if permission is Permission.NOBODY_IN_PARTICULAR:
        return NOBODY
    if not token:
        raise Refusal(41001)
    known = state.tokens.get(token)
    if known is None:
        raise Refusal(40014)
    if known.expires_at <= state.clock():
        raise Refusal(42001)
    app = state.app(known.identity.agent_id)
    return known.identity if app is None else replace(known.identity, sees_sensitive=app.sees_sensitive)


def end_token(state: SandboxState, token: str | None) -> None:
    """This token is past its life from now on."""
    if token is not None and token in state.tokens:
        state.tokens[token].expires_at = state.clock()


def check_address(state: SandboxState, ip: str) -> None:
    if state.trusted_ips is not None and ip not in state.trusted_ips:
        raise Refusal(60020)


def check_frequency(
    state: SandboxState,
    path: str,
    ip: str = "127.0.0.1",
    *,
    is_debug: bool = False,
    at_once: int | None = None,
) -> None:
    """At most so many calls of a path a minute and an hour, and at once (WeCom page 90312).

    `at_once` is what the call's own page allows, whatever the state says.
    """
    check_ban(state, ip)
    limits = [limit for limit in (at_once, state.calls_at_once) if limit is not None]
    if limits and state.under_way[path] > min(limits):
        state.quotas.violate(Violation.AT_ONCE)
        raise Refusal(45033)
    rules = rules_of_call(
        path,
        ip,
        is_debug=is_debug,
        minute=state.calls_per_minute,
        hour=state.calls_per_hour,
        ip_minute=state.calls_per_minute_and_ip,
        ip_hour=state.calls_per_hour_and_ip,
    )
    if state.quotas.spend(rules, state.clock()) is not None:
        raise Refusal(45009)


def check_permission(
    state: SandboxState, identity: Identity, permission: Permission, *, is_write: bool = False
) -> None:
    """This secret may make such calls at all."""
    _check_switches(state, identity, permission, is_write=is_write)
    if permission is Permission.CONTACT and not identity.is_contact:
        raise Refusal(48002)
    if permission is Permission.APP and identity.is_contact:
        raise Refusal(48002)
    if permission is Permission.CONTACT_EDIT and not identity.is_contact:
        raise Refusal(60011)
    if permission is Permission.DETAILS and identity.is_contact and not state.legacy_ip:
        raise Refusal(48009)


def _check_switches(
    state: SandboxState, identity: Identity, permission: Permission, *, is_write: bool
) -> None:
    """Neither the app nor contact sync is switched off in the console."""
    if identity is NOBODY:
        return
    if not identity.is_contact:
        check_enabled(state.app(identity.agent_id))
    elif state.contact_sync is ContactSync.OFF and permission is not Permission.OPEN:
        raise Refusal(48002)
    elif state.contact_sync is ContactSync.READ and is_write:
        raise Refusal(60011)
