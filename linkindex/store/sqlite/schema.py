"""The tables of a link index in SQLite."""

from __future__ import annotations

APPLICATION_ID = 0x6C616978  # "laix": tells a link index from any other SQLite file
VERSION = 3

SCHEMA = """
CREATE TABLE domain (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE host (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, domain INTEGER NOT NULL REFERENCES domain);
CREATE TABLE anchor (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);

CREATE TABLE url (
  id INTEGER PRIMARY KEY,
  url TEXT NOT NULL UNIQUE,
  host INTEGER NOT NULL REFERENCES host,
  domain INTEGER NOT NULL REFERENCES domain  -- of the host; here too, for it is what most questions ask
);
CREATE INDEX url_of_domain ON url (domain, host);

CREATE TABLE page (
  url INTEGER PRIMARY KEY REFERENCES url,
  outcome TEXT NOT NULL,                     -- of the last visit, with its reason and status
  reason TEXT NOT NULL,
  status INTEGER NOT NULL,
  content_type TEXT NOT NULL,
  redirect TEXT NOT NULL,
  certificate_error TEXT NOT NULL,
  size INTEGER NOT NULL,
  elapsed INTEGER NOT NULL,
  first_visited INTEGER NOT NULL,
  last_visited INTEGER NOT NULL,
  read_at INTEGER,                           -- when its links were last seen: "confirmed" of all live ones
  changed_at INTEGER,
  failures INTEGER NOT NULL,                 -- visits in a row that ended as the last one did, without a document
  failing_since INTEGER,
  content_digest INTEGER NOT NULL,
  links_digest INTEGER NOT NULL,             -- of all links; equal means that no link row needs a look
  external_links INTEGER NOT NULL,
  internal_links INTEGER NOT NULL,
  internal BLOB,                             -- zlib of the internal targets, one a line: paths, or URLs of other hosts
  title TEXT NOT NULL DEFAULT '',            -- from here on: what the document said when it was last read
  description TEXT NOT NULL DEFAULT '',
  language TEXT NOT NULL DEFAULT '',
  author TEXT NOT NULL DEFAULT '',
  published INTEGER,
  modified INTEGER,
  type TEXT NOT NULL DEFAULT '',
  platform TEXT NOT NULL DEFAULT '',
  canonical TEXT NOT NULL DEFAULT '',
  charset TEXT NOT NULL DEFAULT '',
  robots TEXT NOT NULL DEFAULT '',
  words INTEGER NOT NULL DEFAULT 0,
  text_digest INTEGER NOT NULL DEFAULT 0,
  near_digest INTEGER NOT NULL DEFAULT 0,
  terms BLOB NOT NULL DEFAULT x'',           -- linkindex.relevance
  depth INTEGER NOT NULL DEFAULT 0           -- links from a seed, at the last visit
);
CREATE INDEX page_outcome ON page (outcome);

CREATE TABLE link (
  id INTEGER PRIMARY KEY,
  source INTEGER NOT NULL REFERENCES url,
  target INTEGER NOT NULL REFERENCES url,
  ordinal INTEGER NOT NULL,
  latest INTEGER NOT NULL,                   -- 1 on the last version of a link, live or lost
  internal INTEGER NOT NULL,
  kind TEXT NOT NULL,
  anchor INTEGER NOT NULL REFERENCES anchor,
  rel TEXT NOT NULL,
  follow INTEGER NOT NULL,
  placement TEXT NOT NULL,
  placement_confidence REAL NOT NULL,
  text_before TEXT NOT NULL,
  text_after TEXT NOT NULL,
  heading TEXT NOT NULL,
  attributes BLOB NOT NULL,                  -- linkindex.history.attributes
  first_seen INTEGER NOT NULL,               -- since of the link's first version
  since INTEGER NOT NULL,
  confirmed INTEGER,                         -- set when the version ends; of live ones, the page's read_at
  until INTEGER,
  ended_because TEXT,
  position INTEGER NOT NULL DEFAULT 0,       -- among all links of the page
  template_pages INTEGER NOT NULL DEFAULT 0, -- by linkindex.classify: pages of the host with this very link, 0: no template
  site_placement TEXT,                       -- by linkindex.classify: the site's word against the page's, NULL: none
  site_confidence REAL
);
CREATE INDEX link_of_source ON link (source, latest);
CREATE INDEX link_to_target ON link (target, latest);

CREATE TABLE about (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;  -- what the whole index rests on
"""

FACTS = (
    *(
        "title",
        "description",
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
"""Columns of page that hold what :class:`linkindex.model.PageFacts` says, by the same names."""
