//! What stands behind the scenes: jobs, held deliveries, who changed what.

use hogwire_model::Time;
use serde::Serialize;

use crate::engine::Engine;
use crate::error::Result;
use crate::store::{deliveries, jobs, pauses};

#[derive(Debug, Serialize)]
pub struct JobLine {
    pub id: String,
    pub kind: String,
    pub key: String,
    /// `pending`, `done` or `dead`.
    pub status: String,
    pub due_at: Option<Time>,
    pub attempts: i64,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub problem: String,
    pub updated_at: Time,
}

/// Deliveries that one reason holds back.
#[derive(Debug, Serialize)]
pub struct Trouble {
    pub destination: String,
    pub reason: String,
    pub waiting: i64,
}

impl Engine {
    /// Standing jobs, those that changed last first.
    pub fn jobs(&self, asked: Option<usize>) -> Result<Vec<JobLine>> {
        let rows = jobs::all(&mut self.store.read()?, super::limit(asked))?;
        let lines = rows.into_iter().map(|job| JobLine {
            id: job.id,
            kind: job.kind,
            key: job.key,
            status: job.status,
            due_at: job.due_at,
            attempts: job.attempts,
            problem: job.problem,
            updated_at: job.updated_at,
        });
        Ok(lines.collect())
    }

    /// What is held back, once per destination and reason.
    pub fn troubles(&self) -> Result<Vec<Trouble>> {
        let rows = deliveries::troubles(&mut self.store.read()?)?;
        let lines = rows.into_iter().map(|(destination, reason, waiting)| Trouble { destination, reason, waiting });
        Ok(lines.collect())
    }

    /// The brakes that are on.
    pub fn pauses(&self) -> Result<Vec<pauses::Pause>> {
        pauses::all(&mut self.store.read()?)
    }
}
