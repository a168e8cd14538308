"""Callbacks on their way out: signed, encrypted, sent again if nobody takes them (WeCom page 96238)."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

import httpx

from wxsync.sandbox.job_progress import settle
from wxsync.sandbox.receivers import Callback, Delivery, Receiver
from wxsync.sandbox.state import SandboxState
from wxsync.wecom.crypto import CallbackCrypto, build_envelope

ATTEMPTS: Final = 4
"""The first one and three more."""
PATIENCE_TO_VERIFY: Final = 1.0
"""Seconds in which a receiver answers the GET that verifies its address."""
LOOK_AGAIN: Final = 0.1
"""Seconds between two looks at what waits, while the sandbox serves."""


@dataclass(slots=True, kw_only=True, eq=False)
class Letter:
    """One callback with what became of it so far."""

    callback: Callback
    statuses: list[int | None] = field(default_factory=list)


async def verify_url(state: SandboxState, receiver: Receiver) -> bool:
    """The receiver answers as one that knows token and key; else the console would not save it (40057)."""
    crypto = _crypto(state, receiver)
    timestamp, nonce, secret = _timestamp(state), _nonce(), secrets.token_hex(8)
    echostr, signature = crypto.encrypt(secret.encode(), timestamp, nonce)
    query = {"msg_signature": signature, "timestamp": timestamp, "nonce": nonce, "echostr": echostr}
    try:
        answer = await _client(state).get(receiver.url, params=query, timeout=PATIENCE_TO_VERIFY)
    except httpx.HTTPError:
        return False
    return answer.status_code == 200 and answer.content == secret.encode()


async def deliver(state: SandboxState, *, but: Collection[Receiver] = ()) -> None:
    """Everything that waits is sent, in rounds: what was not taken comes again in the next one.

    A callback that no round gets through is given up after its fourth attempt. What is for the
    receivers `but` goes on waiting.
    """
    settle(state)
    faults = state.outbox.faults
    letters = [Letter(callback=callback) for callback in _taken(state, but)]
    if faults.backwards and letters:
        faults.backwards -= 1
        letters.reverse()
    for number in range(ATTEMPTS):
        begun = asyncio.get_running_loop().time()
        for letter in letters:
            await _send(state, letter, is_first=number == 0)
        letters = [letter for letter in letters if letter.statuses[-1] != 200]
        if not letters:
            break
        if number + 1 < ATTEMPTS:
            spent = asyncio.get_running_loop().time() - begun
            await asyncio.sleep(max(state.callback_patience - spent, 0))
    _give_up(state, letters)


def _taken(state: SandboxState, but: Collection[Receiver]) -> list[Callback]:
    """What waits, without what gets lost."""
    outbox = state.outbox
    taken = [callback for callback in outbox.waiting if callback.receiver not in but]
    outbox.waiting = [callback for callback in outbox.waiting if callback.receiver in but]
    lost = min(outbox.faults.lost, len(taken))
    outbox.faults.lost -= lost
    return taken[lost:]


def _give_up(state: SandboxState, letters: list[Letter]) -> None:
    for letter in letters:
        state.outbox.sent.append(Delivery(callback=letter.callback, statuses=tuple(letter.statuses)))


async def _send(state: SandboxState, letter: Letter, *, is_first: bool) -> None:
    """One attempt; one that succeeds is noted. A duplicate's fate does not matter."""
    request = _request(state, letter.callback)
    letter.statuses.append(await _status(state, request))
    faults = state.outbox.faults
    if is_first and faults.duplicates:
        faults.duplicates -= 1
        await _status(state, request if faults.with_same_bytes else _request(state, letter.callback))
    if letter.statuses[-1] == 200:
        _give_up(state, [letter])


async def _status(state: SandboxState, request: httpx.Request) -> int | None:
    try:
        answer = await _client(state).send(request, follow_redirects=False)
    except httpx.HTTPError:
        return None
    return answer.status_code


def _request(state: SandboxState, callback: Callback) -> httpx.Request:
    """The callback, encrypted with a nonce of its own."""
    timestamp, nonce = _timestamp(state), _nonce()
    encrypt, signature = _crypto(state, callback.receiver).encrypt(callback.xml.encode(), timestamp, nonce)
    return _client(state).build_request(
        "POST",
        callback.receiver.url,
        params={"msg_signature": signature, "timestamp": timestamp, "nonce": nonce},
        content=build_envelope(encrypt, to_user_name=state.corp_id, agent_id=callback.agent_id),
        headers={"Content-Type": "text/xml"},
        timeout=state.callback_patience,
    )


def _client(state: SandboxState) -> httpx.AsyncClient:
    if state.callback_client is None:
        raise RuntimeError("the sandbox has no callback_client to send callbacks with")
    return state.callback_client


def _crypto(state: SandboxState, receiver: Receiver) -> CallbackCrypto:
    return CallbackCrypto(receiver.token, receiver.encoding_aes_key, state.corp_id)


def _timestamp(state: SandboxState) -> str:
    return str(int(state.clock()))


def _nonce() -> str:
    return str(secrets.randbelow(10**10))


async def keep_delivering(state: SandboxState) -> None:
    """Until it is cancelled: jobs go on, and what they and others have to tell is sent.

    An address from the console is verified first, as often as it takes: nothing is sent to it before.
    """
    verified: set[Receiver] = set()
    while not _saved(state) and not state.outbox.waiting:
        await asyncio.sleep(LOOK_AGAIN)
        settle(state)
    async with httpx.AsyncClient(trust_env=False) as client:
        state.callback_client = state.callback_client or client
        while True:
            for receiver in _saved(state) - verified:
                if await verify_url(state, receiver):
                    verified.add(receiver)
            await deliver(state, but=_saved(state) - verified)
            await asyncio.sleep(LOOK_AGAIN)


def _saved(state: SandboxState) -> set[Receiver]:
    """The addresses from the console."""
    apps = (app.receiver for app in state.apps)
    return {receiver for receiver in (state.callback, *apps) if receiver is not None}
