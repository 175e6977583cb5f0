BEGIN TRANSACTION;
CREATE TABLE about (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
INSERT INTO "about" VALUES('suffix_list',X'323032352D30342D30375F31352D35312D30395F555443');
INSERT INTO "about" VALUES('url_rules',X'31');
CREATE TABLE anchor (id INTEGER PRIMARY KEY, text TEXT NOT NULL);
INSERT INTO "anchor" VALUES(1276978805,'new words');
INSERT INTO "anchor" VALUES(1637355832,'old words');
INSERT INTO "anchor" VALUES(1702793996,'why');
INSERT INTO "anchor" VALUES(1954132660,'');
CREATE TABLE around (                        -- what stands around links; read when they are shown
  page INTEGER PRIMARY KEY REFERENCES page,
  words BLOB NOT NULL                        -- position, confidence, text before and after, heading of each link, by slot
);
INSERT INTO "around" VALUES(1,X'28B52FFD2038C101008201950100A0A0A0029500CD02BCB277686174207374616E6473206265666F7265AC616E64206166746572206974A9412068656164696E67');
INSERT INTO "around" VALUES(2,X'28B52FFD20084100008100950000A0A0A0');
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
INSERT INTO "bundle" VALUES(2,1,34,1,168217089,1276978805,1,1,0,NULL,NULL,NULL,1,1,86400000);
INSERT INTO "bundle" VALUES(2,1,66,1,168217089,1637355832,1,0,0,NULL,NULL,NULL,0,0,NULL);
INSERT INTO "bundle" VALUES(2,1,113,1,267530522,1702793996,1,0,1,NULL,NULL,NULL,0,0,NULL);
INSERT INTO "bundle" VALUES(2,3,116,3,168217089,1954132660,2,1,0,NULL,NULL,NULL,1,0,86400000);
CREATE TABLE domain (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, rank REAL);
INSERT INTO "domain" VALUES(1,'a.example',NULL);
INSERT INTO "domain" VALUES(2,'b.example',NULL);
INSERT INTO "domain" VALUES(3,'c.example',NULL);
CREATE TABLE fact (                          -- what the document said when it was last read
  page INTEGER PRIMARY KEY REFERENCES page,
  title TEXT NOT NULL,
  description TEXT NOT NULL,
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
INSERT INTO "fact" VALUES(1,'One','','','',NULL,NULL,'','','','','',9,0,0,X'');
INSERT INTO "fact" VALUES(2,'','','','',NULL,NULL,'','','','','',0,0,0,X'');
CREATE TABLE host (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, domain INTEGER NOT NULL REFERENCES domain);
INSERT INTO "host" VALUES(1,'a.example',1);
INSERT INTO "host" VALUES(2,'b.example',2);
INSERT INTO "host" VALUES(3,'c.example',3);
CREATE TABLE lead (                          -- where a URL led by its own word
  url INTEGER NOT NULL REFERENCES url,
  since INTEGER NOT NULL,
  until INTEGER,
  kind TEXT NOT NULL,
  status INTEGER NOT NULL,
  "to" INTEGER NOT NULL REFERENCES url,
  PRIMARY KEY (url, since)
) WITHOUT ROWID;
INSERT INTO "lead" VALUES(873323748,86400000,NULL,'redirect',301,705088001);
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
INSERT INTO "link" VALUES(2,1,34,1,2,0,86400000,0);
INSERT INTO "link" VALUES(2,3,116,2,0,0,0,NULL);
CREATE TABLE look (                          -- what makes a version of a link, but its anchor
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  rel TEXT NOT NULL,                         -- tokens, parted by spaces
  follow INTEGER NOT NULL,
  placement TEXT NOT NULL,                   -- as the page says
  UNIQUE (kind, rel, follow, placement)
);
INSERT INTO "look" VALUES(1,'text','',1,'unknown');
INSERT INTO "look" VALUES(2,'redirect','',1,'unknown');
CREATE TABLE migration (version INTEGER PRIMARY KEY, name TEXT NOT NULL, at TEXT NOT NULL);
INSERT INTO "migration" VALUES(5,'made','2026-11-26T02:00:00+00:00');
CREATE TABLE outgoing (                      -- linkindex.store.sqlite.packing says how they are packed
  page INTEGER PRIMARY KEY REFERENCES page,
  bundles BLOB NOT NULL,                     -- to_domain and number of each version's bundle, by slot
  internal BLOB                              -- internal targets that are kept as paths
);
INSERT INTO "outgoing" VALUES(1,X'96024202710222',X'789CD337020000920062');
INSERT INTO "outgoing" VALUES(2,X'920274',NULL);
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
INSERT INTO "page" VALUES(1,411960345,NULL,'blocked','',403,0,86400000,216000000,172800000,'page',172800000,1,216000000,0,0,-1675432083302619360,-8705346029950120914,1,1,0,0,'','','',NULL);
INSERT INTO "page" VALUES(2,873323748,NULL,'redirect','',301,0,86400000,86400000,86400000,'redirect',86400000,0,NULL,0,0,-3240773946692769973,3461557767725208491,1,0,0,0,'','https://b.example/x','',NULL);
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
INSERT INTO "past" VALUES(2,1,66,1,0,0,0,NULL,86400000,172800000,'changed',0);
INSERT INTO "past" VALUES(2,1,113,1,1,0,0,NULL,86400000,172800000,'removed',1);
CREATE TABLE run (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE total (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO "total" VALUES('links',2);
INSERT INTO "total" VALUES('lost',1);
INSERT INTO "total" VALUES('versions',4);
CREATE TABLE url (
  id INTEGER PRIMARY KEY,                    -- domain << 28 | hash
  origin INTEGER NOT NULL,                   -- host << 1 | whether it is https; -1: forgotten, and its place must stay
  tail TEXT NOT NULL                         -- what follows the host
);
INSERT INTO "url" VALUES(411960345,3,'/1');
INSERT INTO "url" VALUES(705088001,5,'/x');
INSERT INTO "url" VALUES(804401434,5,'/y');
INSERT INTO "url" VALUES(873323748,7,'/moved');
CREATE UNIQUE INDEX page_of_url ON page (url);
CREATE INDEX page_by_time ON page (url >> 28, max(read_at, changed_at)) WHERE read_at IS NOT NULL;
CREATE INDEX page_of_run ON page (run) WHERE run IS NOT NULL;
CREATE INDEX lead_to ON lead ("to", url);
CREATE VIEW backlinks AS  -- live links to other domains; times are UTC
SELECT iif(su.origin & 1, 'https://', 'http://') || sh.name || su.tail AS source, sd.name AS source_domain, iif(tu.origin & 1, 'https://', 'http://') || th.name || tu.tail AS target,
  td.name AS target_domain, k.kind, a.text AS anchor, k.rel, k.follow, coalesce(b.site_placement, k.placement) AS placement,
  coalesce(b.template_pages, 0) AS template_pages,
  strftime('%Y-%m-%dT%H:%M:%fZ', (p.first_visited + coalesce(l.first_seen, l.since)) / 1000.0, 'unixepoch') AS first_seen,
  strftime('%Y-%m-%dT%H:%M:%fZ', (max(p.read_at, p.first_visited + l.since)) / 1000.0, 'unixepoch') AS last_seen,
  iif(p.outcome IN ('page', 'redirect'), NULL, p.outcome) AS doubt, f.title AS source_title, f.language AS source_language,
  p.rank AS source_rank, sd.rank AS domain_rank
FROM bundle b JOIN link l ON l.to_domain = b.to_domain AND l.from_domain = b.from_domain AND l.number = b.number
JOIN page p ON p.id = l.page JOIN url su ON su.id = p.url JOIN host sh ON sh.id = su.origin >> 1
JOIN domain sd ON sd.id = b.from_domain JOIN domain td ON td.id = b.to_domain
JOIN url tu ON tu.id = b.to_domain << 28 | b.target JOIN host th ON th.id = tu.origin >> 1
JOIN anchor a ON a.id = b.anchor JOIN look k ON k.id = b.look LEFT JOIN fact f ON f.page = p.id
WHERE b.from_domain <> b.to_domain;
CREATE VIEW referring_domains AS  -- which domains link to a domain, with live links
SELECT td.name AS target_domain, sd.name AS domain, sum(b.live) AS backlinks, sum(iif(k.follow, b.live, 0)) AS follow,
  sum(iif(k.follow, 0, b.live)) AS nofollow, sd.rank AS domain_rank
FROM bundle b JOIN domain td ON td.id = b.to_domain JOIN domain sd ON sd.id = b.from_domain JOIN look k ON k.id = b.look
WHERE b.from_domain <> b.to_domain AND b.live > 0 GROUP BY b.to_domain, b.from_domain;
PRAGMA application_id = 1818323320;
PRAGMA user_version = 5;
COMMIT;
