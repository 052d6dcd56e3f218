//! `hogwire serve` and `hogwire worker`: the running server, until it is told to stop.

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::{Common, Screen, Stop};
use crate::adapters::clock::Clock;
use crate::boot::{self, Roles, Welcome};
use crate::capabilities;
use crate::config::{self, Config, Database, show};
use crate::telemetry;

#[derive(Args)]
pub struct Serve {
    /// A front node: take events and answer, and leave the work to others (PostgreSQL).
    #[arg(long)]
    no_worker: bool,
    /// Leave campaigns and templates as they run.
    #[arg(long)]
    no_apply: bool,
    /// Take events and decide nothing: to measure the door alone.
    #[arg(long, hide = true)]
    door_only: bool,
    #[arg(skip)]
    no_api: bool,
}

impl Serve {
    pub const fn worker() -> Self {
        Self { no_worker: false, no_apply: true, door_only: false, no_api: true }
    }

    pub fn run(self, common: &Common, screen: &Screen) -> Result<(), Stop> {
        let config = load(common)?;
        telemetry::start(config.log.as_deref(), config.log_format);
        if (self.no_api || self.no_worker) && matches!(config.database, Database::Sqlite(_)) {
            return Err(Stop::misuse(
                "on SQLite one process does everything; set HOGWIRE_DATABASE to postgres://… to share the work",
            ));
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("hw-net").build();
        let runtime = runtime.map_err(|error| Stop::failed(format!("the network cannot be started: {error}")))?;
        let opened = boot::open(config, runtime.handle(), Clock::real()).map_err(Stop::failed)?;
        let welcome = Welcome::prepare(&opened.engine, opened.clock.now()).map_err(Stop::failed)?;
        let roles = Roles { api: !self.no_api, worker: !(self.no_worker || self.door_only), apply: !self.no_apply };
        let served = runtime.block_on(async {
            let end = asked_to_stop()?;
            let running = boot::start(opened, roles).await.map_err(Stop::failed)?;
            greet(screen, &running, welcome.as_ref());
            running.serve(end).await.map_err(Stop::failed)
        });
        runtime.shutdown_background();
        served
    }
}

/// Settings of the folder; their warnings go to standard error.
pub(super) fn load(common: &Common) -> Result<Config, Stop> {
    let config = config::load(&common.dir, config::environment()).map_err(Stop::failed)?;
    let text = std::fs::read_to_string(common.dir.join(config::FILE)).unwrap_or_default();
    for warning in &config.warnings {
        eprintln!("{}", show::one(config::FILE, &text, warning));
    }
    Ok(config)
}

/// Ends at SIGTERM or SIGINT.
pub(super) fn asked_to_stop() -> Result<impl Future<Output = ()> + Send + 'static, Stop> {
    let listen = |kind| signal(kind).map_err(|error| Stop::failed(format!("signals cannot be heard: {error}")));
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
    })
}

fn greet(screen: &Screen, running: &boot::Running, welcome: Option<&Welcome>) {
    let config = &running.app.config;
    let Some(address) = running.address else {
        screen.say("The worker runs.");
        return;
    };
    let url = config.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let told = serde_json::json!({
        "address": address.to_string(),
        "url": url,
        "sign_in": welcome.map(|welcome| serde_json::json!({ "email": welcome.email, "password": welcome.password })),
    });
    screen.show(&told, || {
        let mut text = format!("Hogwire listens on http://{address}\nConsole: {url}/console");
        if let Some(welcome) = welcome {
            text.push_str(&format!(
                "\nSign in as {} with the password {} (shown this once)",
                welcome.email, welcome.password
            ));
        }
        for off in capabilities::all(config).into_iter().filter(|capability| !capability.on) {
            text.push_str(&format!("\noff: {}. {} Needs: {}", off.title, off.without, off.needs));
        }
        text
    });
}
