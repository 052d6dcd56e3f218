//! P12: received and decided per second on PostgreSQL with one worker, against the same
//! rows by bare `unnest` statements on the same server.
//!
//! The yardstick's tables are a twin schema that is kept as far as ours: after each round
//! the rows that our transactions wrote, found by their transaction, are written there too.

use std::time::Instant;

use hogwire_engine::Work;
use postgres::types::ToSql;
use postgres::{Client, NoTls};

use crate::Outcome;
use crate::figure::{Figure, Target, median};
use crate::ground::Ground;

const CONTACTS: u64 = 100_000;
const ROUNDS: usize = 5;
const ROUND: u64 = 10_000;
/// Rows of one bare statement.
const AT_ONCE: usize = 1_000;
const GROWING: [&str; 5] = ["contact_keys", "decisions", "enrollments", "events", "inbox"];

pub fn decided() -> Outcome {
    let url = std::env::var("HOGWIRE_TEST_POSTGRES").map_err(|_| "HOGWIRE_TEST_POSTGRES names no server")?;
    let ours = format!("bench_{}", std::process::id());
    let twin = format!("{ours}_twin");
    let measured = measure(&url, &ours, &twin);
    let mut client = Client::connect(&url, NoTls).map_err(|error| error.to_string())?;
    let swept =
        client.batch_execute(&format!("DROP SCHEMA IF EXISTS {ours} CASCADE; DROP SCHEMA IF EXISTS {twin} CASCADE"));
    swept.map_err(|error| error.to_string())?;
    let (a, b, rows) = measured?;
    let note = format!("{rows} rows for {ROUND} events, receiving included on both sides");
    Ok(vec![Figure { name: "P12", a, b, unit: "events/s", target: Target::AtLeast(0.6), note }])
}

fn measure(url: &str, ours: &str, twin: &str) -> Result<(f64, f64, usize), String> {
    let mut ground = Ground::postgres(CONTACTS, url, ours)?.filled()?;
    let mut bare = Bare::new(url, ours, twin).map_err(said)?;
    let (mut a, mut b, mut rows) = (Vec::new(), Vec::new(), 0);
    for round in 0..=ROUNDS {
        let some = ground.some(ROUND);
        let mark = bare.mark().map_err(said)?;
        let began = Instant::now();
        ground.receive(some)?;
        while ground.engine.step(Work::Decide, ground.now).map_err(|error| error.to_string())?.did > 0 {}
        let took = began.elapsed().as_secs_f64();
        let written = bare.since(mark).map_err(said)?;
        rows = written.iter().map(|table| table.rows).sum();
        let plain = bare.write(&written).map_err(said)?;
        if round > 0 {
            a.push(ROUND as f64 / took);
            b.push(ROUND as f64 / plain);
        }
    }
    Ok((median(&mut a), median(&mut b), rows))
}

/// The server's own words.
fn said(error: postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), ToString::to_string)
}

struct Bare {
    client: Client,
    ours: String,
    twin: String,
}

type Column = Box<dyn ToSql + Sync>;

/// Rows of one table as columns, in groups of one statement each.
struct Table {
    sql: String,
    groups: Vec<Vec<Column>>,
    rows: usize,
}

impl Bare {
    fn new(url: &str, ours: &str, twin: &str) -> Result<Self, postgres::Error> {
        let mut client = Client::connect(url, NoTls)?;
        client.batch_execute(&format!("CREATE SCHEMA {twin}"))?;
        for table in GROWING.iter().chain(&["contacts"]) {
            client.batch_execute(&format!(
                "CREATE TABLE {twin}.{table} (LIKE {ours}.{table} INCLUDING DEFAULTS INCLUDING INDEXES);
                 INSERT INTO {twin}.{table} SELECT * FROM {ours}.{table};
                 ANALYZE {twin}.{table}"
            ))?;
        }
        Ok(Self { client, ours: ours.to_owned(), twin: twin.to_owned() })
    }

