//! The console's own files, compiled in: one stylesheet, one script, htmx, the mark.
//!
//! Each is asked for with its fingerprint, so that browsers keep it for good and a new
//! release is seen at once. Nothing is ever loaded from elsewhere.

use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest, Sha256};

use crate::app::Shared;

struct Asset {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
}

const ALL: [Asset; 5] = [
    Asset { name: "console.css", kind: "text/css; charset=utf-8", text: include_str!("assets/console.css") },
    Asset { name: "console.js", kind: "text/javascript; charset=utf-8", text: include_str!("assets/console.js") },
    Asset {
        name: "htmx.LICENSE.txt",
        kind: "text/plain; charset=utf-8",
        text: include_str!("assets/htmx.LICENSE.txt"),
    },
    Asset { name: "htmx.min.js", kind: "text/javascript; charset=utf-8", text: include_str!("assets/htmx.min.js") },
    Asset { name: "mark.svg", kind: "image/svg+xml", text: include_str!("assets/mark.svg") },
];

/// Changes whenever one of the files does.
static FINGERPRINT: LazyLock<String> = LazyLock::new(|| {
    let mut all = Sha256::new();
    for asset in &ALL {
        all.update(asset.text);
    }
    all.finalize().iter().take(6).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
});

/// Where a page finds a file.
pub fn url(name: &str) -> String {
    format!("/console/assets/{name}?v={}", *FINGERPRINT)
}

pub fn routes() -> Router<Shared> {
    Router::new().route("/console/assets/{name}", get(asset))
}

async fn asset(Path(name): Path<String>) -> Response {
    match ALL.iter().find(|asset| asset.name == name) {
        Some(asset) => {
            let headers =
                [(header::CONTENT_TYPE, asset.kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
            (headers, asset.text).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
