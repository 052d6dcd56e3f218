//! Parts of pages that keep themselves fresh.
//!
//! A part carries the fingerprint of what it shows; the browser asks again with it every
//! second or two, and gets an empty answer while nothing has changed, so that focus and
//! selection stay.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// What a part shows, in a few characters. Good for one release of this program only.
pub fn fingerprint(shown: &impl Hash) -> String {
    let mut hasher = DefaultHasher::new();
    shown.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// The answer while there is nothing new.
pub fn unchanged() -> Response {
    StatusCode::NO_CONTENT.into_response()
}
