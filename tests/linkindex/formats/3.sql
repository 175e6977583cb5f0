BEGIN TRANSACTION;
CREATE TABLE about (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
INSERT INTO "about" VALUES('suffix_list',X'323032352D30342D30375F31352D35312D30395F555443');
INSERT INTO "about" VALUES('url_rules',X'31');
CREATE TABLE anchor (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
INSERT INTO "anchor" VALUES(1,'old words');
INSERT INTO "anchor" VALUES(2,'why');
INSERT INTO "anchor" VALUES(3,'new words');
INSERT INTO "anchor" VALUES(4,'');
CREATE TABLE domain (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
INSERT INTO "domain" VALUES(1,'a.example');
INSERT INTO "domain" VALUES(2,'b.example');
INSERT INTO "domain" VALUES(3,'c.example');
CREATE TABLE host (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, domain INTEGER NOT NULL REFERENCES domain);
INSERT INTO "host" VALUES(1,'a.example',1);
INSERT INTO "host" VALUES(2,'b.example',2);
INSERT INTO "host" VALUES(3,'c.example',3);
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
INSERT INTO "link" VALUES(1,1,2,0,0,0,'text',1,'',1,'unknown',0.0,'','','',X'7233DC38C3C48DEF',86400000,86400000,86400000,172800000,'changed',0,0,NULL,NULL);
INSERT INTO "link" VALUES(2,1,3,0,1,0,'text',2,'',1,'unknown',0.0,'','','',X'E8F8AD3EB4D716A0',86400000,86400000,86400000,172800000,'removed',1,0,NULL,NULL);
INSERT INTO "link" VALUES(3,1,2,0,1,0,'text',3,'',1,'unknown',0.0,'','','',X'A5EDD76BD7B6FBEA',86400000,172800000,NULL,NULL,NULL,0,0,NULL,NULL);
INSERT INTO "link" VALUES(4,4,2,0,1,0,'redirect',4,'',1,'unknown',0.0,'','','',X'BB3AC5203B8B7A57',86400000,86400000,NULL,NULL,NULL,0,0,NULL,NULL);
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
INSERT INTO "page" VALUES(1,'page','',0,'','','',0,0,86400000,172800000,172800000,172800000,0,NULL,0,-3036245435041357856,1,1,X'789CD337020000920062','One','','','',NULL,NULL,'','','','','',9,0,0,X'',1);
INSERT INTO "page" VALUES(4,'redirect','',301,'','https://b.example/x','',0,0,86400000,86400000,86400000,86400000,0,NULL,0,8372436280702152877,1,0,NULL,'','','','',NULL,NULL,'','','','','',0,0,0,X'',2);
CREATE TABLE url (
  id INTEGER PRIMARY KEY,
  url TEXT NOT NULL UNIQUE,
  host INTEGER NOT NULL REFERENCES host,
  domain INTEGER NOT NULL REFERENCES domain  -- of the host; here too, for it is what most questions ask
);
INSERT INTO "url" VALUES(1,'https://a.example/1',1,1);
INSERT INTO "url" VALUES(2,'https://b.example/x',2,2);
INSERT INTO "url" VALUES(3,'https://b.example/y',2,2);
INSERT INTO "url" VALUES(4,'https://c.example/moved',3,3);
CREATE INDEX url_of_domain ON url (domain, host);
CREATE INDEX page_outcome ON page (outcome);
CREATE INDEX link_of_source ON link (source, latest);
CREATE INDEX link_to_target ON link (target, latest);
PRAGMA application_id = 1818323320;
PRAGMA user_version = 3;
COMMIT;
