"""The access tokens of all processes on this mirror, readable only for those who have the secret.

A row is found by a keyed hash, and its token is encrypted: both keys are derived from the secret, the corp_id
and the place of the API (HKDF, RFC 5869), and none of them is in the mirror.
"""

from __future__ import annotations

import base64
import binascii
import os
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from wxsync.mirror.store import Store
from wxsync.mirror.tables import access_tokens
from wxsync.model.token import TokenRefusal, TokenState

NONCE: Final = 12
"""Bytes, as AES-GCM wants them (NIST SP 800-38D)."""


class MirrorTokens:
    """The token of one secret, with which `corp_id` is asked for at `base_url`. Raises `MirrorError`."""

    def __init__(self, store: Store, *, corp_id: str, secret: str, base_url: str) -> None:
        self._store = store
        place = f"{base_url.rstrip('/')} {corp_id}".encode()
        self._name = _derived(secret, place, b"wxsync: name of the token").hex()
        self._cipher = AESGCM(_derived(secret, place, b"wxsync: key of the token"))

    def load(self) -> TokenState:
        """What is on record; a token that cannot be decrypted is none."""
        with self._store.reading() as connection:
            row = connection.execute(select(access_tokens).filter_by(name=self._name)).one_or_none()
        return TokenState() if row is None else self._state(row)

    def save(self, state: TokenState) -> bool:
        """Put `state` in the place of the one whose version is one less; False where that is not there."""
        c = access_tokens.c
        row = self._row(state)
        with self._store.transaction() as connection:
            if state.version > 1:
                former = update(access_tokens).where(c.name == self._name, c.version == state.version - 1)
                return connection.execute(former.values(row)).rowcount == 1
            try:
                with connection.begin_nested():
                    connection.execute(insert(access_tokens), {"name": self._name, **row})
            except IntegrityError:
                return False  # somebody was quicker
        return True

    def forget_refusal(self) -> bool:
        """Have WeCom asked again at once, whoever is asking; False where it has not refused this secret."""
        while (state := self.load()) != (freed := replace(state, refusal=None, renewed_by=None, refusals=0)):
            if self.save(replace(freed, version=state.version + 1)):
                return state.refusal is not None
        return False

    def _row(self, state: TokenState) -> dict[str, Any]:
        refusal = state.refusal
        return {
            "version": state.version,
            "token": None if state.text is None else self._encrypted(state.text),
            "fetches": state.fetches,
            "fetched_at": _moment(state.fetched_at),
            "renew_at": _moment(state.renew_at),
            "ends_at": _moment(state.ends_at),
            "is_refused": state.is_refused,
            "refusals": state.refusals,
            "renewed_by": state.renewed_by,
            "renewal_ends_at": _moment(state.renewal_ends_at),
            "refusal_errcode": refusal and refusal.errcode,
            "refusal_errmsg": refusal and refusal.errmsg,
            "refusal_until": _moment(refusal.until) if refusal else None,
        }

    def _state(self, row: Row[Any]) -> TokenState:
        refusal = None
        if row.refusal_errcode is not None:
            refusal = TokenRefusal(
                errcode=row.refusal_errcode,
                errmsg=row.refusal_errmsg or "",
                until=row.refusal_until and row.refusal_until.timestamp(),
            )
        return TokenState(
            version=row.version,
            text=row.token and self._decrypted(row.token),
            fetches=row.fetches,
            fetched_at=row.fetched_at.timestamp(),
            renew_at=row.renew_at and row.renew_at.timestamp(),
            ends_at=row.ends_at.timestamp(),
            is_refused=row.is_refused,
            refusals=row.refusals,
            renewed_by=row.renewed_by,
            renewal_ends_at=row.renewal_ends_at.timestamp(),
            refusal=refusal,
        )

    def _encrypted(self, text: str) -> str:
        nonce = os.urandom(NONCE)
        sealed = self._cipher.encrypt(nonce, text.encode(), self._name.encode())
        return base64.b64encode(nonce + sealed).decode("ascii")

    def _decrypted(self, sealed: str) -> str | None:
        try:
            data = base64.b64decode(sealed, validate=True)
            return self._cipher.decrypt(data[:NONCE], data[NONCE:], self._name.encode()).decode()
        except (binascii.Error, ValueError, InvalidTag):
            return None  # somebody else wrote it: another one is fetched


def _derived(secret: str, place: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=place, info=purpose).derive(secret.encode())


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
