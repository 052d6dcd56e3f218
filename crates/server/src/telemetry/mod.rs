//! What the server tells about itself: structured logs without secrets or personal data,
//! and meters for Prometheus.

pub mod meters;

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::config::document::LogFormat;

/// Begins to log to standard error. Later calls change nothing: tests start many servers.
pub fn start(filter: Option<&str>, format: LogFormat) {
    let filter = EnvFilter::try_new(filter.unwrap_or("info")).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    let started = match format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    if started.is_err() {
        tracing::debug!("logging has begun already");
    }
}
