"""A directory as a source: the first server that answers, for one whole read."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from wxsync.config.expressions import Expression
from wxsync.config.settings import LdapSourceSettings
from wxsync.errors import SourceError, SourceUnavailableError
from wxsync.model.message import Message
from wxsync.model.watch import Stirred, Watching
from wxsync.sources.ldap_errors import BAD_CREDENTIALS, SUCCESS, Retold, in_words, told
from wxsync.sources.ldap_proof import Witness
from wxsync.sources.ldap_rows import Shape
from wxsync.sources.ldap_session import LdapSession
from wxsync.sources.ldap_watch import Watch
from wxsync.sources.ldap_wire import BREAKS, Address, Wire, addresses, connect


def utc_now() -> datetime:
    """The time, aware and in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class LdapSource:
    """OpenLDAP, Active Directory, and whatever else speaks LDAP v3 with pages (RFC 2696)."""

    name: str
    settings: LdapSourceSettings
    clock: Callable[[], datetime] = utc_now
    """Who has expired by now."""

    @property
    def canaries(self) -> tuple[str, ...]:
        return self.settings.canaries

    @property
    def is_watched(self) -> bool:
        return self.settings.watch

    def stirred(self, mark: str | None, key: Expression) -> Stirred:
        """What may have changed since `mark`, on a line of its own; see `wxsync.sources.ldap_watch`.

        Where nothing has, a few look-ups are all that it costs. Raises what `open` raises.
        """
        with self._watch() as watch:

            def shape() -> Shape:
                return LdapSession(self.name, self.settings, watch.wire, self.clock()).shape

            return watch.stirred(mark, key, shape)

    def watching(self) -> Watching:
        """By what it is watched, tried on a line of its own; raises what `open` raises."""
        with self._watch() as watch:
            return watch.watching()

    @contextmanager
    def _watch(self) -> Iterator[Watch]:
        with ExitStack() as stack:
            wire = self._first(stack, self._context())
            witness = Witness(wire, self.settings.base_dn, Retold(source=self.name))
            yield Watch(name=self.name, settings=self.settings, wire=wire, witness=witness)

    @contextmanager
    def open(self) -> Iterator[LdapSession]:
        """One server, bound, for the length of a `with`; nothing is ever written to it.

        The servers are tried in turn, until one lets wxsync in. Raises SourceUnavailableError where none
        does, SourceError where one does and the config does not fit it.
        """
        context = self._context()
        with ExitStack() as stack:
            yield LdapSession(self.name, self.settings, self._first(stack, context), self.clock())

    def whereabouts(self, key: Expression, keys: frozenset[str]) -> Mapping[str, Message]:
        """Where the directory still has those of `keys` whom the members query does not find, in words.

        Raises what `open` raises.
        """
        with self.open() as session:
            return session.whereabouts(key, keys)

    def _first(self, stack: ExitStack, context: ssl.SSLContext) -> Wire:
        reasons: list[str] = []
        for url in self.settings.url:
            try:
                places = self._addresses(url, context)
            except OSError as error:
                reasons.append(f"{url}: {in_words(error)}")
                continue
            for address in places:
                wire = self._entered(stack, address, reasons, url)
                if wire is not None:
                    return wire
        raise SourceUnavailableError(
            self.name,
            "cannot connect: " + "; ".join(reasons),
            hint=f"check source.{self.name}.url, start_tls and ca_file, and that the server runs"
            " and lets this machine in",
        )

    def _addresses(self, url: str, context: ssl.SSLContext) -> list[Address]:
        return addresses(
            url,
            start_tls=self.settings.start_tls,
            tls=context,
            connect_timeout=self.settings.connect_timeout,
            receive_timeout=self.settings.receive_timeout,
        )

    def _entered(self, stack: ExitStack, address: Address, reasons: list[str], url: str) -> Wire | None:
        """A line to one server on which we are bound, closed by `stack`; else None and one more reason."""
        with ExitStack() as attempt:
            try:
                wire = attempt.enter_context(connect(address))
                refusal = self._bind(wire)
            except BREAKS as error:
                refusal = in_words(error)
            else:
                if refusal is None:
                    stack.push(attempt.pop_all())
                    return wire
        reasons.append(f"{url}: {refusal}")
        return None

    def _bind(self, wire: Wire) -> str | None:
        """None where the server let us in. A wrong password is tried at one server alone.

        Every further one would count it too, and lock the account.
        """
        password = self.settings.bind_password
        result = wire.bind(self.settings.bind_dn, password.get_secret_value() if password is not None else "")
        if result.code in BAD_CREDENTIALS:
            raise SourceUnavailableError(
                self.name,
                f"the server refuses the bind: {told(result)}",
                hint=f"check source.{self.name}.bind_dn and bind_password",
            )
        return None if result.code == SUCCESS else f"the bind ended with {told(result)}"

    def _context(self) -> ssl.SSLContext:
        """Certificate and host name are verified: there is no switch for less."""
        try:
            return ssl.create_default_context(cafile=self.settings.ca_file)
        except (OSError, ValueError) as error:
            raise SourceError(
                self.name,
                f"ca_file cannot be used: {in_words(error)}",
                hint=f"source.{self.name}.ca_file must be a file of certificates in PEM form",
            ) from None
