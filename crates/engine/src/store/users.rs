//! People who sign in, and their sessions. Passwords come hashed; tokens are stored hashed.

use hogwire_model::Time;
use serde::Serialize;

use super::{Row, Tx, params};
use crate::error::Result;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct User {
    pub id: String,
    pub email: String,
    /// `admin`, `editor` or `viewer`.
    pub role: String,
    #[serde(skip)]
    pub password_hash: String,
    pub created_at: Time,
    pub signed_in_at: Option<Time>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    pub user: User,
    pub csrf: String,
    pub expires_at: Time,
}

pub fn add(tx: &mut Tx<'_>, user: &User) -> Result<()> {
    tx.execute(
        "INSERT INTO users (id, email, role, password_hash, created_at, signed_in_at) VALUES ($1, $2, $3, $4, $5, $6)",
        &params![&user.id, &user.email, &user.role, &user.password_hash, user.created_at, user.signed_in_at],
    )?;
    Ok(())
}

/// Sets a password and ends every session that the one before began.
pub fn set_password(tx: &mut Tx<'_>, email: &str, password_hash: &str) -> Result<bool> {
    let touched = tx.execute("UPDATE users SET password_hash = $2 WHERE email = $1", &params![email, password_hash])?;
    tx.execute("DELETE FROM sessions WHERE user_id IN (SELECT id FROM users WHERE email = $1)", &params![email])?;
    Ok(touched > 0)
}

/// Removes a user and their sessions. Answers whether there was one.
pub fn remove(tx: &mut Tx<'_>, email: &str) -> Result<bool> {
    tx.execute("DELETE FROM sessions WHERE user_id IN (SELECT id FROM users WHERE email = $1)", &params![email])?;
    Ok(tx.execute("DELETE FROM users WHERE email = $1", &params![email])? > 0)
}

pub fn by_email(tx: &mut Tx<'_>, email: &str) -> Result<Option<User>> {
    tx.optional(
        "SELECT id, email, role, password_hash, created_at, signed_in_at FROM users WHERE email = $1",
        &params![email],
        read,
    )
}

pub fn all(tx: &mut Tx<'_>) -> Result<Vec<User>> {
    tx.all(
        "SELECT id, email, role, password_hash, created_at, signed_in_at FROM users ORDER BY email LIMIT 1000",
        &[],
        read,
    )
}

/// Begins a session. The token itself is only in the browser's cookie.
pub fn begin_session(
    tx: &mut Tx<'_>,
    token_hash: &str,
    user_id: &str,
    csrf: &str,
    now: Time,
    expires_at: Time,
) -> Result<()> {
    tx.execute(
        "INSERT INTO sessions (token_hash, user_id, csrf, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
        &params![token_hash, user_id, csrf, now, expires_at],
    )?;
    tx.execute("UPDATE users SET signed_in_at = $2 WHERE id = $1", &params![user_id, now])?;
    tx.execute("DELETE FROM sessions WHERE expires_at < $1", &params![now])?;
    Ok(())
}

pub fn session(tx: &mut Tx<'_>, token_hash: &str, now: Time) -> Result<Option<Session>> {
    tx.optional(
        "SELECT u.id, u.email, u.role, u.password_hash, u.created_at, u.signed_in_at, s.csrf, s.expires_at
         FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.token_hash = $1 AND s.expires_at > $2",
        &params![token_hash, now],
        |row| Ok(Session { user: read(row)?, csrf: row.text(6)?, expires_at: row.time(7)? }),
    )
}

pub fn end_session(tx: &mut Tx<'_>, token_hash: &str) -> Result<()> {
    tx.execute("DELETE FROM sessions WHERE token_hash = $1", &params![token_hash])?;
    Ok(())
}

fn read(row: &Row<'_>) -> Result<User> {
    Ok(User {
        id: row.text(0)?,
        email: row.text(1)?,
        role: row.text(2)?,
        password_hash: row.text(3)?,
        created_at: row.time(4)?,
        signed_in_at: row.opt_time(5)?,
    })
}
