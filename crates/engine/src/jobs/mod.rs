//! Work that waits in rows. Each file is one kind; `tend` runs the standing jobs of the
//! `jobs` table by name.

pub mod advance;
pub mod queue;
pub mod refresh_credential;
pub mod schedule;
pub mod survey;
pub mod tend;
