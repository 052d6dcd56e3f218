//! The differences between the two databases, by name.
//!
//! A statement may hold these placeholders; everything else must run verbatim on both.
//!
//! | written | SQLite | PostgreSQL |
//! |---|---|---|
//! | `$1` | `?1` | `$1` |
//! | `x {any $1}` | `x IN (SELECT value FROM json_each(?1))` | `x = ANY($1)` |
//! | `{skip_locked}` | nothing: one writer | `FOR UPDATE SKIP LOCKED` |
//! | `{for_update}` | nothing: one writer | `FOR UPDATE` |
//! | `{big}` after a sum or count | nothing | `::BIGINT` |
//! | `{clock}` | the parameter that follows in parentheses | the database's clock in milliseconds |
//!
//! `{clock}($1)` serves leases only: nodes of one PostgreSQL must agree on time.

const PG_CLOCK: &str = "(extract(epoch from clock_timestamp()) * 1000)::BIGINT + 0 * ";

pub fn sqlite(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(at) = rest.find(['$', '{']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('?');
            rest = after;
        } else if let Some((number, after)) = any(rest) {
            out.push_str(&format!("IN (SELECT value FROM json_each(?{number}))"));
            rest = after;
        } else {
            rest = drop_placeholder(rest, &mut out);
        }
    }
    out.push_str(rest);
    out
}

pub fn postgres(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(at) = rest.find('{') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some((number, after)) = any(rest) {
            out.push_str(&format!("= ANY(${number})"));
            rest = after;
            continue;
        }
        let named = [
            ("{skip_locked}", "FOR UPDATE SKIP LOCKED"),
            ("{for_update}", "FOR UPDATE"),
            ("{big}", "::BIGINT"),
            ("{clock}", PG_CLOCK),
        ];
        match named.iter().find(|(name, _)| rest.starts_with(name)) {
            Some((name, text)) => {
                out.push_str(text);
                rest = &rest[name.len()..];
            }
            None => {
                out.push('{');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// Splits `{any $12}…` into `12` and what follows.
fn any(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix("{any $")?.split_once('}')
}

fn drop_placeholder<'a>(text: &'a str, out: &mut String) -> &'a str {
    for name in ["{skip_locked}", "{for_update}", "{big}", "{clock}"] {
        if let Some(after) = text.strip_prefix(name) {
            return after;
        }
    }
    out.push('{');
    &text[1..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_becomes_two() {
        let sql = "SELECT sum(n){big} FROM t WHERE id {any $2} AND due <= {clock}($1) LIMIT $3 {skip_locked}";
        assert_eq!(
            sqlite(sql),
            "SELECT sum(n) FROM t WHERE id IN (SELECT value FROM json_each(?2)) AND due <= (?1) LIMIT ?3 "
        );
        assert_eq!(
            postgres(sql),
            "SELECT sum(n)::BIGINT FROM t WHERE id = ANY($2) AND due <= (extract(epoch from clock_timestamp()) * 1000)::BIGINT + 0 * ($1) LIMIT $3 FOR UPDATE SKIP LOCKED"
        );
    }
}
