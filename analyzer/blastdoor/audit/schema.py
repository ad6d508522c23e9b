"""The tables of the store; ``docs/audit.md`` explains them to people who query them.

What an analysis of given content says stands once, under its key, whichever audits and repositories have
that content: the results are the cache. An audit only says which result each repository had.
"""

from __future__ import annotations

from typing import Final

VERSION: Final = 1
"""``PRAGMA user_version`` of a store."""

TABLES: Final = """
CREATE TABLE audit (
  id INTEGER PRIMARY KEY,
  started TEXT NOT NULL,             -- UTC, ISO 8601
  finished TEXT,                     -- NULL while it runs, and when it was broken off
  day TEXT NOT NULL,                 -- the day that suppressions were held against
  version TEXT NOT NULL,             -- of blastdoor
  engine TEXT NOT NULL,              -- digest of program, rules and tables
  setup TEXT NOT NULL,               -- JSON
  left_out TEXT NOT NULL             -- JSON: reason -> repositories that are not audited
) STRICT;

CREATE TABLE repository (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE result (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,          -- digest of content, rules and setup
  day TEXT NOT NULL,                 -- '' or the only day on which it holds
  objects TEXT NOT NULL,             -- '' or which git objects were there: some were missing
  provenance TEXT NOT NULL,          -- how far it is known who wrote what
  units INTEGER NOT NULL,
  files INTEGER NOT NULL,
  resources INTEGER NOT NULL,
  errors INTEGER NOT NULL,
  warnings INTEGER NOT NULL,
  notes INTEGER NOT NULL,
  suppressed INTEGER NOT NULL,
  sarif BLOB                         -- zlib, when a log was asked for
) STRICT;

-- The ledger: what became of each repository of each audit.
CREATE TABLE ledger (
  audit INTEGER NOT NULL REFERENCES audit,
  repository INTEGER NOT NULL REFERENCES repository,
  state TEXT NOT NULL CHECK (state IN ('pending', 'running', 'done', 'failed')),
  target TEXT NOT NULL,              -- JSON
  owner TEXT NOT NULL,               -- as the list or the forge says
  attempts INTEGER NOT NULL DEFAULT 0,
  "commit" TEXT NOT NULL DEFAULT '',
  result INTEGER REFERENCES result,  -- NULL unless done
  reused INTEGER NOT NULL DEFAULT 0, -- 1: nothing had changed, nothing was analysed
  kind TEXT NOT NULL DEFAULT '',     -- of failed: limit, crash, unreadable, internal
  reason TEXT NOT NULL DEFAULT '',
  cpu REAL NOT NULL DEFAULT 0,       -- seconds
  wall REAL NOT NULL DEFAULT 0,      -- seconds
  memory INTEGER NOT NULL DEFAULT 0, -- peak resident set, bytes
  PRIMARY KEY (audit, repository)
) STRICT, WITHOUT ROWID;

CREATE TABLE finding (
  id INTEGER PRIMARY KEY,
  result INTEGER NOT NULL REFERENCES result,
  rank INTEGER NOT NULL,             -- order in the report
  fingerprint TEXT NOT NULL,         -- blastdoor/v1
  rule TEXT NOT NULL,
  code TEXT NOT NULL,
  family TEXT NOT NULL,
  level TEXT NOT NULL,               -- error, warning, note
  confidence TEXT NOT NULL,
  path TEXT NOT NULL,
  line INTEGER NOT NULL,
  "column" INTEGER NOT NULL,
  end_line INTEGER NOT NULL,
  end_column INTEGER NOT NULL,
  unit TEXT NOT NULL,                -- address of what it is about
  environment TEXT NOT NULL,         -- 'production', 'non-production', ''
  axis TEXT NOT NULL,
  attribute TEXT NOT NULL,
  value TEXT NOT NULL,
  title TEXT NOT NULL,
  message TEXT NOT NULL,
  contain TEXT NOT NULL,
  evidence TEXT NOT NULL,            -- JSON: words
  related TEXT NOT NULL,             -- JSON: the chain, as in the JSON report
  reach TEXT,                        -- JSON: axis -> extent
  quote TEXT,                        -- JSON: [before, inside, behind] of its line
  quotes TEXT NOT NULL,              -- JSON: the same for each of related
  suppressed TEXT                    -- NULL, or the reason
) STRICT;

CREATE TABLE agent (
  finding INTEGER NOT NULL REFERENCES finding,
  agent TEXT NOT NULL,
  mark TEXT NOT NULL,                -- what stands on the commit
  PRIMARY KEY (finding, agent, mark)
) STRICT, WITHOUT ROWID;

CREATE TABLE unit (
  id INTEGER PRIMARY KEY,
  result INTEGER NOT NULL REFERENCES result,
  address TEXT NOT NULL,
  environment TEXT NOT NULL,
  resources INTEGER NOT NULL
) STRICT;

CREATE TABLE reach (
  id INTEGER PRIMARY KEY,
  unit INTEGER NOT NULL REFERENCES unit,
  about TEXT NOT NULL,               -- regions, accounts, targets, fleet
  axis TEXT NOT NULL,
  reach TEXT NOT NULL,               -- in words
  known INTEGER NOT NULL,
  broad INTEGER NOT NULL,            -- takes in what nobody has named
  pinned INTEGER,                    -- regions: 1 all named, 0 decided by the environment
  breadth INTEGER NOT NULL,          -- a count; 1000 without an end, 500 with one
  resources INTEGER NOT NULL,
  addresses TEXT NOT NULL,           -- JSON
  path TEXT NOT NULL,
  line INTEGER,
  via TEXT NOT NULL
) STRICT;

CREATE TABLE failure (
  id INTEGER PRIMARY KEY,
  result INTEGER NOT NULL REFERENCES result,
  kind TEXT NOT NULL,
  path TEXT NOT NULL,
  line INTEGER,
  rule TEXT,
  fatal INTEGER NOT NULL,
  message TEXT NOT NULL
) STRICT;

CREATE TABLE coverage (
  result INTEGER NOT NULL REFERENCES result,
  kind TEXT NOT NULL,
  resolved INTEGER NOT NULL,
  unresolved INTEGER NOT NULL,
  undecidable INTEGER NOT NULL,
  PRIMARY KEY (result, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE gap (
  result INTEGER NOT NULL REFERENCES result,
  sort TEXT NOT NULL CHECK (sort IN ('skipped', 'unresolved')),
  reason TEXT NOT NULL,
  number INTEGER NOT NULL,
  PRIMARY KEY (result, sort, reason)
) STRICT, WITHOUT ROWID;

CREATE TABLE owner (
  result INTEGER NOT NULL REFERENCES result,
  path TEXT NOT NULL,
  owner TEXT NOT NULL,               -- as CODEOWNERS says
  PRIMARY KEY (result, path, owner)
) STRICT, WITHOUT ROWID;

CREATE INDEX ledger_result ON ledger (result);
CREATE INDEX ledger_repository ON ledger (repository, audit);
CREATE INDEX ledger_state ON ledger (audit, state);
CREATE INDEX finding_result ON finding (result, fingerprint);
CREATE INDEX finding_fingerprint ON finding (fingerprint);
CREATE INDEX finding_rule ON finding (rule, level);
CREATE INDEX agent_agent ON agent (agent);
CREATE INDEX unit_result ON unit (result);
CREATE INDEX reach_unit ON reach (unit);
CREATE INDEX reach_breadth ON reach (axis, breadth, resources);
CREATE INDEX failure_result ON failure (result);

-- What people ask, with the audit and the name of the repository in front.
CREATE VIEW findings AS
  SELECT l.audit, r.name AS repository, l.owner AS repository_owner, l."commit", f.*
  FROM ledger l JOIN repository r ON r.id = l.repository JOIN finding f ON f.result = l.result;

CREATE VIEW reaches AS
  SELECT l.audit, r.name AS repository, l.owner AS repository_owner, u.result, u.address AS unit,
    u.environment, u.resources AS unit_resources, e.id, e.about, e.axis, e.reach, e.known, e.broad,
    e.pinned, e.breadth, e.resources, e.addresses, e.path, e.line, e.via
  FROM ledger l JOIN repository r ON r.id = l.repository
    JOIN unit u ON u.result = l.result JOIN reach e ON e.unit = u.id;

CREATE VIEW failures AS
  SELECT l.audit, r.name AS repository, 'repository' AS part, l.kind, '' AS path, NULL AS line,
    1 AS fatal, l.reason AS message
  FROM ledger l JOIN repository r ON r.id = l.repository WHERE l.state = 'failed'
  UNION ALL
  SELECT l.audit, r.name, 'file', f.kind, f.path, f.line, f.fatal, f.message
  FROM ledger l JOIN repository r ON r.id = l.repository JOIN failure f ON f.result = l.result;
"""
