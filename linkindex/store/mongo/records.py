"""What a document holds, and its short field names: the one place that knows them.

A value that is its default is left out of the document; that is how links of the usual kind stay small. A document whose
values have other types than these was not written here: it is set aside and counted, never an error.

Records hold nothing that could lead back to them: Python's collector need not look at them (``gc=False``), which is a fifth of
the processor time of a write.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import field, inspect

from linkindex.history import Lead
from linkindex.model import Outcome

Document = Mapping[str, Any]

_READ = (Outcome.PAGE, Outcome.REDIRECT)


class LinkRecord(msgspec.Struct, kw_only=True, gc=False):
    """The latest version of a link, or an earlier one. Times are ms since 1970, UTC."""

    id: bytes = field(name="_id")
    page: bytes = field(name="p", default=b"")  # the source's name
    source: str = field(name="s", default="")
    source_domain: str = field(name="sd", default="")
    target: str = field(name="t", default="")
    target_domain: str = field(name="td", default="")
    ordinal: int = field(name="o", default=0)
    internal: bool = field(name="i", default=False)
    kind: str = field(name="k", default="text")
    anchor: str = field(name="a", default="")
    rel: tuple[str, ...] = field(name="r", default=())
    follow: bool = field(name="f", default=True)
    placement: str = field(name="l", default="content")
    confidence: int = field(name="lc", default=0)  # of the placement, in thousandths
    text_before: str = field(name="b", default="")
    text_after: str = field(name="e", default="")
    heading: str = field(name="h", default="")
    position: int = field(name="n", default=0)
    first_seen: int = field(name="fs", default=0)
    began: int | None = field(name="si", default=None)  # None: this version is the first
    confirmed: int | None = field(name="c", default=None)  # of live ones, the page's read_at
    until: int | None = field(name="u", default=None)
    because: str | None = field(name="w", default=None)
    template_pages: int = field(name="tp", default=0)
    site_placement: str | None = field(name="sp", default=None)
    site_confidence: int | None = field(name="sc", default=None)

    @property
    def since(self) -> int:
        """When this version began."""
        return self.first_seen if self.began is None else self.began

    @property
    def shown_placement(self) -> str:
        """The site's word, where it has one, over the page's."""
        return self.placement if self.site_placement is None else self.site_placement


class PageRecord(msgspec.Struct, kw_only=True, gc=False):
    """A visited page, with where its URL leads. Fields that :class:`linkindex.model.Visit` has too mean the same there."""

    id: bytes = field(name="_id")
    url: str = field(name="u", default="")
    host: str = field(name="h", default="")
    domain: str = field(name="d", default="")
    run: str = field(name="rn", default="")  # that visited it first
    depth: int = field(name="de", default=0)
    outcome: str = field(name="o", default="page")
    reason: str = field(name="re", default="")
    status: int = field(name="st", default=0)
    content_type: str = field(name="ct", default="")
    redirect: str = field(name="rd", default="")
    certificate_error: str = field(name="ce", default="")
    size: int = field(name="sz", default=0)
    elapsed: int = field(name="el", default=0)
    first_visited: int = field(name="fv", default=0)
    last_visited: int = field(name="lv", default=0)
    read_at: int | None = field(name="ra", default=None)  # when all its live links were last seen
    changed_at: int | None = field(name="ch", default=None)
    failures: int = field(name="fa", default=0)  # in a row: history.Streak
    failing_since: int | None = field(name="fi", default=None)
    known: str = field(name="kn", default="")  # outcome of the last reading; "": never read, or given up since
    content_digest: int = field(name="cd", default=0)
    links_digest: int = field(name="ld", default=0)  # history.links_digest; 0: the next reading has to compare
    external_links: int = field(name="xl", default=0)
    internal_links: int = field(name="il", default=0)
    inside: bytes = field(name="in", default=b"")  # internal links that are kept as paths only
    title: str = field(name="ti", default="")
    description: str = field(name="ds", default="")
    language: str = field(name="la", default="")
    author: str = field(name="au", default="")
    published: int | None = field(name="pu", default=None)
    modified: int | None = field(name="mo", default=None)
    type: str = field(name="ty", default="")
    platform: str = field(name="pl", default="")
    canonical: str = field(name="ca", default="")
    charset: str = field(name="cs", default="")
    robots: tuple[str, ...] = field(name="ro", default=())
    words: int = field(name="wo", default=0)
    text_digest: int = field(name="tx", default=0)
    near_digest: int = field(name="nd", default=0)
    terms: bytes = field(name="te", default=b"")
    lead_to: str | None = field(name="lt", default=None)  # where its URL leads, by its own word
    lead_domain: str | None = field(name="lm", default=None)
    lead_kind: str = field(name="lk", default="redirect")
    lead_status: int = field(name="ls", default=0)
    lead_since: int = field(name="lz", default=0)

    @property
    def doubtful(self) -> bool:
        """Whether the last visit could neither confirm nor deny what the page was like."""
        return doubtful(self.outcome)

    @property
    def lead(self) -> Lead | None:
        """Where the URL leads now."""
        return None if self.lead_to is None else Lead(to=self.lead_to, kind=self.lead_kind, status=self.lead_status)


class LeadRecord(msgspec.Struct, kw_only=True, gc=False):
    """Where a URL led once."""

    id: bytes = field(name="_id")
    page: bytes = field(name="p", default=b"")
    url: str = field(name="u", default="")
    to: str = field(name="lt", default="")
    domain: str = field(name="lm", default="")
    kind: str = field(name="lk", default="redirect")
    status: int = field(name="ls", default=0)
    since: int = field(name="si", default=0)
    until: int = field(name="un", default=0)

    @property
    def lead(self) -> Lead:
        return Lead(to=self.to, kind=self.kind, status=self.status)


class RankRecord(msgspec.Struct, kw_only=True):
    """The rank of a page or a domain in one ranking."""

    id: bytes = field(name="_id")
    rank: float = field(name="r")


class PairRecord(msgspec.Struct, kw_only=True):
    """What links from one domain to another amount to (:mod:`linkindex.store.mongo.pairs`)."""

    id: bytes = field(name="_id")
    target_domain: str = field(name="td", default="")
    source_domain: str = field(name="sd", default="")
    links: int = field(name="n", default=0)  # live, and so are all that are counted but those lost
    lost: int = field(name="lo", default=0)
    pages: int = field(name="p", default=0)
    follow: int = field(name="f", default=0)
    ugc: int = field(name="ug", default=0)
    sponsored: int = field(name="sp", default=0)
    doubtful: int = field(name="db", default=0)
    kinds: dict[str, int] = field(name="k", default_factory=dict)
    placements: dict[str, int] = field(name="l", default_factory=dict)
    alike: dict[str, int] = field(name="a", default_factory=dict)  # by target, anchor text and marks: pairs.Alike
    first_seen: int = field(name="fs", default=0)
    outlived: bool = field(name="ol", default=False)  # the link that was seen first is live no more: none is older


class LargeRecord(msgspec.Struct, kw_only=True):
    """A domain whose links are counted (:mod:`linkindex.store.mongo.large`)."""

    id: str = field(name="_id")


Record = TypeVar("Record", bound=msgspec.Struct)

SHORT = {
    record: {one.name: one.encode_name for one in msgspec.structs.fields(record)}
    for record in (LinkRecord, PageRecord, LeadRecord, PairRecord)
}
_BSON: dict[type[inspect.Type], tuple[str, ...]] = {
    inspect.StrType: ("string",),
    inspect.BytesType: ("binData",),
    inspect.BoolType: ("bool",),
    inspect.IntType: ("int", "long"),
    inspect.FloatType: ("double", "int", "long"),
    inspect.VarTupleType: ("array",),
    inspect.DictType: ("object",),
    inspect.NoneType: ("null",),
}
"""How the server calls what holds a value of a type."""

_SHORT_AND_USUAL = {
    record: ([one.encode_name for one in all_fields], [one.default for one in all_fields])
    for record in (LinkRecord, PageRecord, LeadRecord)
    for all_fields in [msgspec.structs.fields(record)]
}


def doubtful(outcome: str) -> bool:
    """Return whether a visit that ended so could neither confirm nor deny what the page was like."""
    return outcome not in _READ


def document(record: LinkRecord | PageRecord | LeadRecord) -> dict[str, Any]:
    """Return what is stored of a record."""
    names, usual = _SHORT_AND_USUAL[type(record)]
    values = msgspec.structs.astuple(record)
    return {
        name: list(value) if type(value) is tuple else value
        for name, value, default in zip(names, values, usual, strict=True)
        if value != default
    }


def fields(record: type[LinkRecord | PageRecord | LeadRecord | PairRecord], *names: str) -> dict[str, int]:
    """Return the projection that asks for these fields only."""
    short = SHORT[record]
    return {short[name]: 1 for name in names}


def odd_types(record: type[msgspec.Struct]) -> list[dict[str, Any]]:
    """Return what a server evaluates, to true where a field has a type that is not the record's."""
    made: list[dict[str, Any]] = []
    told = inspect.type_info(record)
    assert isinstance(told, inspect.StructType)
    for one in told.fields:
        types = one.type.types if isinstance(one.type, inspect.UnionType) else (one.type,)
        names = [name for type_ in types for name in _BSON[type(type_)]]
        made.append({"$not": [{"$in": [{"$type": f"${one.encode_name}"}, ["missing", *names]]}]})
    return made


class Strange:
    """Counts documents that are none of ours."""

    def __init__(self) -> None:
        self.count = 0

    def read(self, documents: Iterable[Document], record: type[Record]) -> Iterator[Record]:
        """Yield the records of ``documents``; strange ones are left out and counted."""
        for one in documents:
            try:
                yield msgspec.convert(one, record)
            except msgspec.ValidationError:
                self.count += 1


def difference(before: Document, record: LinkRecord | PageRecord) -> dict[str, dict[str, Any]]:
    """Return the update that makes the document ``before`` what ``record`` says, empty where it does already.

    Fields that this version does not know stay.
    """
    after = document(record)
    put = {name: value for name, value in after.items() if name not in before or before[name] != value}
    out = {name: "" for name in before.keys() - after.keys() if name in SHORT[type(record)].values()}
    return ({"$set": put} if put else {}) | ({"$unset": out} if out else {})
