//! The yardstick of the door: an axum handler that reads the body and answers 202. It runs
//! as a process of its own, like the server it is compared with.

use std::process::ExitCode;

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;

/// The word by which this program becomes the yardstick.
pub const NAME: &str = "bare-axum";

pub fn run() -> ExitCode {
    let Ok(runtime) = tokio::runtime::Runtime::new() else { return ExitCode::FAILURE };
    let port = std::env::args().nth(2).unwrap_or_default();
    let served = runtime.block_on(async {
        let router = Router::new().route("/readyz", get(async || "ready")).route(
            "/v1/webhooks/posthog",
            post(async |body: Bytes| {
                drop(body);
                StatusCode::ACCEPTED
            }),
        );
        let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        axum::serve(listener, router).await
    });
    if served.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
