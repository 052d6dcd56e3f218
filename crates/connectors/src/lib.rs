//! Translates what other programs say on the wire into the engine's words, and back.
//!
//! Everything here is pure: requests and responses are plain data that somebody else sends,
//! times are arguments, and no vendor's folder imports another's. The engine calls `check`
//! before it acknowledges a record and `read` when it decides about it.

pub mod brevo;
pub mod http;
pub mod machine;
pub mod manifest;
pub mod posthog;
pub mod reading;
pub mod segment;
pub mod shape;
pub mod signature;
pub mod smtp;
pub mod webhook;

mod batch;
mod whom;
mod wire;

#[cfg(test)]
mod tests;

use hogwire_model::Time;
use hogwire_model::event::Event;

pub use batch::{detect_segment, split_batch, with_key};
pub use manifest::Manifest;
pub use reading::{AccountPicture, Ignored, Reading};
pub use shape::{Refusal, Shape};
pub use whom::whom;

/// Every connector there is, sorted by name. A new one adds its line here.
pub fn all() -> &'static [Manifest] {
    &[brevo::MANIFEST, posthog::MANIFEST, segment::MANIFEST, smtp::MANIFEST, webhook::MANIFEST]
}

/// Can the record be an event? Cheap: UTF-8, a JSON object of bounded depth, a name. Nothing
/// is parsed into a tree. What passes here, `read` reads.
pub fn check(shape: Shape, bytes: &[u8]) -> Result<(), Refusal> {
    let top = wire::object(bytes)?;
    match shape {
        Shape::PosthogWebhook | Shape::Capture | Shape::Event => posthog::webhook::check(&top),
        Shape::SegmentTrack | Shape::SegmentIdentify | Shape::SegmentGroup => segment::check(shape, &top),
    }
}

/// The record as an event. `arrived` is when it was acknowledged: what a client's clock says
/// is clamped to it, and it orders the source's snapshot where the record does not.
pub fn read(shape: Shape, bytes: &[u8], arrived: Time) -> Result<Event<'_>, Refusal> {
    read_closely(shape, bytes, arrived).map(|reading| reading.event)
}

/// As `read`, with what the record says about accounts and what of it was passed over.
pub fn read_closely(shape: Shape, bytes: &[u8], arrived: Time) -> Result<Reading<'_>, Refusal> {
    let top = wire::object(bytes)?;
    match shape {
        Shape::PosthogWebhook | Shape::Capture => {
            let mut reading = posthog::webhook::read(&top, bytes, arrived)?;
            webhook::inbound::address(&mut reading, &top);
            Ok(reading)
        }
        Shape::Event => {
            let mut reading = posthog::webhook::read(&top, bytes, arrived)?;
            webhook::inbound::add(&mut reading, &top);
            Ok(reading)
        }
        Shape::SegmentTrack | Shape::SegmentIdentify | Shape::SegmentGroup => {
            segment::read(shape, &top, bytes, arrived)
        }
    }
}

/// The shape of a body that came to PostHog's route, where people edit bodies by hand. A body
/// that is no object counts as the capture form, which `check` then refuses with the reason.
pub fn detect(bytes: &[u8]) -> Shape {
    wire::object(bytes).map_or(Shape::Capture, |top| posthog::webhook::detect(&top))
}

/// `detect` and `check` in one reading of the bytes, for the busiest route.
pub fn recognise(bytes: &[u8]) -> Result<Shape, Refusal> {
    let top = wire::object(bytes)?;
    posthog::webhook::check(&top)?;
    Ok(posthog::webhook::detect(&top))
}
