//! PostgreSQL: a pool of synchronous connections, each preparing a statement once.
//!
//! Bulk inserts pass one array per column through `unnest`, so that a thousand rows are
//! one statement. TLS uses rustls with the web's roots; `sslmode=disable` in the URL and
//! loopback servers work without it.

use std::collections::HashMap;
use std::sync::Mutex;

use postgres::types::private::BytesMut;
use postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use postgres::{Client, NoTls, Statement};

use super::{Column, Insert, Param, Row, dialect};
use crate::error::{Error, Result};

/// Connections kept open while nobody uses them.
const KEPT: usize = 16;

pub struct Postgres {
    config: postgres::Config,
    schema: String,
    idle: Mutex<Vec<Link>>,
}

struct Link {
    client: Client,
    prepared: HashMap<String, Statement>,
}

pub struct PostgresTx<'s> {
    store: &'s Postgres,
    link: Option<Box<Link>>,
    open: bool,
}

impl Postgres {
    pub fn connect(url: &str, schema: &str) -> Result<Self> {
        if !schema.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(Error::Database(format!("`{schema}` cannot be the name of a schema")));
        }
        let config: postgres::Config = url.parse()?;
        let store = Self { config, schema: schema.to_owned(), idle: Mutex::default() };
        let mut link = store.open_link()?;
        if !schema.is_empty() {
            link.client.batch_execute(&format!("CREATE SCHEMA IF NOT EXISTS {schema}"))?;
        }
        store.keep(link);
        Ok(store)
    }

    fn open_link(&self) -> Result<Link> {
        let mut client = if self.config.get_ssl_mode() == postgres::config::SslMode::Disable {
            self.config.connect(NoTls)?
        } else {
            self.config.connect(tls()?)?
        };
        if !self.schema.is_empty() {
            client.batch_execute(&format!("SET search_path TO {}", self.schema))?;
        }
        Ok(Link { client, prepared: HashMap::new() })
    }

    fn keep(&self, link: Link) {
        let mut idle = self.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if idle.len() < KEPT && !link.client.is_closed() {
            idle.push(link);
        }
    }

    pub fn begin(&self, read_only: bool) -> Result<PostgresTx<'_>> {
        let sql = if read_only {
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        } else {
            "BEGIN ISOLATION LEVEL READ COMMITTED"
        };
        loop {
            let kept = self.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop();
            let was_kept = kept.is_some();
            let mut link = match kept {
                Some(link) => link,
                None => self.open_link()?,
            };
            match link.client.batch_execute(sql) {
                Ok(()) => return Ok(PostgresTx { store: self, link: Some(Box::new(link)), open: true }),
                // A kept connection may have died while it lay idle: the next one is tried.
                Err(_) if was_kept && link.client.is_closed() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn tls() -> Result<tokio_postgres_rustls::MakeRustlsConnect> {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Database(format!("TLS: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(tokio_postgres_rustls::MakeRustlsConnect::new(config))
}

impl PostgresTx<'_> {
    fn link(&mut self) -> Result<&mut Link> {
        self.link.as_deref_mut().ok_or_else(|| Error::Database("this transaction has ended".to_owned()))
    }

    pub fn execute(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<u64> {
        let link = self.link()?;
        let statement = link.prepare(sql, dialect::postgres)?;
        Ok(link.client.execute(&statement, &borrowed(params))?)
    }

    /// Runs several statements without parameters: migrations only.
    pub fn batch(&mut self, sql: &str) -> Result<()> {
        Ok(self.link()?.client.batch_execute(sql)?)
    }

    pub fn all<T>(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let link = self.link()?;
        let statement = link.prepare(sql, dialect::postgres)?;
        let rows = link.client.query(&statement, &borrowed(params))?;
        rows.iter().map(|row| read(&Row::Postgres(row))).collect()
    }

    pub fn insert_many(&mut self, insert: &'static Insert, rows: &[Vec<Param<'_>>]) -> Result<u64> {
        let names: Vec<&str> = insert.columns.iter().map(|(name, _)| *name).collect();
        let arrays: Vec<String> =
            insert.columns.iter().enumerate().map(|(n, (_, kind))| format!("${}::{}[]", n + 1, name(*kind))).collect();
        let sql = format!(
            "INSERT INTO {} ({}) SELECT * FROM unnest({}) {}",
            insert.into,
            names.join(", "),
            arrays.join(", "),
            insert.on_conflict
        );
        let link = self.link()?;
        let statement = link.prepare(&sql, str::to_owned)?;
        let columns: Vec<Array<'_>> =
            insert.columns.iter().enumerate().map(|(at, (_, kind))| Array::of(rows, at, *kind)).collect();
        let columns: Vec<&(dyn ToSql + Sync)> = columns.iter().map(Array::as_sql).collect();
        Ok(link.client.execute(&statement, &columns)?)
    }

    pub fn commit(mut self) -> Result<()> {
        self.link()?.client.batch_execute("COMMIT")?;
        self.open = false;
        Ok(())
    }
}

impl Link {
    fn prepare(&mut self, sql: &str, translate: impl Fn(&str) -> String) -> Result<Statement> {
        if let Some(statement) = self.prepared.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(&translate(sql))?;
        self.prepared.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

impl Drop for PostgresTx<'_> {
    fn drop(&mut self) {
        let Some(mut link) = self.link.take() else { return };
        if self.open && link.client.batch_execute("ROLLBACK").is_err() {
            return;
        }
        self.store.keep(*link);
    }
}

fn borrowed<'p>(params: &'p [Param<'p>]) -> Vec<&'p (dyn ToSql + Sync)> {
    params.iter().map(|param| param as &(dyn ToSql + Sync)).collect()
}

const fn name(kind: Column) -> &'static str {
    match kind {
        Column::Text => "TEXT",
        Column::Int => "BIGINT",
        Column::Real => "DOUBLE PRECISION",
        Column::Bytes => "BYTEA",
    }
}

/// One column of a bulk insert. A value of another type than its column's becomes NULL,
/// which the column's own NOT NULL then refuses.
enum Array<'a> {
    Text(Vec<Option<&'a str>>),
    Int(Vec<Option<i64>>),
    Real(Vec<Option<f64>>),
    Bytes(Vec<Option<&'a [u8]>>),
}

impl<'a> Array<'a> {
    fn of(rows: &'a [Vec<Param<'a>>], at: usize, kind: Column) -> Self {
        let column = rows.iter().map(|row| &row[at]);
        match kind {
            Column::Text => {
                Self::Text(column.map(|v| if let Param::Text(text) = v { Some(&**text) } else { None }).collect())
            }
            Column::Int => Self::Int(column.map(|v| if let Param::Int(n) = v { Some(*n) } else { None }).collect()),
            Column::Real => Self::Real(column.map(|v| if let Param::Real(n) = v { Some(*n) } else { None }).collect()),
            Column::Bytes => {
                Self::Bytes(column.map(|v| if let Param::Bytes(b) = v { Some(*b) } else { None }).collect())
            }
        }
    }

    fn as_sql(&self) -> &(dyn ToSql + Sync) {
        match self {
            Self::Text(column) => column,
            Self::Int(column) => column,
            Self::Real(column) => column,
            Self::Bytes(column) => column,
        }
    }
}

impl ToSql for Param<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Param::Null | Param::NullInt => Ok(IsNull::Yes),
            Param::Int(number) if *ty == Type::INT4 => i32::try_from(*number)?.to_sql(ty, out),
            Param::Int(number) => number.to_sql(ty, out),
            Param::Real(number) => number.to_sql(ty, out),
            Param::Text(text) => text.as_ref().to_sql(ty, out),
            Param::Bytes(bytes) => bytes.to_sql(ty, out),
            Param::List(list) => list.iter().map(AsRef::as_ref).collect::<Vec<&str>>().to_sql(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}
