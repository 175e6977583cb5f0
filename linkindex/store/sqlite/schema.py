"""The tables of a link index in SQLite, and the views that other programs may read."""

from __future__ import annotations

APPLICATION_ID = 0x6C616978  # "laix": tells a link index from any other SQLite file
VERSION = 6

PAGE_TIME = "max(read_at, changed_at)"
"""When the links of a page were seen last, at the latest: what is new on a page that was cut was seen later than the rest."""

URL_BITS = 28
"""A URL's id is its domain's id, then so many bits of its hash: the URLs of a domain lie together, and no index by text
is needed. What is taken goes to the next free number."""

TABLES = """
CREATE TABLE domain (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, rank REAL);
CREATE TABLE host (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, domain INTEGER NOT NULL REFERENCES domain);
CREATE TABLE anchor (id INTEGER PRIMARY KEY, text TEXT NOT NULL);  -- the id is 31 bits of the text's hash, or the next free

CREATE TABLE url (
  id INTEGER PRIMARY KEY,                    -- domain << 28 | hash
  origin INTEGER NOT NULL,                   -- host << 1 | whether it is https; -1: forgotten, and its place must stay
  tail TEXT NOT NULL                         -- what follows the host
);

CREATE TABLE look (                          -- what makes a version of a link, but its anchor
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  rel TEXT NOT NULL,                         -- tokens, parted by spaces
  follow INTEGER NOT NULL,
  placement TEXT NOT NULL,                   -- as the page says
  UNIQUE (kind, rel, follow, placement)
);

CREATE TABLE run (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);

CREATE TABLE page (                          -- what every visit writes
  id INTEGER PRIMARY KEY,
  url INTEGER NOT NULL REFERENCES url,
  run INTEGER REFERENCES run,                -- that visited it first
  outcome TEXT NOT NULL,                     -- of the last visit, with its reason and status
  reason TEXT NOT NULL,
  status INTEGER NOT NULL,
  depth INTEGER NOT NULL,                    -- links from a seed
  first_visited INTEGER NOT NULL,
  last_visited INTEGER NOT NULL,
  read_at INTEGER,                           -- when its links were last seen: "confirmed" of all live ones
  read_as TEXT,                              -- page or redirect: outcome of the last visit that saw its links
  changed_at INTEGER,
  failures INTEGER NOT NULL,                 -- visits in a row that brought no document, in one streak
  failing_since INTEGER,
  given_up INTEGER NOT NULL,                 -- 1: its links count as lost because of these failures
  content_digest INTEGER NOT NULL,
  links_digest INTEGER NOT NULL,             -- of all links; equal means that no link needs a look
  facts_digest INTEGER NOT NULL,
  external_links INTEGER NOT NULL,
  internal_links INTEGER NOT NULL,
  size INTEGER NOT NULL,
  elapsed INTEGER NOT NULL,
  content_type TEXT NOT NULL,
  redirect TEXT NOT NULL,
  certificate_error TEXT NOT NULL,
  rank REAL
);

CREATE TABLE fact (                          -- what the document said when it was last read
  page INTEGER PRIMARY KEY REFERENCES page,
  title TEXT NOT NULL,
  language TEXT NOT NULL,
  author TEXT NOT NULL,
  published INTEGER,
  modified INTEGER,
  type TEXT NOT NULL,
  platform TEXT NOT NULL,
  canonical TEXT NOT NULL,
  charset TEXT NOT NULL,
  robots TEXT NOT NULL,                      -- directives, parted by "; "
  words INTEGER NOT NULL,
  text_digest INTEGER NOT NULL,
  near_digest INTEGER NOT NULL,
  terms BLOB NOT NULL                        -- linkindex.relevance
);

CREATE TABLE outgoing (                      -- linkindex.store.sqlite.packing says how they are packed
  page INTEGER PRIMARY KEY REFERENCES page,
  bundles BLOB NOT NULL,                     -- to_domain and number of each version's bundle, by slot
  internal BLOB                              -- internal targets that are kept as paths
);

CREATE TABLE around (                        -- the words of a page that are read only when they are shown
  page INTEGER PRIMARY KEY REFERENCES page,
  words BLOB NOT NULL                        -- description; position, confidence, text before and after, heading of each link
);

CREATE TABLE dictionary (                    -- linkindex.store.sqlite.dictionaries: of words. None is ever taken out
  id INTEGER PRIMARY KEY,                    -- as frames name it, 0: the words were too few for one
  pages INTEGER NOT NULL,                    -- that there were when it was trained; 0: for compaction alone
  content BLOB NOT NULL
);

-- Links of one host that look alike: same target, anchor, kind, rel, follow and placement.
CREATE TABLE bundle (
  to_domain INTEGER NOT NULL REFERENCES domain,
  from_domain INTEGER NOT NULL REFERENCES domain,
  number INTEGER NOT NULL,                   -- bits of a hash: 7, 15 or 31 of them, whatever was free
  host INTEGER NOT NULL REFERENCES host,     -- of the pages
  target INTEGER NOT NULL,                   -- with to_domain, the id of a url: to_domain << 28 | target
  anchor INTEGER NOT NULL REFERENCES anchor,
  look INTEGER NOT NULL REFERENCES look,
  live INTEGER NOT NULL,                     -- links
  lost INTEGER NOT NULL,
  template_pages INTEGER,                    -- by linkindex.classify: pages of the host with this very link, NULL: no template
  site_placement TEXT,                       -- by linkindex.classify: the site's word against the page's, NULL: none
  site_confidence REAL,
  heads INTEGER NOT NULL DEFAULT 0,          -- live links that are their page's first to that domain: pages, where summed up
  doubtful INTEGER NOT NULL DEFAULT 0,       -- live links whose page could not be read when it was last visited
  first_seen INTEGER,                        -- of the live link that was seen first, NULL: none, or look at the links
  PRIMARY KEY (to_domain, from_domain, number)
) WITHOUT ROWID;

CREATE TABLE link (                          -- versions of links that are live. Times are ms since page.first_visited
  to_domain INTEGER NOT NULL,
  from_domain INTEGER NOT NULL,
  number INTEGER NOT NULL,                   -- of the bundle
  page INTEGER NOT NULL REFERENCES page,
  slot INTEGER NOT NULL,                     -- a page's versions are counted from 0
  ordinal INTEGER NOT NULL,
  since INTEGER NOT NULL,
  first_seen INTEGER,                        -- since of the link's first version, NULL: this one
  PRIMARY KEY (to_domain, from_domain, number, page, slot)
) WITHOUT ROWID;

CREATE TABLE past (                          -- versions that have ended
  to_domain INTEGER NOT NULL,
  from_domain INTEGER NOT NULL,
  number INTEGER NOT NULL,
  page INTEGER NOT NULL REFERENCES page,
  slot INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  since INTEGER NOT NULL,
  first_seen INTEGER,
  confirmed INTEGER NOT NULL,                -- when it was seen last
  until INTEGER NOT NULL,
  because TEXT NOT NULL,
  latest INTEGER NOT NULL,                   -- 1: the link is lost, 0: it had another version after this one
  PRIMARY KEY (to_domain, from_domain, number, page, slot)
) WITHOUT ROWID;

CREATE TABLE lead (                          -- where a URL led by its own word
  url INTEGER NOT NULL REFERENCES url,
  since INTEGER NOT NULL,
  until INTEGER,
  kind TEXT NOT NULL,
  status INTEGER NOT NULL,
  "to" INTEGER NOT NULL REFERENCES url,
  PRIMARY KEY (url, since)
) WITHOUT ROWID;

CREATE TABLE total (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;  -- counts of the whole index
CREATE TABLE about (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;     -- what the whole index rests on
CREATE TABLE migration (version INTEGER PRIMARY KEY, name TEXT NOT NULL, at TEXT NOT NULL);  -- formats it has had, UTC
"""

