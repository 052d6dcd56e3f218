//! The step's first half: a batch of what was received becomes contacts, decisions and
//! work, in one transaction that also moves the inbox's cursor.
//!
//! In order: read the bytes, refuse duplicates, find out who it was (`identify`), look at
//! the past of whoever became known, apply what changed (`apply`), let campaigns see it
//! (`fanout`), write. A batch that fails is halved until the record stands alone, and that
//! record is set aside with its reason; its neighbours are not lost.

mod apply;
mod batch;
mod identify;
mod write;

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;

use hogwire_connectors::{Refusal, Shape};
use hogwire_model::Time;
use hogwire_model::event::Event;

use crate::engine::{Engine, Stepped};
use crate::error::{Error, Result};
use crate::fanout;
use crate::inbox::{self, Chunk};
use crate::mirror;
use crate::runs::Runs;
use crate::settings::Settings;
use crate::store::{Tx, set_aside};

pub use batch::Item;

/// Records in one batch; grows under backlog.
const BATCH: usize = 1_000;
const BATCH_UNDER_BACKLOG: usize = 4_000;
const BATCH_BYTES: usize = 32 << 20;

/// Translates stored bytes into an event, as they would have been when they arrived.
pub fn read_stored(stored: &inbox::Stored) -> Result<Event<'_>, Refusal> {
    let shape = Shape::parse(&stored.shape)
        .ok_or_else(|| Refusal { code: "unknown_shape", message: format!("`{}` is not a shape", stored.shape) })?;
    hogwire_connectors::read(shape, &stored.body, stored.arrived)
}

/// Decides one batch. Answers how many records it took.
pub fn step(engine: &Engine, now: Time) -> Result<Stepped> {
    let mut size = if engine.inbox.is_behind() { BATCH_UNDER_BACKLOG } else { BATCH };
    loop {
        let tried = std::panic::catch_unwind(AssertUnwindSafe(|| decide(engine, size, now)));
        match tried {
            Ok(Ok(did)) => return Ok(Stepped { did, next_due: None }),
            Ok(Err(Error::Busy(why))) => return Err(Error::Busy(why)),
            Ok(Err(error)) if size == 1 => return set_first_aside(engine, &error.to_string(), now),
            Err(panic) if size == 1 => return set_first_aside(engine, &panic_message(&*panic), now),
            _ => size = (size / 2).max(1),
        }
    }
}

fn decide(engine: &Engine, size: usize, now: Time) -> Result<usize> {
    let mut tx = engine.store.begin()?;
    let Some((claim, chunk)) = take(engine, &mut tx, size)? else { return Ok(0) };
    let catalog = engine.catalog(&mut tx)?;
    let mut batch = batch::Batch::read(engine, &mut tx, &catalog, &chunk)?;
    let mut people = identify::people(engine, &mut tx, &mut batch, now)?;
    let bodies = identify::past(engine, &mut tx, &catalog, &mut people)?;
    let mut past = batch::Batch::of_past(engine, &catalog, &bodies)?;
    identify::resolve_past(&mut tx, &mut people, &mut past)?;

    let mut runs = Runs::new(engine, catalog.clone(), now);
    fanout::settle_merges(&mut runs, &mut tx, &mut people)?;
    let mut audience = fanout::Audience::load(&runs, &mut tx, &people, past.items.iter().chain(&batch.items))?;
    // Whoever became known is known with all that this batch says before their past is
    // looked at: an old signup must find the address that came with today's sign-in.
    let revealed: HashSet<&str> = past.items.iter().filter_map(|item| item.contact.as_deref()).collect();
    for item in &batch.items {
        if let Some(contact) = item.contact.as_deref().filter(|contact| revealed.contains(contact)) {
            apply::apply(&mut people, contact, item, runs.catalog.mapping(&runs.settings, item.connection));
        }
    }
    for item in past.items.iter().chain(&batch.items) {
        let Some(contact) = item.contact.as_deref() else { continue };
        apply::apply(&mut people, contact, item, runs.catalog.mapping(&runs.settings, item.connection));
        if batch.may_start(item) {
            fanout::event(&mut runs, &mut tx, &mut people, &mut audience, item)?;
        }
    }
    if !runs.settings.destinations.is_empty() {
        outward(engine, &mut tx, &runs.settings, past.items.iter().chain(&batch.items), now)?;
    }
    runs.finish(&mut tx)?;
    people.save(&mut tx)?;
    write::index(&mut tx, &batch, &past, chunk.damaged, now)?;
    engine.inbox.advance(&mut tx, claim, &chunk)?;
    tx.commit()?;
    engine.inbox.decided(&chunk);
    Ok(chunk.records.len())
}

/// Events that destinations want, queued for them.
fn outward<'i, 'c: 'i>(
    engine: &Engine,
    tx: &mut Tx<'_>,
    settings: &Settings,
    items: impl Iterator<Item = &'i Item<'c>>,
    now: Time,
) -> Result<()> {
    for item in items {
        let Some(contact) = item.contact.as_deref() else { continue };
        let happened = mirror::Happened {
            connection: item.connection,
            uuid: &item.event.uuid,
            name: &item.event.name,
            contact,
            at: item.event.at,
            properties: &|| item.event.properties.to_value(),
        };
        mirror::queue(engine, tx, settings, &happened, now)?;
    }
    Ok(())
}

fn take(engine: &Engine, tx: &mut Tx<'_>, size: usize) -> Result<Option<(inbox::Claim, Chunk)>> {
    let Some(claim) = engine.inbox.claim(tx)? else { return Ok(None) };
    let chunk = engine.inbox.read(tx, &claim, size, BATCH_BYTES)?;
    Ok((!chunk.records.is_empty()).then_some((claim, chunk)))
}

/// Puts the next record where a person sees it and goes on behind it.
fn set_first_aside(engine: &Engine, why: &str, now: Time) -> Result<Stepped> {
    let mut tx = engine.store.begin()?;
    let Some((claim, chunk)) = take(engine, &mut tx, 1)? else { return Ok(Stepped::default()) };
    for record in &chunk.records {
        let refusal = Refusal { code: "could_not_decide", message: why.to_owned() };
        set_aside::add(&mut tx, &engine.outside.entropy.id("sas", now), record, &refusal)?;
    }
    engine.inbox.advance(&mut tx, claim, &chunk)?;
    tx.commit()?;
    engine.inbox.decided(&chunk);
    Ok(Stepped { did: chunk.records.len(), next_due: None })
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    format!("a bug: {}", text.unwrap_or("it panicked"))
}
