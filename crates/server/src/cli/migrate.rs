//! `hogwire migrate`: bring the database up to date, and say so. `serve` does it by itself.

use hogwire_engine::store::Store;
use serde_json::json;

use super::{Common, Screen, Stop};
use crate::adapters::clock::Clock;
use crate::adapters::lock::{Lock, Taken};
use crate::config::Database;

pub fn run(common: &Common, screen: &Screen) -> Result<(), Stop> {
    let config = super::serve::load(common)?;
    let taken = Lock::take(&config.data)
        .map_err(|error| Stop::failed(format!("{} cannot be used: {error}", config.data.display())))?;
    if let (Taken::Theirs(_), Database::Sqlite(_)) = (&taken, &config.database) {
        return Err(Stop::failed("a running server has the database, and brought it up to date when it started"));
    }
    let store = match &config.database {
        Database::Sqlite(path) => Store::sqlite(path),
        Database::Postgres(url) => Store::postgres(&url.0, ""),
    };
    store.and_then(|store| store.migrate(Clock::real().now())).map_err(Stop::failed)?;
    drop(taken);
    screen.show(&json!({ "migrated": true }), || "The database is up to date.".to_owned());
    Ok(())
}