INDEXES = {
    "page_of_url": "CREATE UNIQUE INDEX page_of_url ON page (url)",
    "page_by_time": f"CREATE INDEX page_by_time ON page (url >> {URL_BITS}, {PAGE_TIME}) WHERE read_at IS NOT NULL",
    "page_cut": f"CREATE INDEX page_cut ON page (url >> {URL_BITS}) WHERE changed_at > read_at",  # which few are
    "page_of_run": "CREATE INDEX page_of_run ON page (run) WHERE run IS NOT NULL",
    "lead_to": 'CREATE INDEX lead_to ON lead ("to", url)',
}
"""What answers need to be quick; the primary keys do the rest."""

URL_TEXT = "iif({0}.origin & 1, 'https://', 'http://') || {1}.name || {0}.tail"
"""A URL's text, from its rows of url and host."""

_MOMENT = "strftime('%Y-%m-%dT%H:%M:%fZ', ({0}) / 1000.0, 'unixepoch')"

_BACKLINKS = f"""
CREATE VIEW backlinks AS  -- live links to other domains; times are UTC
SELECT {URL_TEXT.format("su", "sh")} AS source, sd.name AS source_domain, {URL_TEXT.format("tu", "th")} AS target,
  td.name AS target_domain, k.kind, a.text AS anchor, k.rel, k.follow, coalesce(b.site_placement, k.placement) AS placement,
  coalesce(b.template_pages, 0) AS template_pages,
  {_MOMENT.format("p.first_visited + coalesce(l.first_seen, l.since)")} AS first_seen,
  {_MOMENT.format("max(p.read_at, p.first_visited + l.since)")} AS last_seen,
  iif(p.outcome IN ('page', 'redirect'), NULL, p.outcome) AS doubt, f.title AS source_title, f.language AS source_language,
  p.rank AS source_rank, sd.rank AS domain_rank
FROM bundle b JOIN link l ON l.to_domain = b.to_domain AND l.from_domain = b.from_domain AND l.number = b.number
JOIN page p ON p.id = l.page JOIN url su ON su.id = p.url JOIN host sh ON sh.id = su.origin >> 1
JOIN domain sd ON sd.id = b.from_domain JOIN domain td ON td.id = b.to_domain
JOIN url tu ON tu.id = b.to_domain << {URL_BITS} | b.target JOIN host th ON th.id = tu.origin >> 1
JOIN anchor a ON a.id = b.anchor JOIN look k ON k.id = b.look LEFT JOIN fact f ON f.page = p.id
WHERE b.from_domain <> b.to_domain"""  # noqa: S608

_DOMAINS = """
CREATE VIEW referring_domains AS  -- which domains link to a domain, with live links
SELECT td.name AS target_domain, sd.name AS domain, sum(b.live) AS backlinks, sum(iif(k.follow, b.live, 0)) AS follow,
  sum(iif(k.follow, 0, b.live)) AS nofollow, sd.rank AS domain_rank
FROM bundle b JOIN domain td ON td.id = b.to_domain JOIN domain sd ON sd.id = b.from_domain JOIN look k ON k.id = b.look
WHERE b.from_domain <> b.to_domain AND b.live > 0 GROUP BY b.to_domain, b.from_domain"""

VIEWS = {"backlinks": _BACKLINKS, "referring_domains": _DOMAINS}

SCHEMA = ";\n".join((TABLES.rstrip("\n; "), *INDEXES.values(), *VIEWS.values(), ""))

FACTS = (
    *(
        "title",
        "language",
        "author",
        "published",
        "modified",
        "type",
        "platform",
        "canonical",
        "charset",
    ),
    *("robots", "words", "text_digest", "near_digest", "terms"),
)
"""Columns of fact that hold what :class:`linkindex.model.PageFacts` says, by the same names; the description is in around."""
