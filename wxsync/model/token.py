"""What all processes that call with one secret know of its access token (WeCom page 91039).

Moments are seconds since the epoch: they are compared with each call, and processes share them.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRefusal:
    """WeCom gave no token and will not by being asked again."""

    errcode: int
    errmsg: str
    until: float | None
    """None: until the secret is another one, or somebody says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenState:
    """One secret's token, and who is fetching another one."""

    version: int = 0
    """Counts up with every change on record; 0: nothing is on record."""
    text: str | None = field(default=None, repr=False)
    fetches: int = 0
    """How many tokens were fetched: names this one, as WeCom may give the same text again."""
    fetched_at: float = 0.0
    renew_at: float | None = None
    """From then on another one is fetched; None: not before a call refuses this one."""
    ends_at: float = 0.0
    is_refused: bool = False
    """A call was not let in with it (40014, 42001)."""
    refusals: int = 0
    """So many tokens in a row were refused before any call was let in."""
    renewed_by: str | None = None
    """The process that is fetching another one, until `renewal_ends_at`."""
    renewal_ends_at: float = 0.0
    refusal: TokenRefusal | None = None
