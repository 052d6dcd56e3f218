//! Deliveries turned away, counted and handed on to be kept.
//!
//! A thread of its own writes them, from a short queue: a flood of wrong requests costs the
//! counters an addition and the database nothing.

use std::net::IpAddr;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use axum::body::Bytes;
use hogwire_engine::Engine;
use hogwire_engine::refused::RefusedDelivery;
use hogwire_model::Time;

use super::body::EXCERPT;
use crate::api::problem::Problem;
use crate::telemetry::meters::Meters;

const WAITING: usize = 64;

pub struct Refusals {
    queue: SyncSender<(RefusedDelivery, Time)>,
}

pub struct Keeper {
    queue: Receiver<(RefusedDelivery, Time)>,
}

pub fn pair() -> (Refusals, Keeper) {
    let (sender, receiver) = sync_channel(WAITING);
    (Refusals { queue: sender }, Keeper { queue: receiver })
}

impl Refusals {
    pub fn note(
        &self,
        meters: &Meters,
        route: &str,
        problem: &Problem,
        excerpt: &Bytes,
        remote: Option<IpAddr>,
        now: Time,
    ) {
        meters.refused(problem.status);
        let excerpt = &excerpt[..excerpt.len().min(EXCERPT)];
        let refused = RefusedDelivery {
            route: route.to_owned(),
            status: problem.status,
            code: problem.code.to_string(),
            message: problem.detail.clone(),
            remote: remote.map(|address| address.to_string()).unwrap_or_default(),
            // A database's text holds no NUL.
            excerpt: String::from_utf8_lossy(excerpt).replace('\0', "\u{fffd}"),
        };
        // When the queue is full, the hundred that are kept are being replaced anyway.
        let _ = self.queue.try_send((refused, now));
    }
}

impl Keeper {
    /// Writes until every near end is gone.
    pub fn run(self, engine: &Engine) {
        while let Ok((refused, at)) = self.queue.recv() {
            if let Err(error) = engine.refuse(refused, at) {
                tracing::warn!("a refused delivery could not be kept: {error}");
            }
        }
    }
}
