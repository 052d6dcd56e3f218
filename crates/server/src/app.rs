//! What every route has at hand: the engine, the settings, the clock, the door, the meters.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hogwire_engine::Engine;
use hogwire_model::Time;

use crate::adapters::clock::Clock;
use crate::adapters::smtp::Post;
use crate::api::auth::Keys;
use crate::api::problem::Problem;
use crate::config::Config;
use crate::config::secret::Origin;
use crate::intake::Intake;
use crate::telemetry::meters::Meters;
use crate::worker::Pulse;

pub struct App {
    pub engine: Arc<Engine>,
    pub config: Arc<Config>,
    pub clock: Clock,
    pub meters: Arc<Meters>,
    pub intake: Intake,
    pub keys: Keys,
    /// When each worker thread last came round, for `/readyz`.
    pub pulse: Arc<Pulse>,
    /// Mail servers, to be greeted by `doctor`.
    pub post: Arc<Post>,
    /// Where the key came from that seals credentials.
    pub key_origin: Origin,
    pub stopping: AtomicBool,
}

pub type Shared = Arc<App>;

impl App {
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Asks the engine on a thread that may block, and makes its errors problems.
    pub async fn ask<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Engine, Time) -> hogwire_engine::Result<T> + Send + 'static,
    ) -> Result<T, Problem> {
        let app = self.clone();
        let answer = tokio::task::spawn_blocking(move || work(&app.engine, app.clock.now())).await;
        match answer {
            Ok(answer) => answer.map_err(Problem::from),
            Err(_) => Err(Problem::internal("the request's work panicked")),
        }
    }
}
