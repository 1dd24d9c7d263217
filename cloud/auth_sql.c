// SPDX-License-Identifier: MIT
/*
 * auth_sql.c - the tables of auth.db and every statement that is run on them, in words that SQLite
 * and PostgreSQL share (index_sql.c says what that is; where nobody else writes between two
 * statements in the one, a statement that changes nothing takes the lock in the other).
 */
#include "cloud/auth_state.h"

/* Names are unique in a tenant. Cameras: a list as in whose.h, NULL: all. Times are UTC ns. */
#define STEP_PEOPLE                                                                                \
	"CREATE TABLE tenants (name TEXT PRIMARY KEY, created_ns INTEGER NOT NULL) WITHOUT ROWID;" \
	"INSERT OR IGNORE INTO tenants SELECT tenant, created_ns FROM admins;"                     \
	"INSERT OR IGNORE INTO tenants SELECT tenant, min(issued_ns) FROM certificates"            \
	" GROUP BY tenant;"                                                                        \
	"CREATE TABLE users (tenant TEXT, name TEXT, role INTEGER NOT NULL, hash TEXT NOT NULL,"   \
	" disabled INTEGER NOT NULL DEFAULT 0, cameras TEXT, created_ns INTEGER NOT NULL,"         \
	" login_ns INTEGER NOT NULL DEFAULT 0, totp BLOB, totp_on INTEGER NOT NULL DEFAULT 0,"     \
	" totp_step INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (tenant, name)) WITHOUT ROWID;"        \
	"CREATE TABLE recovery (tenant TEXT, user TEXT, hash BLOB,"                                \
	" PRIMARY KEY (tenant, user, hash)) WITHOUT ROWID;"                                        \
	"CREATE TABLE sessions (hash BLOB PRIMARY KEY, id TEXT NOT NULL, tenant TEXT NOT NULL,"    \
	" user TEXT NOT NULL, created_ns INTEGER NOT NULL, used_ns INTEGER NOT NULL,"              \
	" address TEXT NOT NULL) WITHOUT ROWID;"                                                   \
	"CREATE INDEX sessions_by_user ON sessions (tenant, user);"                                \
	"CREATE TABLE apitokens (hash BLOB PRIMARY KEY, id TEXT NOT NULL, tenant TEXT NOT NULL,"   \
	" name TEXT NOT NULL, role INTEGER NOT NULL, scopes INTEGER NOT NULL, cameras TEXT,"       \
	" created_ns INTEGER NOT NULL, expires_ns INTEGER NOT NULL DEFAULT 0,"                     \
	" used_ns INTEGER NOT NULL DEFAULT 0, UNIQUE (tenant, name)) WITHOUT ROWID;"               \
	"INSERT INTO apitokens (hash, id, tenant, name, role, scopes, created_ns)"                 \
	" SELECT hash, lower(hex(substr(hash, 1, 8))), tenant,"                                    \
	" 'init-' || lower(hex(substr(hash, 1, 4))), 4, 31, created_ns FROM admins;"               \
	"DROP TABLE admins;"                                                                       \
	"CREATE TABLE labels (tenant TEXT, device TEXT, label TEXT NOT NULL,"                      \
	" PRIMARY KEY (tenant, device)) WITHOUT ROWID;"                                            \
	"ALTER TABLE certificates ADD COLUMN denied_ns INTEGER NOT NULL DEFAULT 0;"                \
	"CREATE INDEX certificates_denied ON certificates (serial) WHERE denied;"                  \
	"CREATE TABLE audit (id INTEGER PRIMARY KEY AUTOINCREMENT, time_ns INTEGER NOT NULL,"      \
	" tenant TEXT NOT NULL, who TEXT NOT NULL, address TEXT NOT NULL, action TEXT NOT NULL,"   \
	" what TEXT NOT NULL, result INTEGER NOT NULL);"                                           \
	"CREATE INDEX audit_by_tenant ON audit (tenant, id);"                                      \
	"CREATE INDEX audit_by_who ON audit (tenant, who, id);"                                    \
	"CREATE INDEX audit_by_action ON audit (tenant, action, id);"

const struct sluice_sqlite_step sluice_auth_steps[SLUICE_AUTH_VERSION] = {
	{ "CREATE TABLE admins (hash BLOB PRIMARY KEY, tenant TEXT NOT NULL,"
	  " created_ns INTEGER NOT NULL) WITHOUT ROWID;"
	  "CREATE TABLE tokens (hash BLOB PRIMARY KEY, tenant TEXT NOT NULL, device TEXT NOT NULL,"
	  " expires_ns INTEGER NOT NULL, used_ns INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;"
	  "CREATE TABLE certificates (serial TEXT PRIMARY KEY, tenant TEXT NOT NULL,"
	  " device TEXT NOT NULL, issued_ns INTEGER NOT NULL, not_after INTEGER NOT NULL,"
	  " denied INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;"
	  "CREATE INDEX certificates_by_device ON certificates (tenant, device);"
	  "CREATE TABLE deny (version INTEGER NOT NULL);"
	  "INSERT INTO deny VALUES (0);",
	  NULL },
	{ STEP_PEOPLE, NULL },
};

