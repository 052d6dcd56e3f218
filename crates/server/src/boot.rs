//! Puts the parts together: lock, key, store, inbox, engine, threads and routes; and takes
//! them apart again in the right order.
//!
//! `open` is what every command uses that touches the database itself; `serve` adds sockets
//! and threads. A second process on the same data folder is told who has it.

mod first;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Builder;
use std::time::Duration;

use axum::serve::ListenerExt as _;
use hogwire_engine::campaigns::Actor;
use hogwire_engine::inbox::Inbox;
use hogwire_engine::outside::{Disk, Entropy as _, Outside};
use hogwire_engine::store::Store;
use hogwire_engine::{Engine, Error};
use tokio::net::TcpListener;
use tokio::runtime::Handle;

use crate::adapters::clock::Clock;
use crate::adapters::disk::Folder;
use crate::adapters::dns::NameServers;
use crate::adapters::entropy::Dice;
use crate::adapters::http::Web;
use crate::adapters::lock::{Lock, Owner, Taken};
use crate::adapters::smtp::{Post, Route};
use crate::api::auth::Keys;
use crate::api::{self, health};
use crate::app::{App, Shared};
use crate::config::{Config, Database, project, secret};
use crate::intake::{Intake, group, refusals, replay::Replays};
use crate::telemetry::meters::Meters;
use crate::worker::{Bell, Pulse, Tools, Workers};

pub use first::Welcome;

/// Requests in flight get this long when the server stops.
const FAREWELL: Duration = Duration::from_secs(10);

/// Why nothing could be started, in a sentence.
#[derive(Debug)]
pub enum Failure {
    /// Another process owns the data folder.
    Owned {
        data: PathBuf,
        owner: Option<Owner>,
    },
    Sentence(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Owned { data, owner } => {
                write!(f, "{} belongs to a running hogwire", data.display())?;
                if let Some(owner) = owner {
                    write!(f, " (process {}", owner.pid)?;
                    if !owner.url.is_empty() {
                        write!(f, ", {}", owner.url)?;
                    }
                    write!(f, ")")?;
                }
                write!(f, "; stop it first, or talk to it")
            }
            Self::Sentence(sentence) => f.write_str(sentence),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Sentence(error.to_string())
    }
}

/// An engine that is ready to work, and what it stands on.
pub struct Opened {
    pub config: Arc<Config>,
    pub engine: Arc<Engine>,
    pub clock: Clock,
    pub bell: Arc<Bell>,
    pub post: Arc<Post>,
    pub key_origin: secret::Origin,
    lock: Option<Lock>,
}

/// Takes the data folder, and opens everything but sockets.
pub fn open(config: Config, runtime: &Handle, clock: Clock) -> Result<Opened, Failure> {
    let lock = match (Lock::take(&config.data), &config.database) {
        (Ok(Taken::Ours(lock)), _) => Some(lock),
        // On PostgreSQL any number of nodes work; only the note is somebody else's.
        (Ok(Taken::Theirs(_)), Database::Postgres(_)) => None,
        (Ok(Taken::Theirs(owner)), _) => return Err(Failure::Owned { data: config.data.clone(), owner }),
        (Err(error), _) => return Err(sentence("the data folder cannot be used", &config.data, &error)),
    };
    let entropy = Arc::new(Dice);
    let (keyring, key_origin) =
        secret::keyring(&config.data, &config.environment, &*entropy).map_err(Failure::Sentence)?;
    let folder = config.data.join("log");
    let disk: Arc<dyn Disk> =
        Arc::new(Folder::open(&folder).map_err(|error| sentence("the log's folder cannot be used", &folder, &error))?);
    let (store, inbox) = match &config.database {
        Database::Sqlite(path) => (Store::sqlite(path)?, Inbox::log(disk.clone())?),
        Database::Postgres(url) => (Store::postgres(&url.0, "")?, Inbox::table()),
    };
    let bell = Arc::new(Bell::default());
    let post = Arc::new(Post::new(runtime.clone(), clock, routes(&config)));
    let private_too = config.settings.policies.allow_private_webhooks;
    let outside = Outside {
        http: Arc::new(Web::new(runtime.clone(), clock, private_too)),
        mail: post.clone(),
        dns: Arc::new(NameServers::new(runtime.clone(), &config.dns)),
        disk,
        entropy,
        wake: bell.clone(),
    };
    let engine = Engine::open(store, inbox, config.settings.clone(), outside, keyring, clock.now())?;
    if let Err(error) = secret::keep_spare(&config.data, engine.keyring()) {
        tracing::warn!("{} cannot be kept in {}: {error}", secret::SPARE, config.data.display());
    }
    Ok(Opened { config: Arc::new(config), engine: Arc::new(engine), clock, bell, post, key_origin, lock })
}

fn sentence(what: &str, path: &std::path::Path, error: &std::io::Error) -> Failure {
    Failure::Sentence(format!("{what}: {}: {error}", path.display()))
}

fn routes(config: &Config) -> BTreeMap<String, Route> {
    let mut routes = BTreeMap::new();
    for (name, url) in &config.mail {
        // The settings were refused where this fails.
        if let Ok(route) = Route::parse(&url.0) {
            routes.insert(name.clone(), route);
        }
    }
    routes
}

/// What `serve` starts beside the engine.
#[derive(Clone, Copy, Debug)]
pub struct Roles {
    pub api: bool,
    pub worker: bool,
    pub apply: bool,
}

