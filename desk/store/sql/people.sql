-- name: user_set
INSERT INTO users (name, role, password, routes, disabled, created_at) VALUES (:name, :role, :password, :routes, 0, :at)
ON CONFLICT (name) DO UPDATE SET role = excluded.role, password = excluded.password, routes = excluded.routes, disabled = 0
-- name: user_known
INSERT INTO users (name, role, password, routes, disabled, created_at) VALUES (:name, :role, '', '[]', 0, :at)
ON CONFLICT (name) DO UPDATE SET role = excluded.role WHERE users.disabled = 0 AND users.password = ''
-- name: user_get
SELECT name, role, password, routes, disabled FROM users WHERE name = :name
-- name: users_working
SELECT name, role FROM users WHERE disabled = 0 AND role IN ('operator', 'lead', 'admin') ORDER BY name
-- name: users_count
SELECT COUNT(*) AS n FROM users
-- name: user_disable
UPDATE users SET disabled = 1 WHERE name = :name
-- name: sessions_of_user_drop
DELETE FROM sessions WHERE name = :name
-- name: token_add
INSERT INTO tokens (digest, name, role, created_at) VALUES (:digest, :name, :role, :at)
-- name: token_get
SELECT name, role FROM tokens WHERE digest = :digest
-- name: tokens_drop
DELETE FROM tokens WHERE name = :name
-- name: session_add
INSERT INTO sessions (digest, name, created_at, expires_at) VALUES (:digest, :name, :at, :expires_at)
-- name: session_get
SELECT users.name, users.role, users.routes FROM sessions JOIN users ON users.name = sessions.name
WHERE sessions.digest = :digest AND sessions.expires_at > :now AND users.disabled = 0
-- name: session_drop
DELETE FROM sessions WHERE digest = :digest
-- name: sessions_prune
DELETE FROM sessions WHERE expires_at <= :now
-- name: attempts_get
SELECT key, spent, at FROM attempts WHERE key IN (:keys...)
-- name: attempts_set
INSERT INTO attempts (key, spent, at) VALUES (:key, :spent, :at) ON CONFLICT (key) DO UPDATE SET spent = excluded.spent, at = excluded.at
-- name: attempts_prune
DELETE FROM attempts WHERE at < :before
