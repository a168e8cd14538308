"""One line to one directory server, in which the configured searches can be run."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from wxsync.config.expressions import Expression
from wxsync.config.settings import LdapSourceSettings
from wxsync.errors import SourceError
from wxsync.sources import ldap_finding, ldap_streams
from wxsync.sources.base import DEPARTMENTS, MEMBERS, MEMBERSHIPS, TAGS, RowStream
from wxsync.sources.dn import Dn, DnError
from wxsync.sources.ldap_entry import Entry
from wxsync.sources.ldap_errors import NO_SUCH_OBJECT, REFERRAL, SUCCESS, Retold
from wxsync.sources.ldap_groups import Staff
from wxsync.sources.ldap_pages import Listing, Search
from wxsync.sources.ldap_proof import Survey, Witness
from wxsync.sources.ldap_rows import Shape
from wxsync.sources.ldap_schema import Schema
from wxsync.sources.ldap_wire import ANY, NO_ATTRIBUTES, Wire, is_filter

SETTINGS: Final = {
    DEPARTMENTS: "departments",
    MEMBERS: "members",
    MEMBERSHIPS: "memberships",
    TAGS: "groups",
}
"""A query of the session -> the key of [source.NAME] with its filter."""
SCHEMA_CLASS: Final = "(objectClass=subschema)"
ACTIVE_DIRECTORY: Final = b"1.2.840.113556.1.4.800"
"""The capability by which it is known ([MS-ADTS] 3.1.1.3.4.3.1)."""
ASSERTED: Final = re.compile(r"\(\s*([A-Za-z][A-Za-z0-9;.-]*)\s*(?::[^=()]*:|[~<>])?=")
"""The attributes of a filter: a parenthesis within a value is escaped (RFC 4515 §3)."""


class LdapSession:
    """One server, one connection, one identity. Searches are run one after the other.

    Every method raises SourceUnavailableError where the line breaks; it is never opened anew.
    """

    def __init__(self, name: str, settings: LdapSourceSettings, wire: Wire, now: datetime) -> None:
        self.name = name
        self.settings = settings
        self._wire = wire
        self._retold = Retold(source=name)
        self._witness = Witness(wire, settings.base_dn, self._retold)
        self._check_identity()
        self._check_base()
        schema = self._read_schema()
        self._check_filters(schema)
        self.shape = Shape(
            schema=schema,
            base=self._base(),
            base_is_department=self.lookup(settings.base_dn, NO_ATTRIBUTES, settings.departments) is not None,
            now=now,
        )
        self._staff = Staff(is_active_directory=self._is_active_directory())

    def has(self, query: str) -> bool:
        return query in SETTINGS and getattr(self.settings, SETTINGS[query]) is not None

    def read(self, query: str, names: frozenset[str] = frozenset()) -> RowStream:
        """Rows of the entries that the query's filter finds; nothing is asked before the first row is.

        Groups say nothing of who exists: their rows name those alone whom the members query gave before.
        """
        settings = self.settings
        if query == TAGS:
            return ldap_streams.tags(self, self._staff, named=settings.group_name, members=settings.members)
        if query == MEMBERSHIPS:
            return ldap_streams.memberships(self, self._staff)
        attribute = settings.department_attribute
        if query == DEPARTMENTS and attribute is not None:
            layout = self.shape.layout(name for name in names if name.lower() == attribute.lower())
            return ldap_streams.distinct(self, query, layout, attribute)
        has_groups = query == MEMBERS and (self.has(TAGS) or self.has(MEMBERSHIPS))
        return ldap_streams.entries(
            self, query, self.shape.layout(names), self._staff if has_groups else None
        )

    def survey(self, query: str, attributes: Sequence[str]) -> Survey:
        """The entries that the query's filter finds below the base, with the evidence that they are all."""
        what, filter_ = f"the {query} search", str(getattr(self.settings, SETTINGS[query]))
        first = self.listing(what, filter_, attributes)
        second = self.listing(f"{what} for DNs alone", filter_, NO_ATTRIBUTES)
        declared = self.settings.referrals
        return Survey(first, second, self._witness, self._wire, self._retold, declared)

    def listing(self, what: str, filter_: str, attributes: Sequence[str], base: str | None = None) -> Listing:
        """Every entry below `base` that the filter finds, page by page; `what` names it for people.

        One listing at a time: OpenLDAP forgets the first one's place when a second begins, and then the
        first ends as broken. Single look-ups in between do no harm.
        """
        search = Search(
            what=what,
            base=self.settings.base_dn if base is None else base,
            filter=filter_,
            attributes=attributes or NO_ATTRIBUTES,
            page_size=self.settings.page_size,
        )
        return Listing(self._wire, search, self._retold)

    def lookup(self, dn: str, attributes: Sequence[str], filter_: str = ANY) -> Entry | None:
        """One entry by its DN; None where there is none that this account may see and the filter finds."""
        with self._retold.reading("looking up an entry"):
            page = self._wire.read(dn, attributes or NO_ATTRIBUTES, filter_)
        if page.result.code not in (SUCCESS, NO_SUCH_OBJECT):
            raise self._retold.refused("looking up an entry", page.result)
        return page.entries[0] if page.entries else None

    def find(self, key: Expression, keys: Collection[str]) -> frozenset[str] | None:
        """Those of `keys` that the members query has; None where the server cannot look for them by `key`."""
        if len(keys) > ldap_finding.MOST or not ldap_finding.can_be_found(key, self.shape):
            return None
        there: set[str] = set()
        for filter_ in ldap_finding.filters(key, keys, self.shape, self.settings.members):
            asked = ldap_finding.attributes(key, self.shape)
            some = ldap_finding.found(self.listing("a search by key", filter_, asked), key, self.shape)
            if some is None:
                return None
            there |= some
        return frozenset(there.intersection(keys))

    def _check_identity(self) -> None:
        """A server may take a name that it does not know for nobody, and let nobody read what it likes."""
        if self.settings.bind_dn is not None and self._witness.first.identity == "":
            raise SourceError(
                self.name,
                "the server lets wxsync read as nobody, although bind_dn is set",
                hint=f"correct source.{self.name}.bind_dn and bind_password",
            )

    def _check_base(self) -> None:
        with self._retold.reading("looking up base_dn"):
            page = self._wire.read(self.settings.base_dn, NO_ATTRIBUTES)
        hint = f"correct source.{self.name}.base_dn, or let the account of bind_dn read it"
        if page.result.code == REFERRAL:
            raise SourceError(self.name, "base_dn is on another server", hint=hint)
        if page.result.code not in (SUCCESS, NO_SUCH_OBJECT):
            raise self._retold.refused("looking up base_dn", page.result)
        if not page.entries:
            raise SourceError(self.name, "base_dn is not there, or this account may not see it", hint=hint)

    def _base(self) -> Dn:
        try:
            return Dn(self.settings.base_dn)
        except DnError:
            raise SourceError(
                self.name, "base_dn is not a distinguished name", hint=f"correct source.{self.name}.base_dn"
            ) from None

    def _is_active_directory(self) -> bool:
        root = self.lookup("", ("supportedCapabilities",))
        return root is not None and ACTIVE_DIRECTORY in root.attributes.get("supportedcapabilities", ())

    def _read_schema(self) -> Schema:
        root = self.lookup("", ("subschemaSubentry",))
        where = root.attributes.get("subschemasubentry", ()) if root is not None else ()
        entry = None
        if where:
            entry = self.lookup(where[0].decode("utf-8", "replace"), ("attributeTypes",), SCHEMA_CLASS)
        definitions = entry.attributes.get("attributetypes", ()) if entry is not None else ()
        if not definitions:
            raise SourceError(
                self.name,
                "the server does not show its schema, so no attribute's name can be checked",
                hint="let the account of bind_dn read the rootDSE and the subschema entry that it names",
            )
        return Schema.of(definition.decode("utf-8", "replace") for definition in definitions)

    def _check_filters(self, schema: Schema) -> None:
        """An attribute that nobody has finds nobody, and no server calls that an error."""
        for query, key in SETTINGS.items():
            filter_ = getattr(self.settings, key)
            if filter_ is not None:
                problem = _fault(filter_, schema)
                if problem is not None:
                    hint = f"correct source.{self.name}.{key}"
                    raise SourceError(self.name, f"the {query} filter {problem}", hint=hint)


def _fault(filter_: str, schema: Schema) -> str | None:
    if not is_filter(filter_):
        return "is not a filter (RFC 4515)"
    unknown = [name for name in ASSERTED.findall(filter_) if not schema.knows(name)]
    return f'asks for "{unknown[0]}", which the server\'s schema does not know' if unknown else None
