/** The tables of an organisation's object; see `migrate`. Times are milliseconds since 1970. */
export const STEPS = [
  `CREATE TABLE organisation (
     id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT NOT NULL, tiers TEXT NOT NULL, created INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE token (
     id TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, user TEXT, tier TEXT NOT NULL, scopes TEXT NOT NULL,
     note TEXT, created INTEGER NOT NULL, expires INTEGER, revoked INTEGER
   ) STRICT;
   CREATE TABLE block (
     kind TEXT NOT NULL, value TEXT NOT NULL, note TEXT, created INTEGER NOT NULL, expires INTEGER NOT NULL,
     PRIMARY KEY (kind, value)
   ) STRICT;`,
  'CREATE TABLE session (subject TEXT PRIMARY KEY, day INTEGER NOT NULL, count INTEGER NOT NULL) STRICT',
  'CREATE TABLE provider_key (provider TEXT PRIMARY KEY, sealed BLOB NOT NULL, changed INTEGER NOT NULL) STRICT',
];
