"""One line to one directory server, in which the configured searches can be run."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

from wxsync.config.expressions import Expression
from wxsync.config.settings import LdapSourceSettings
from wxsync.errors import SourceError
from wxsync.model.message import Message
from wxsync.sources import ldap_finding, ldap_named, ldap_streams
from wxsync.sources.base import DEPARTMENTS, MEMBERS, MEMBERSHIPS, TAGS, RowStream
from wxsync.sources.dn import Dn, DnError
from wxsync.sources.ldap_entry import Entry
from wxsync.sources.ldap_errors import BAD_DN, NO_SUCH_OBJECT, REFERRAL, SUCCESS, Retold
from wxsync.sources.ldap_groups import Staff
from wxsync.sources.ldap_hidden import Hidden
from wxsync.sources.ldap_pages import Listing, Search
from wxsync.sources.ldap_proof import Survey, Witness
from wxsync.sources.ldap_rows import Shape
from wxsync.sources.ldap_schema import Schema
from wxsync.sources.ldap_watch import Watch
from wxsync.sources.ldap_wire import ACTIVE_DIRECTORY, ANY, NO_ATTRIBUTES, Page, Wire

SETTINGS: Final = {
    DEPARTMENTS: "departments",
    MEMBERS: "members",
    MEMBERSHIPS: "memberships",
    TAGS: "groups",
}
"""A query of the session -> the key of [source.NAME] with its filter."""
SCHEMA_CLASS: Final = "(objectClass=subschema)"
OF_SCHEMA: Final = ("attributeTypes", "objectClasses")
OF_ROOT: Final = ("subschemaSubentry", "supportedCapabilities", "defaultNamingContext", "namingContexts")
TELLING: Final = ("objectClass", "dn")


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
        self._of_root = self._read_root()
        schema = self._read_schema()
        self._check_names(schema)
        self.shape = Shape(
            schema=schema,
            base=self._base(),
            base_is_department=self.lookup(settings.base_dn, NO_ATTRIBUTES, settings.departments) is not None,
            now=now,
            names={name.lower(): attribute for name, attribute in settings.names.items()},
        )
        self._staff = Staff(
            is_active_directory=ACTIVE_DIRECTORY in self._of_root["supportedcapabilities"], schema=schema
        )
        self._hidden = Hidden(self._answer, settings.referrals)

    @property
    def telling(self) -> tuple[str, ...]:
        """Names of its rows by which a look counts them."""
        return TELLING

    @property
    def root(self) -> str:
        """Below it is everything that this server has, as far as it tells; at least all below base_dn."""
        return self._above_base("defaultnamingcontext")

    def _above_base(self, contexts: str) -> str:
        """The nearest of the DNs in this attribute of the rootDSE that base_dn is below; else base_dn."""
        for name in sorted(self._of_root[contexts], key=len, reverse=True):
            root = name.decode("utf-8", "replace")
            with suppress(DnError):
                if self.shape.base.is_below(Dn(root)):
                    return root
        return self.settings.base_dn

    def mark(self) -> str | None:
        """Where the directory stands, by which it can be asked later what has changed; None where it is not
        watched, or does not say."""
        settings = self.settings
        if not settings.watch:
            return None
        return Watch(name=self.name, settings=settings, wire=self._wire, witness=self._witness).mark()

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
            of_it = (name for name in names if self.shape.attribute(name).lower() == attribute.lower())
            layout = self.shape.layout(of_it)
            return ldap_streams.distinct(self, query, layout, attribute)
        has_groups = query == MEMBERS and (self.has(TAGS) or self.has(MEMBERSHIPS))
        return ldap_streams.entries(
            self, query, self.shape.layout(names), self.shape.vocabulary, self._staff if has_groups else None
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
        if page.result.code not in (SUCCESS, NO_SUCH_OBJECT, BAD_DN):
            raise self._retold.refused("looking up an entry", page.result)
        return page.entries[0] if page.entries else None

    def whereabouts(self, key: Expression, keys: Collection[str]) -> Mapping[str, Message]:
        """Where the directory still has those of `keys` whom the members query does not find, in words.

        Only an id that the server itself gave can be looked for everywhere: by another key it may be
        somebody else. Nothing is held by it: it merely tells.
        """
        if not ldap_finding.is_identity(key, self.shape):
            return {}
        asked, suffix = ldap_finding.attributes(key, self.shape), self._above_base("namingcontexts")
        there: dict[str, Message] = {}
        for filter_ in ldap_finding.filters(key, sorted(keys)[: ldap_finding.MOST], self.shape, ANY):
            listing = self.listing("a search by key everywhere", filter_, asked, suffix)
            there |= ldap_finding.places(listing, key, self.shape)
        return {each: place for each, place in there.items() if each in keys}

    def member(self, dn: Dn) -> Entry | None:
        """The entry of this DN, where the members query finds it now; raises as `lookup` does."""
        return self.lookup(dn, NO_ATTRIBUTES, self.settings.members) if dn.is_below(self.shape.base) else None

    def may_be_hidden(self, dn: Dn) -> bool:
        """Whether there may be an entry of this DN that this account is not shown, or that is elsewhere."""
        return self._hidden.may_be(dn)

    def _answer(self, dn: str) -> Page:
        with self._retold.reading("looking up an entry"):
            return self._wire.read(dn, NO_ATTRIBUTES)

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

    def _read_root(self) -> dict[str, tuple[bytes, ...]]:
        """What the server says of itself: the rootDSE."""
        root = self.lookup("", OF_ROOT)
        given = {} if root is None else root.attributes
        return {name.lower(): given.get(name.lower(), ()) for name in OF_ROOT}

    def _read_schema(self) -> Schema:
        where = self._of_root["subschemasubentry"]
        entry = None
        if where:
            entry = self.lookup(where[0].decode("utf-8", "replace"), OF_SCHEMA, SCHEMA_CLASS)
        attributes, classes = (
            [value.decode("utf-8", "replace") for value in entry.attributes.get(name.lower(), ())]
            if entry is not None
            else []
            for name in OF_SCHEMA
        )
        if not attributes:
            raise SourceError(
                self.name,
                "the server does not show its schema, so no attribute's name can be checked",
                hint="let the account of bind_dn read the rootDSE and the subschema entry that it names",
            )
        return Schema.of(attributes, classes)

    def _check_names(self, schema: Schema) -> None:
        faults = tuple(ldap_named.faults(self.settings, schema))
        if faults:
            keys = dict.fromkeys(f"source.{self.name}.{fault.key}" for fault in faults)
            raise SourceError(
                self.name, "; ".join(fault.problem for fault in faults), hint=f"correct {', '.join(keys)}"
            )
