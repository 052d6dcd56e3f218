//! The state of everything at a glance: what came and went lately, what waits, how far
//! each connection is known complete. Cheap enough to be asked every second.

use hogwire_model::{Span, Time};
use serde::Serialize;

use crate::engine::Engine;
use crate::error::Result;
use crate::store::{connections, counts, coverage, outgoing, pauses};

/// What is charted, by the name it is counted under.
pub const CHARTED: [&str; 4] = ["events", "sent", "opened", "clicked"];
/// Points of one chart.
const POINTS: i64 = 60;

/// How far back a chart looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Window {
    #[default]
    Hour,
    Day,
    Week,
}

impl Window {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "1h" => Some(Self::Hour),
            "24h" => Some(Self::Day),
            "7d" => Some(Self::Week),
            _ => None,
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "1h",
            Self::Day => "24h",
            Self::Week => "7d",
        }
    }

    const fn bucket(self) -> Span {
        match self {
            Self::Hour => Span::minutes(1),
            Self::Day => Span::minutes(24),
            Self::Week => Span::minutes(168),
        }
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct Series {
    pub name: &'static str,
    /// Oldest first; the last one is not over yet.
    pub points: Vec<i64>,
    pub total: i64,
}

#[derive(Clone, Debug, Serialize)]
pub struct Stats {
    pub at: Time,
    pub window: &'static str,
    pub bucket_seconds: i64,
    pub series: Vec<Series>,
}

#[derive(Debug, Serialize)]
pub struct Overview {
    #[serde(flatten)]
    pub stats: Stats,
    /// Received and not decided yet, and since when the oldest of it waits.
    pub backlog_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backlog_since: Option<Time>,
    pub messages: Waiting,
    pub connections: Vec<ConnectionLine>,
    pub pauses: Vec<pauses::Pause>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Waiting {
    pub queued: i64,
    pub held: i64,
    pub sending: i64,
    pub unknown: i64,
}

#[derive(Clone, Debug, Serialize)]
pub struct ConnectionLine {
    pub name: String,
    pub connector: String,
    pub status: connections::Status,
    pub test_mode: bool,
    pub last_event_at: Option<Time>,
    /// Up to when everything that happened is here; the first hole ends it.
    pub complete_until: Option<Time>,
    pub gaps: Vec<coverage::Gap>,
}

impl Engine {
    pub fn stats(&self, window: Window, now: Time) -> Result<Stats> {
        let bucket = window.bucket().as_millis();
        let first = now.millis().div_euclid(bucket) - (POINTS - 1);
        let mut tx = self.store.read()?;
        let rows = counts::since(&mut tx, CHARTED.to_vec(), Time::from_millis(first * bucket), now)?;
        let series = CHARTED.map(|name| {
            let mut points = vec![0; usize::try_from(POINTS).unwrap_or(0)];
            for (_, minute, n) in rows.iter().filter(|(counted, _, _)| counted == name) {
                let place = usize::try_from(minute.millis().div_euclid(bucket) - first);
                if let Some(point) = place.ok().and_then(|place| points.get_mut(place)) {
                    *point += n;
                }
            }
            Series { name, total: points.iter().sum(), points }
        });
        Ok(Stats { at: now, window: window.as_str(), bucket_seconds: bucket / 1_000, series: series.into() })
    }

    pub fn overview(&self, window: Window, now: Time) -> Result<Overview> {
        let stats = self.stats(window, now)?;
        let backlog = self.inbox.backlog(&self.store)?;
        let mut tx = self.store.read()?;
        let mut messages = Waiting { unknown: outgoing::unknown(&mut tx)?, ..Waiting::default() };
        for (status, n) in outgoing::waiting(&mut tx)? {
            match status.as_str() {
                "queued" => messages.queued = n,
                "held" => messages.held = n,
                "sending" => messages.sending = n,
                _ => {}
            }
        }
        let pauses = pauses::all(&mut tx)?;
        drop(tx);
        Ok(Overview {
            stats,
            backlog_bytes: backlog.bytes,
            backlog_since: backlog.oldest,
            messages,
            connections: self.connection_lines()?,
            pauses,
        })
    }

    /// Every connection with how far it is known complete.
    pub fn connection_lines(&self) -> Result<Vec<ConnectionLine>> {
        let mut tx = self.store.read()?;
        let covered = coverage::all(&mut tx)?;
        let lines = connections::all(&mut tx)?.into_iter().map(|row| {
            let heard = covered.iter().find(|coverage| coverage.connection == row.name);
            let hole = heard.and_then(|heard| heard.gaps.iter().map(|gap| gap.from).min());
            ConnectionLine {
                name: row.name,
                connector: row.connector,
                status: row.status,
                test_mode: row.test_mode,
                last_event_at: heard.map(|heard| heard.last_event_at),
                complete_until: heard.map(|heard| hole.unwrap_or(heard.complete_until)),
                gaps: heard.map(|heard| heard.gaps.clone()).unwrap_or_default(),
            }
        });
        Ok(lines.collect())
    }
}
