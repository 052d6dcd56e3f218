//! Standing jobs that keep the house: the heartbeat behind the coverage mark, moving a
//! merged contact's history, and retention.

use hogwire_model::{Span, Time};
use serde::Serialize;

use crate::engine::Engine;
use crate::error::Result;
use crate::jobs::queue;
use crate::jobs::tend::After;
use crate::outside::Entropy;
use crate::store::{Tx, coverage, jobs, redirects, retention, unmatched};

const BEAT: Span = Span::seconds(10);
const MERGES_AT_ONCE: usize = 50;
/// Retention by SPEC I7.
const RAW_EVENTS: Span = Span::days(396);
const BODIES: Span = Span::days(90);
const DELIVERY_LOGS: Span = Span::days(30);
const AUDIT: Span = Span::days(730);

/// Puts the jobs that always exist. Called when the engine opens.
pub fn plant(tx: &mut Tx<'_>, entropy: &dyn Entropy, now: Time) -> Result<()> {
    for (kind, due) in [("heartbeat", now), ("move_history", now), ("prune", now.plus(Span::hours(1)))] {
        queue::put(tx, entropy, kind, kind, "{}", due, now)?;
    }
    Ok(())
}

/// Moves every connection's coverage mark: we were up, so what was sent has arrived.
pub fn heartbeat(engine: &Engine, tx: &mut Tx<'_>, _: &jobs::Job, now: Time) -> Result<After> {
    coverage::beat(tx, engine.settings().policies.bridged_silence, now)?;
    Ok(After::Again { payload: "{}".to_owned(), due: now.plus(BEAT) })
}

/// Moves the history of contacts that became someone else.
pub fn move_history(_: &Engine, tx: &mut Tx<'_>, _: &jobs::Job, now: Time) -> Result<After> {
    let unmoved = redirects::unmoved(tx, MERGES_AT_ONCE)?;
    for (loser, survivor) in &unmoved {
        redirects::move_history(tx, loser, survivor)?;
    }
    let pause = if unmoved.len() == MERGES_AT_ONCE { Span::ZERO } else { Span::seconds(30) };
    Ok(After::Again { payload: "{}".to_owned(), due: now.plus(pause) })
}

pub fn prune(engine: &Engine, tx: &mut Tx<'_>, _: &jobs::Job, now: Time) -> Result<After> {
    unmatched::drop_before(tx, now.minus(RAW_EVENTS))?;
    for class in classes(now) {
        retention::drop_before(tx, class.name, class.before)?;
    }
    engine.inbox.drop_before(tx, now.minus(RAW_EVENTS))?;
    Ok(After::Again { payload: "{}".to_owned(), due: now.plus(Span::hours(24)) })
}

/// One class of what is kept, and how much of it is too old.
#[derive(Debug, Serialize)]
pub struct Class {
    pub name: &'static str,
    pub before: Time,
    pub rows: i64,
}

impl Engine {
    /// What `prune` would remove.
    pub fn prune_plan(&self, now: Time) -> Result<Vec<Class>> {
        let mut tx = self.store.read()?;
        let mut plan = classes(now);
        for class in &mut plan {
            class.rows = retention::count_before(&mut tx, class.name, class.before)?;
        }
        Ok(plan)
    }

    /// Removes what is too old, now. Answers what was removed.
    pub fn prune_now(&self, now: Time) -> Result<Vec<Class>> {
        self.store.write(|tx| {
            let mut done = classes(now);
            for class in &mut done {
                class.rows = retention::drop_before(tx, class.name, class.before)?;
            }
            self.inbox.drop_before(tx, now.minus(RAW_EVENTS))?;
            Ok(done)
        })
    }
}

fn classes(now: Time) -> Vec<Class> {
    let class = |name, kept: Span| Class { name, before: now.minus(kept), rows: 0 };
    vec![
        class("attempts", DELIVERY_LOGS),
        class("audit", AUDIT),
        class("decisions", RAW_EVENTS),
        class("message_bodies", BODIES),
        class("set_aside", RAW_EVENTS),
    ]
}