/// A started server.
pub struct Running {
    pub app: Shared,
    pub address: Option<SocketAddr>,
    /// Opens everything for as long as this process lives.
    pub key: String,
    listener: Option<TcpListener>,
    workers: Option<Workers>,
    lock: Option<Lock>,
}

/// Starts threads and binds sockets. Must be called within the runtime.
pub async fn start(opened: Opened, roles: Roles) -> Result<Running, Failure> {
    let Opened { config, engine, clock, bell, post, key_origin, mut lock } = opened;
    let meters = Arc::new(Meters::default());
    let pulse = Arc::new(Pulse::default());
    if roles.apply {
        let (engine, config) = (engine.clone(), config.clone());
        // PostgreSQL's client blocks, which the network's own threads must never do.
        let applied = tokio::task::spawn_blocking(move || apply(&engine, &config, clock)).await;
        applied.map_err(|error| Failure::Sentence(format!("the project could not be applied: {error}")))??;
    }
    let (near, writer) = group::pair();
    let (refusals, keeper) = refusals::pair();
    let mut run_key = [0; 32];
    Dice.fill(&mut run_key);
    let run_key: String = run_key.iter().map(|byte| format!("{byte:02x}")).collect();
    let app = Arc::new(App {
        engine: engine.clone(),
        keys: Keys::new(config.admin_key.as_ref().map(|key| key.0.clone()), run_key.clone()),
        config: config.clone(),
        clock,
        meters: meters.clone(),
        intake: Intake { group: near, refusals, replays: Replays::default() },
        pulse: pulse.clone(),
        post,
        key_origin,
        stopping: AtomicBool::new(false),
    });
    let spawned = |error: std::io::Error| Failure::Sentence(format!("a thread cannot be started: {error}"));
    let (engine_of_writer, meters_of_writer) = (engine.clone(), meters.clone());
    let write = move || writer.run(&engine_of_writer, &meters_of_writer);
    Builder::new().name("hw-intake".to_owned()).spawn(write).map_err(spawned)?;
    let engine_of_keeper = engine.clone();
    Builder::new().name("hw-refusals".to_owned()).spawn(move || keeper.run(&engine_of_keeper)).map_err(spawned)?;
    let listener = if roles.api { Some(bind(&config.bind).await?) } else { None };
    let address = listener.as_ref().and_then(|listener| listener.local_addr().ok());
    let workers = if roles.worker {
        Some(Workers::start(&Tools { engine, clock, bell, meters, pulse }).map_err(spawned)?)
    } else {
        None
    };
    if let Some(lock) = &mut lock {
        let url = address.map(reachable).unwrap_or_default();
        let noted = lock.note(&Owner { pid: std::process::id(), url, key: run_key.clone() });
        noted.map_err(|error| sentence("the lock cannot be written", &config.data, &error))?;
    }
    Ok(Running { app, address, key: run_key, listener, workers, lock })
}

async fn bind(address: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address)
        .await
        .map_err(|error| Failure::Sentence(format!("{address} cannot be listened on: {error}; set HOGWIRE_BIND")))
}

/// How a program on this machine reaches a bound address.
fn reachable(address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        format!("http://127.0.0.1:{}", address.port())
    } else {
        format!("http://{address}")
    }
}

/// Makes what runs equal to the project folder, and says what became of it.
fn apply(engine: &Engine, config: &Config, clock: Clock) -> Result<(), Failure> {
    let project = project::read(&config.dir)
        .map_err(|bad| Failure::Sentence(format!("{} cannot be read: {}", bad.path.display(), bad.why)))?;
    let changes = engine.apply(&project, Actor { name: "serve", origin: "file" }, false, clock.now())?;
    for change in changes {
        crate::cli::apply::log(&change);
    }
    Ok(())
}

impl Running {
    /// Serves until `end` comes, then lets what is in flight finish.
    pub async fn serve(self, end: impl Future<Output = ()> + Send + 'static) -> Result<(), Failure> {
        let Self { app, listener, workers, lock, .. } = self;
        let (stop, stopped) = tokio::sync::watch::channel(false);
        if let Some(address) = &app.config.telemetry_bind {
            let metrics = bind(address).await?;
            let mut stopped = stopped.clone();
            let router = health::open_metrics(&app);
            let until = async move { drop(stopped.wait_for(|stop| *stop).await) };
            tokio::spawn(async move { axum::serve(metrics, router).with_graceful_shutdown(until).await });
        }
        let flagged = app.clone();
        let ending = async move {
            end.await;
            flagged.stopping.store(true, Ordering::Relaxed);
            drop(stop);
        };
        match listener {
            None => ending.await,
            Some(listener) => {
                let listener = listener.tap_io(|stream| {
                    // Without it small answers wait for the sender's acknowledgement.
                    let _ = stream.set_nodelay(true);
                });
                let router = api::router(&app).into_make_service_with_connect_info::<SocketAddr>();
                let mut stopped = stopped;
                let until = async move { drop(stopped.wait_for(|stop| *stop).await) };
                let mut serving =
                    tokio::spawn(async move { axum::serve(listener, router).with_graceful_shutdown(until).await });
                ending.await;
                if tokio::time::timeout(FAREWELL, &mut serving).await.is_err() {
                    tracing::warn!("some requests were cut off");
                    serving.abort();
                }
            }
        }
        if let Some(workers) = workers {
            let joined = tokio::task::spawn_blocking(move || workers.stop()).await;
            drop(joined);
        }
        drop(lock);
        Ok(())
    }
}
