//! Bodies that hold several records, cut into slices without copying.

use hogwire_model::event::text_of;
use serde_json::value::RawValue;

use crate::shape::{Refusal, Shape};
use crate::wire;

/// More records than this in one body are refused: 20 MiB of the shortest would be millions.
const MOST_RECORDS: usize = 100_000;

/// The records of `{"batch": […]}` or of a bare list, each as the bytes it was written in.
/// They are not looked into: each is checked by itself, so that one bad record costs no other.
pub fn split_batch(bytes: &[u8]) -> Result<Vec<&[u8]>, Refusal> {
    let text = wire::body_text(bytes)?;
    let list: &RawValue = if text.trim_start().starts_with('[') {
        serde_json::from_str(text)
            .map_err(|error| Refusal::new("not_json", format!("The body is not JSON: {error}.")))?
    } else {
        let top = wire::object(bytes)?;
        wire::first(&top, &["batch"]).ok_or_else(|| Refusal::new("no_batch", "The body has no list `batch`."))?
    };
    let records = wire::items(list).ok_or_else(|| Refusal::new("wrong_type", "`batch` is not a list of records."))?;
    if records.len() > MOST_RECORDS {
        return Err(Refusal::new("too_many", format!("The batch has more than {MOST_RECORDS} records.")));
    }
    Ok(records.into_iter().map(|raw| raw.get().as_bytes()).collect())
}

/// The record with an id from outside the body (an `Idempotency-Key`), for bodies that bring
/// none: an id in the body wins. A body that is no object comes back as it is.
pub fn with_key(shape: Shape, bytes: &[u8], key: &str) -> Vec<u8> {
    let Some(open) = bytes.iter().position(|byte| !byte.is_ascii_whitespace()) else {
        return bytes.to_vec();
    };
    if bytes[open] != b'{' || wire::object(bytes).is_ok_and(|top| top.is_empty()) {
        return bytes.to_vec();
    }
    let name = match shape {
        Shape::PosthogWebhook | Shape::Capture | Shape::Event => "uuid",
        Shape::SegmentTrack | Shape::SegmentIdentify | Shape::SegmentGroup => "messageId",
    };
    // Readers keep the last of equal names, so what stands first gives way to the body's own.
    let added = format!("\"{name}\":{},", serde_json::Value::from(key));
    let (before, after) = bytes.split_at(open + 1);
    [before, added.as_bytes(), after].concat()
}

/// The shape of one record of Segment's batch, by its `type`.
pub fn detect_segment(bytes: &[u8]) -> Result<Shape, Refusal> {
    let top = wire::object(bytes)?;
    let kind = wire::first(&top, &["type"]).and_then(text_of);
    match kind.as_deref() {
        Some("track") => Ok(Shape::SegmentTrack),
        Some("identify") => Ok(Shape::SegmentIdentify),
        Some("group") => Ok(Shape::SegmentGroup),
        Some(other) => {
            let other: String = other.chars().take(40).collect();
            Err(Refusal::new("unknown_type", format!("`type` is `{other}`; expected track, identify or group.")))
        }
        None => Err(Refusal::new("unknown_type", "The record has no `type`.")),
    }
}
