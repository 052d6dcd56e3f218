//! The shell around the engine: settings, sockets, threads, HTTP and the command line.
//!
//! No SQL and no decisions live here; everything goes through `Engine`. `cli` is where a
//! process begins, `boot` puts the parts together, `worker` holds the only sleep there is.

pub mod adapters;
pub mod api;
pub mod app;
pub mod boot;
pub mod capabilities;
pub mod cli;
pub mod config;
pub mod console;
pub mod doctor;
pub mod intake;
pub mod passwords;
pub mod telemetry;
pub mod worker;
