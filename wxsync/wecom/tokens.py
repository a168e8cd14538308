"""The life of an access token as pure steps, from one state to the next (WeCom page 91039).

A moment further ahead than any is ever put was written while the clock was ahead, and counts for nothing.

WeCom may give the same token again, with its old end: it is then used until a call refuses it. A token that
a call has refused is replaced at once; further ones are fetched after 1, 2, 4 ... 60 seconds.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Protocol

from wxsync.model.token import TokenRefusal, TokenState

MARGIN: Final = 200.0
"""Seconds before its end at which a token is renewed, or a tenth of its life where that is less."""
SAME_END: Final = 5.0
"""Two ends that are nearer to each other than this are one: `expires_in` is in whole seconds."""
LONGEST_PAUSE: Final = 60.0
"""Seconds between two tokens where none is let in."""
RENEWAL: Final = 45.0
"""Seconds after which a process that said it would fetch a token is taken for dead."""
BAN: Final = 3600.0
"""Seconds for which WeCom bans an address that insists: no refusal that passes is remembered longer."""
POSTPONED: Final = 15.0
"""Seconds after which a renewal that failed in passing is tried again, while the old token still lives."""


class SharedTokens(Protocol):
    """One secret's token, kept where every process finds it. Blocking; may raise `MirrorError`."""

    def load(self) -> TokenState:
        """What is on record."""

    def save(self, state: TokenState) -> bool:
        """Put `state` in the place of the one whose version is one less; False where that is not there."""


class MemoryTokens:
    """One secret's token for this process alone."""

    def __init__(self) -> None:
        self.state = TokenState()

    def load(self) -> TokenState:
        return self.state

    def save(self, state: TokenState) -> bool:
        if state.version != self.state.version + 1:
            return False
        self.state = state
        return True


def is_usable(state: TokenState, now: float) -> bool:
    """Calls go out with it, and it is not due to be renewed."""
    return is_alive(state, now) and (state.renew_at is None or now < state.renew_at)


def is_alive(state: TokenState, now: float) -> bool:
    """No call has refused it, and its end has not come or is not to be gone by."""
    return state.text is not None and not state.is_refused and (state.renew_at is None or now < state.ends_at)


def is_taken(state: TokenState, owner: str, now: float) -> bool:
    """Another process is fetching one."""
    return state.renewed_by not in (None, owner) and now < state.renewal_ends_at <= now + RENEWAL


def next_fetch_at(state: TokenState, now: float) -> float:
    """Before then no other token is fetched: the first after a refusal comes at once."""
    if state.refusals <= 1 or state.fetched_at > now:
        return 0.0
    pause: float = min(LONGEST_PAUSE, 2.0 ** min(state.refusals - 2, 10))
    return state.fetched_at + pause


def refusal_in_force(state: TokenState, now: float) -> TokenRefusal | None:
    """Why WeCom is not asked for a token now."""
    refusal = state.refusal
    return refusal if refusal and (refusal.until is None or now < refusal.until <= now + BAN) else None


def to_taken(state: TokenState, owner: str, now: float) -> TokenState:
    """`owner` is about to fetch a token."""
    return replace(state, renewed_by=owner, renewal_ends_at=now + RENEWAL)


def to_fetched(state: TokenState, text: str, life: float, asked_at: float) -> TokenState:
    """WeCom gave `text`, with `life` seconds left when it was asked."""
    ends_at = asked_at + life
    renew_at = ends_at - min(MARGIN, life / 10)
    has_old_end = text == state.text and ends_at < state.ends_at + SAME_END
    is_due = has_old_end and state.renew_at is not None and asked_at >= state.renew_at
    return replace(
        state,
        text=text,
        fetches=state.fetches + 1,
        fetched_at=asked_at,
        renew_at=None if is_due or renew_at <= asked_at else renew_at,
        ends_at=ends_at,
        is_refused=False,
        renewed_by=None,
        refusal=None,
    )


def to_refused(state: TokenState) -> TokenState:
    """A call was not let in with this token."""
    return replace(state, is_refused=True, refusals=state.refusals + 1)


def to_let_in(state: TokenState) -> TokenState:
    """A call was let in with this token: those before it count no more."""
    return replace(state, refusals=0)


def to_denied(state: TokenState, refusal: TokenRefusal) -> TokenState:
    """WeCom gave no token, and will not."""
    return replace(state, renewed_by=None, refusal=refusal)


def to_postponed(state: TokenState, now: float) -> TokenState:
    """WeCom could not be asked; a token that still lives is used meanwhile."""
    renew_at = state.renew_at
    if is_alive(state, now) and renew_at is not None:
        renew_at = min(now + POSTPONED, state.ends_at)
    return replace(state, renewed_by=None, renew_at=renew_at)