    /// Transactions from here on are later than everything before.
    fn mark(&mut self) -> Result<i64, postgres::Error> {
        Ok(self.client.query_one("SELECT (pg_current_xact_id()::text)::bigint", &[])?.get(0))
    }

    fn since(&mut self, mark: i64) -> Result<Vec<Table>, postgres::Error> {
        let mut tables = Vec::new();
        for table in GROWING {
            let columns = self.columns(table)?;
            let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
            let kinds = casts(&columns);
            let sql = format!(
                "INSERT INTO {}.{table} ({}) SELECT * FROM unnest({kinds}) ON CONFLICT DO NOTHING",
                self.twin,
                names.join(", ")
            );
            tables.push(self.table(table, sql, &columns, mark)?);
        }
        let columns: Vec<(String, String)> = self.columns("contacts")?;
        let changed: Vec<(String, String)> = columns
            .into_iter()
            .filter(|(name, _)| ["id", "attributes", "updated_at", "seen_at"].contains(&name.as_str()))
            .collect();
        let names: Vec<&str> = changed.iter().map(|(name, _)| name.as_str()).collect();
        let kinds = casts(&changed);
        let sql = format!(
            "UPDATE {}.contacts SET attributes = new.attributes, updated_at = new.updated_at, seen_at = new.seen_at
             FROM unnest({kinds}) AS new({}) WHERE contacts.id = new.id",
            self.twin,
            names.join(", ")
        );
        tables.push(self.table("contacts", sql, &changed, mark)?);
        Ok(tables)
    }

    fn columns(&mut self, table: &str) -> Result<Vec<(String, String)>, postgres::Error> {
        let rows = self.client.query(
            "SELECT column_name::text, data_type::text FROM information_schema.columns
             WHERE table_schema = $1 AND table_name = $2 ORDER BY ordinal_position",
            &[&self.ours, &table],
        )?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    fn table(
        &mut self,
        table: &str,
        sql: String,
        columns: &[(String, String)],
        mark: i64,
    ) -> Result<Table, postgres::Error> {
        let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        let rows = self.client.query(
            &format!("SELECT {} FROM {}.{table} WHERE (xmin::text)::bigint >= $1", names.join(", "), self.ours),
            &[&mark],
        )?;
        let groups = rows
            .chunks(AT_ONCE)
            .map(|some| {
                let column = |(place, (_, kind)): (usize, &(String, String))| -> Column {
                    match kind.as_str() {
                        "bigint" => Box::new(some.iter().map(|row| row.get(place)).collect::<Vec<Option<i64>>>()),
                        "bytea" => Box::new(some.iter().map(|row| row.get(place)).collect::<Vec<Option<Vec<u8>>>>()),
                        _ => Box::new(some.iter().map(|row| row.get(place)).collect::<Vec<Option<String>>>()),
                    }
                };
                columns.iter().enumerate().map(column).collect()
            })
            .collect();
        Ok(Table { sql, groups, rows: rows.len() })
    }

    /// Writes everything, group after group, each a transaction over all tables.
    fn write(&mut self, tables: &[Table]) -> Result<f64, postgres::Error> {
        let statements =
            tables.iter().map(|table| self.client.prepare(&table.sql)).collect::<Result<Vec<_>, postgres::Error>>()?;
        let most = tables.iter().map(|table| table.groups.len()).max().unwrap_or(0);
        let began = Instant::now();
        for place in 0..most {
            let mut tx = self.client.transaction()?;
            for (table, statement) in tables.iter().zip(&statements) {
                let Some(group) = table.groups.get(place) else { continue };
                let params: Vec<&(dyn ToSql + Sync)> = group.iter().map(|column| &**column).collect();
                tx.execute(statement, &params)?;
            }
            tx.commit()?;
        }
        Ok(began.elapsed().as_secs_f64())
    }
}

/// `$1::text[], $2::bigint[]`, as the columns are.
fn casts(columns: &[(String, String)]) -> String {
    let casts: Vec<String> = columns.iter().enumerate().map(|(n, (_, kind))| format!("${}::{kind}[]", n + 1)).collect();
    casts.join(", ")
}
