//! Kills the running program at random moments, again and again, and then asks whether every
//! promise still holds: no acknowledged event lost, no message sent twice, what is ambiguous
//! listed, the database opens.
//!
//! `crash [--times N] [--seed S]` runs on SQLite, and on PostgreSQL as well where
//! HOGWIRE_TEST_POSTGRES names a server. Loopback only, bounded in time.

mod ledger;
mod life;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use hogwire_engine::store::Store;
use hogwire_sim::seed::Dice;

struct Wish {
    times: u32,
    seed: u64,
}

fn main() -> ExitCode {
    let wish = match read_arguments() {
        Ok(wish) => wish,
        Err(why) => {
            eprintln!("{why}\nusage: crash [--times N] [--seed S]");
            return ExitCode::from(2);
        }
    };
    let Some(program) = program() else {
        eprintln!("the program is not built: run `cargo build -p hogwire` first");
        return ExitCode::from(2);
    };
    let mut broken = 0;
    let mut held = 0;
    for place in places(wish.seed) {
        println!("crash: {} with seed {}", place.name, wish.seed);
        match run(&program, &place, &wish) {
            Ok(report) => {
                held += 1;
                println!("crash: {}: {report}", place.name);
            }
            Err(why) => {
                broken += 1;
                println!("crash: {}: BROKEN with seed {}: {why}", place.name, wish.seed);
            }
        }
    }
    println!("{held} passed, {broken} failed");
    if broken > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// One database to be crashed on.
pub struct Place {
    name: &'static str,
    folder: tempfile::TempDir,
    /// What `HOGWIRE_DATABASE` says; nothing for the file in the folder.
    url: Option<String>,
    /// The server's URL and the schema, for looking at it afterwards.
    schema: Option<(String, String)>,
}

impl Place {
    /// Opens the database that the killed program left behind.
    fn open(&self) -> Result<Store, String> {
        let opened = match &self.schema {
            Some((url, schema)) => Store::postgres(url, schema),
            None => Store::sqlite(&self.folder.path().join("data").join("hogwire.db")),
        };
        opened.map_err(|error| format!("the database does not open: {error}"))
    }
}

fn places(seed: u64) -> Vec<Place> {
    let folder = || tempfile::tempdir().expect("a temporary folder can be made");
    let mut places = vec![Place { name: "sqlite", folder: folder(), url: None, schema: None }];
    if let Ok(server) = std::env::var("HOGWIRE_TEST_POSTGRES") {
        let schema = format!("crash_{seed}_{}", std::process::id());
        if let Err(error) = Store::postgres(&server, &schema) {
            eprintln!("crash: PostgreSQL is left out: {error}");
        } else {
            let url = format!("{server}?sslmode=disable&options=-csearch_path%3D{schema}");
            places.push(Place { name: "postgres", folder: folder(), url: Some(url), schema: Some((server, schema)) });
        }
    }
    places
}

fn run(program: &Path, place: &Place, wish: &Wish) -> Result<String, String> {
    let mut dice = Dice::new(wish.seed);
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    let ledger = runtime.block_on(life::all(program, place, wish.times, &mut dice))?;
    ledger.judge(&place.open()?)
}

/// The binary beside this one, or the one that HOGWIRE_BIN names.
fn program() -> Option<PathBuf> {
    let named = std::env::var_os("HOGWIRE_BIN").map(PathBuf::from);
    let beside = || std::env::current_exe().ok()?.parent().map(|folder| folder.join("hogwire"));
    named.or_else(beside).filter(|path| path.exists())
}

fn read_arguments() -> Result<Wish, String> {
    let mut wish = Wish { times: 50, seed: u64::from(std::process::id()) };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or(format!("{name} needs a number"))?;
        let number: u64 = value.parse().map_err(|_| format!("{value} is no number"))?;
        match name.as_str() {
            "--times" => wish.times = u32::try_from(number).map_err(|error| error.to_string())?,
            "--seed" => wish.seed = number,
            _ => return Err(format!("{name} is not known")),
        }
    }
    Ok(wish)
}
