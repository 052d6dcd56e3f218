//! Lenient readings of single JSON values, for every connector that takes bodies in.
//!
//! Nothing here builds a tree: objects become borrowed name and raw-value pairs. Depth is
//! counted over the bytes before anything is parsed, so that no reader recurses further
//! than `MOST_DEEP`.

use std::borrow::Cow;

use hogwire_model::Time;
use hogwire_model::event::{Pairs, text_of};
use serde_json::value::RawValue;

use crate::shape::Refusal;

/// Objects and arrays inside one another. JSON readers stop at 128 by themselves.
pub(crate) const MOST_DEEP: usize = 100;

/// Ids and names are index keys; PostHog cuts its own at the same length.
pub(crate) const LONGEST_ID: usize = 200;

/// The body as an object, or why it is none. Values are checked to be JSON but not parsed.
pub(crate) fn object(bytes: &[u8]) -> Result<Pairs<'_>, Refusal> {
    let text = body_text(bytes)?;
    let not_json = |error| Refusal::new("not_json", format!("The body is not JSON: {error}."));
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).map_err(not_json);
    }
    let _: &RawValue = serde_json::from_str(text).map_err(not_json)?;
    Err(Refusal::new("not_an_object", "The body is JSON but not an object."))
}

/// The bytes as text that nests no deeper than readers may follow.
pub(crate) fn body_text(bytes: &[u8]) -> Result<&str, Refusal> {
    // Some editors and older clients put a byte order mark in front.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let place = error.valid_up_to();
        Refusal::new("not_json", format!("The body is not UTF-8: the byte at {place} does not fit."))
    })?;
    if deeper_than(bytes, MOST_DEEP) {
        return Err(Refusal::new("too_deep", format!("The body nests more than {MOST_DEEP} objects or arrays.")));
    }
    Ok(text)
}

fn deeper_than(bytes: &[u8], most: usize) -> bool {
    // Nearly every body opens fewer than that in all, which is counted much faster.
    if bytes.iter().filter(|byte| matches!(byte, b'{' | b'[')).count() <= most {
        return false;
    }
    let (mut depth, mut inside, mut escaped) = (0_usize, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if inside => escaped = true,
            b'"' => inside = !inside,
            b'{' | b'[' if !inside => {
                depth += 1;
                if depth > most {
                    return true;
                }
            }
            b'}' | b']' if !inside => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// An object's pairs; nothing for any other value. Null counts as an empty object.
pub(crate) fn pairs(raw: &RawValue) -> Option<Pairs<'_>> {
    matches!(raw.get().as_bytes().first(), Some(b'{' | b'n')).then(|| serde_json::from_str(raw.get()).ok()).flatten()
}

/// What one entry of a list of raw values, or a lone value, holds.
pub(crate) fn items(raw: &RawValue) -> Option<Vec<&RawValue>> {
    serde_json::from_str(raw.get()).ok()
}

pub(crate) fn is_null(raw: &RawValue) -> bool {
    raw.get() == "null"
}

pub(crate) fn is_true(raw: Option<&RawValue>) -> bool {
    raw.is_some_and(|raw| matches!(raw.get(), "true" | "\"true\"" | "1"))
}

/// An id as text: strings as they are, numbers, booleans and objects as they are written,
/// all cut to `LONGEST_ID` characters. Nothing where the value is absent, null or blank.
pub(crate) fn id(raw: Option<&RawValue>) -> Option<Cow<'_, str>> {
    let raw = raw.filter(|raw| !is_null(raw))?;
    let text = text_of(raw).unwrap_or(Cow::Borrowed(raw.get()));
    (!text.trim().is_empty()).then(|| cut(text, LONGEST_ID))
}

/// The first `most` characters, without a copy where the text was borrowed.
pub(crate) fn cut(text: Cow<'_, str>, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return text;
    }
    match text.char_indices().nth(most) {
        None => text,
        Some((end, _)) => match text {
            Cow::Borrowed(text) => Cow::Borrowed(&text[..end]),
            Cow::Owned(mut text) => {
                text.truncate(end);
                Cow::Owned(text)
            }
        },
    }
}

/// A time written as RFC 3339 or near it, or as seconds or milliseconds since 1970.
pub(crate) fn time(raw: Option<&RawValue>) -> Option<Time> {
    let raw = raw?;
    let text = match text_of(raw) {
        Some(text) => text,
        None => Cow::Borrowed(raw.get()),
    };
    if let Some(time) = Time::parse(&text) {
        return Some(time);
    }
    let number: f64 = text.trim().parse().ok()?;
    if !number.is_finite() {
        return None;
    }
    // Seconds stay below this until the year 5138; milliseconds passed it in 1973.
    let millis = if number.abs() < 1e11 { number * 1_000.0 } else { number };
    Some(Time::from_millis(millis as i64))
}

/// The first of several names that has a value other than null.
pub(crate) fn first<'a>(pairs: &Pairs<'a>, names: &[&str]) -> Option<&'a RawValue> {
    names.iter().find_map(|name| pairs.get(name).filter(|raw| !is_null(raw)))
}