#define DEVICE_COLUMNS                                                                    \
	"c.tenant, c.device, max(c.issued_ns), max(c.not_after),"                         \
	" sum(CASE WHEN c.denied THEN 0 ELSE 1 END) = 0,"                                 \
	" coalesce((SELECT label FROM labels l WHERE l.tenant = c.tenant AND l.device = " \
	"c.device), '')"
#define USER_COLUMNS \
	"u.tenant, u.name, u.role, u.disabled, u.cameras, u.created_ns, u.login_ns, u.totp_on"
#define SESSION_COLUMNS	 "s.id, s.created_ns, s.used_ns, s.address"
#define APITOKEN_COLUMNS "id, tenant, name, role, scopes, cameras, created_ns, expires_ns, used_ns"

const char *const sluice_auth_sql[STATEMENTS] = {
	[TOKEN_ADD] = "INSERT INTO tokens (hash, tenant, device, expires_ns) VALUES (?, ?, ?, ?)",
	[TOKEN_FIND] = "SELECT tenant, device, expires_ns, used_ns FROM tokens WHERE hash = ?",
	[TOKEN_USED] = "UPDATE tokens SET used_ns = ?2 WHERE hash = ?1 AND used_ns = 0",
	/* told for a month that they were used or too late, then forgotten */
	[TOKENS_OLD] = "DELETE FROM tokens WHERE expires_ns < ? - 2592000000000000",
	[TOKENS_VOID] = "DELETE FROM tokens WHERE tenant = ? AND device = ? AND used_ns = 0",
	[TOKENS_OPEN] = "SELECT lower(hex(substr(hash, 1, 8))), device, expires_ns FROM tokens"
			" WHERE tenant = ? AND used_ns = 0 AND expires_ns > ?"
			" ORDER BY expires_ns DESC LIMIT 1000",
	[TOKEN_DROP] = "DELETE FROM tokens WHERE tenant = ? AND used_ns = 0"
		       " AND lower(hex(substr(hash, 1, 8))) = ?",
	[CERTIFICATE_ADD] = "INSERT INTO certificates (serial, tenant, device, issued_ns,"
			    " not_after) VALUES (?, ?, ?, ?, ?)",
	[CERTIFICATE_FIND] = "SELECT denied FROM certificates"
			     " WHERE serial = ? AND tenant = ? AND device = ?",
	[CERTIFICATES_NEW] = "SELECT count(*) FROM certificates"
			     " WHERE tenant = ? AND device = ? AND issued_ns > ?",
	[CERTIFICATES_DENIED] = "SELECT serial, denied_ns FROM certificates"
				" WHERE denied AND not_after > ? ORDER BY serial",
	[REVOKE] = "UPDATE certificates SET denied = TRUE,"
		   " denied_ns = CASE WHEN denied THEN denied_ns ELSE ?3 END WHERE tenant = ?1 AND "
		   "device = ?2",
	[DENY_LOCK] = "UPDATE deny SET version = version",
	[DENY_BUMP] = "UPDATE deny SET version = version + 1",
	[DENY_VERSION] = "SELECT version FROM deny",
	[DEVICES] = "SELECT " DEVICE_COLUMNS " FROM certificates c WHERE c.tenant = ?"
		    " GROUP BY c.tenant, c.device ORDER BY c.device",
	[DEVICE_FIND] = "SELECT " DEVICE_COLUMNS " FROM certificates c"
			" WHERE c.tenant = ? AND c.device = ? GROUP BY c.tenant, c.device",
	[LABEL_SET] = "INSERT INTO labels (tenant, device, label) VALUES (?, ?, ?)"
		      " ON CONFLICT (tenant, device) DO UPDATE SET label = excluded.label",
	[TENANT_ADD] = "INSERT INTO tenants (name, created_ns) VALUES (?, ?)",
	[TENANT_FIND] = "SELECT name, created_ns,"
			" (SELECT count(*) FROM users u WHERE u.tenant = t.name),"
			" (SELECT count(DISTINCT device) FROM certificates c"
			" WHERE c.tenant = t.name) FROM tenants t WHERE name = ?",
	[TENANTS] = "SELECT name, created_ns,"
		    " (SELECT count(*) FROM users u WHERE u.tenant = t.name),"
		    " (SELECT count(DISTINCT device) FROM certificates c"
		    " WHERE c.tenant = t.name) FROM tenants t ORDER BY name",
	[USER_ADD] = "INSERT INTO users (tenant, name, role, hash, cameras, created_ns)"
		     " VALUES (?, ?, ?, ?, ?, ?)",
	[USER_FIND] = "SELECT " USER_COLUMNS ", u.hash, u.totp, u.totp_step FROM users u"
		      " WHERE tenant = ? AND name = ?",
	[USERS] = "SELECT " USER_COLUMNS " FROM users u WHERE tenant = ? ORDER BY name",
	[USER_LOCK] = "UPDATE users SET login_ns = login_ns WHERE tenant = ? AND name = ?",
	[USER_ROLE] = "UPDATE users SET role = ?3 WHERE tenant = ?1 AND name = ?2",
	[USER_DISABLED] = "UPDATE users SET disabled = (?3 <> 0) WHERE tenant = ?1 AND name = ?2",
	[USER_HASH] = "UPDATE users SET hash = ?3 WHERE tenant = ?1 AND name = ?2",
	[USER_CAMERAS] = "UPDATE users SET cameras = ?3 WHERE tenant = ?1 AND name = ?2",
	[USER_LOGIN] = "UPDATE users SET login_ns = ?3 WHERE tenant = ?1 AND name = ?2",
	[USER_TOTP] = "UPDATE users SET totp = ?3, totp_on = ?4, totp_step = 0"
		      " WHERE tenant = ?1 AND name = ?2",
	/* two that come at the same time with one code: the second changes nothing */
	[USER_TOTP_STEP] = "UPDATE users SET totp_step = ?3"
			   " WHERE tenant = ?1 AND name = ?2 AND totp_step < ?3",
	[USER_DROP] = "DELETE FROM users WHERE tenant = ? AND name = ?",
	[RECOVERY_ADD] = "INSERT INTO recovery (tenant, \"user\", hash) VALUES (?, ?, ?)",
	[RECOVERY_USE] = "DELETE FROM recovery WHERE tenant = ? AND \"user\" = ? AND hash = ?",
	[RECOVERY_CLEAR] = "DELETE FROM recovery WHERE tenant = ? AND \"user\" = ?",
	[SESSION_ADD] =
		"INSERT INTO sessions (hash, id, tenant, \"user\", created_ns, used_ns, address)"
		" VALUES (?, ?, ?, ?, ?5, ?5, ?6)",
	[SESSION_FIND] = "SELECT " USER_COLUMNS ", " SESSION_COLUMNS " FROM sessions s"
			 " JOIN users u ON u.tenant = s.tenant AND u.name = s.\"user\""
			 " WHERE s.hash = ?1 AND s.used_ns > ?2 AND s.created_ns > ?3"
			 " AND NOT u.disabled",
	[SESSION_TOUCH] = "UPDATE sessions SET used_ns = ?2 WHERE id = ?1 AND used_ns < ?2",
	[SESSIONS] =
		"SELECT " SESSION_COLUMNS " FROM sessions s WHERE s.tenant = ? AND s.\"user\" = ?"
		" AND s.used_ns > ? AND s.created_ns > ? ORDER BY s.created_ns DESC",
	[SESSIONS_COUNT] = "DELETE FROM sessions WHERE hash IN (SELECT hash FROM sessions"
			   " WHERE tenant = ? AND \"user\" = ? ORDER BY used_ns DESC LIMIT 1000000"
			   " OFFSET ?)",
	[SESSION_DROP] = "DELETE FROM sessions WHERE tenant = ?1 AND (?2 IS NULL OR \"user\" = ?2)"
			 " AND id = ?3",
	[SESSIONS_END] = "DELETE FROM sessions WHERE tenant = ?1 AND \"user\" = ?2"
			 " AND (?3 IS NULL OR id <> ?3)",
	[SESSIONS_OLD] = "DELETE FROM sessions WHERE used_ns < ? OR created_ns < ?",
	[APITOKEN_ADD] = "INSERT INTO apitokens (hash, id, tenant, name, role, scopes, cameras,"
			 " created_ns, expires_ns) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[APITOKEN_FIND] = "SELECT " APITOKEN_COLUMNS " FROM apitokens WHERE hash = ?1"
			  " AND (expires_ns = 0 OR expires_ns > ?2)",
	[APITOKEN_TOUCH] = "UPDATE apitokens SET used_ns = ?2 WHERE id = ?1 AND used_ns < ?2",
	[APITOKENS] = "SELECT " APITOKEN_COLUMNS " FROM apitokens WHERE tenant = ? ORDER BY name",
	[APITOKEN_DROP] = "DELETE FROM apitokens WHERE tenant = ?1 AND (id = ?2 OR name = ?2)",
	[AUDIT_ADD] = "INSERT INTO audit (time_ns, tenant, who, address, action, what, result)"
		      " VALUES (?, ?, ?, ?, ?, ?, ?)",
	[AUDIT_OLD] = "DELETE FROM audit WHERE time_ns < ?"
		      " AND id IN (SELECT id FROM audit ORDER BY id LIMIT 1000)",
	[AUDIT_MANY] = "DELETE FROM audit WHERE id <= (SELECT max(id) FROM audit) - ?",
	[AUDITS] = "SELECT id, time_ns, who, address, action, what, result FROM audit"
		   " WHERE tenant = ?1 AND id < ?2 AND (?3 IS NULL OR action = ?3)"
		   " AND (?4 IS NULL OR who = ?4) ORDER BY id DESC LIMIT ?5",
};
