//! Counters and one histogram, as atomics, and their text for Prometheus.
//!
//! The busiest route adds to three of them, so they are plain numbers and not a registry
//! that is looked up.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hogwire_engine::Work;

#[derive(Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Upper bounds of the buckets, in microseconds.
const BOUNDS: [u64; 14] =
    [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 512_000, 1_000_000, 4_000_000];

#[derive(Default)]
pub struct Histogram {
    buckets: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

impl Histogram {
    pub fn observe(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let place = BOUNDS.iter().position(|bound| micros <= *bound).unwrap_or(BOUNDS.len());
        self.buckets[place].fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    fn write(&self, out: &mut String, name: &str, help: &str) {
        let _ = write!(out, "# HELP {name} {help}\n# TYPE {name} histogram\n");
        let mut count = 0;
        for (place, bucket) in self.buckets.iter().enumerate() {
            count += bucket.load(Ordering::Relaxed);
            match BOUNDS.get(place) {
                Some(bound) => {
                    let _ = writeln!(out, "{name}_bucket{{le=\"{}\"}} {count}", seconds(*bound));
                }
                None => {
                    let _ = writeln!(out, "{name}_bucket{{le=\"+Inf\"}} {count}");
                }
            }
        }
        let _ = writeln!(out, "{name}_sum {}", seconds(self.micros.load(Ordering::Relaxed)));
        let _ = writeln!(out, "{name}_count {count}");
    }
}

fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

/// What one kind of work came to.
#[derive(Default)]
pub struct Steps {
    pub steps: Counter,
    pub did: Counter,
    pub failed: Counter,
    pub micros: Counter,
}

/// The statuses that refusals are counted by.
const STATUSES: [u16; 5] = [400, 401, 413, 429, 0];

#[derive(Default)]
pub struct Meters {
    pub accepted: Counter,
    pub duplicates: Counter,
    /// Groups written, and the events in them.
    pub groups: Counter,
    pub grouped: Counter,
    pub acknowledged: Histogram,
    refused: [Counter; STATUSES.len()],
    work: [Steps; Work::ALL.len()],
    pub panics: Counter,
}

impl Meters {
    pub fn refused(&self, status: u16) {
        let place = STATUSES.iter().position(|known| *known == status).unwrap_or(STATUSES.len() - 1);
        self.refused[place].add(1);
    }

    pub fn refusals(&self) -> u64 {
        self.refused.iter().map(Counter::get).sum()
    }

    pub fn work(&self, work: Work) -> &Steps {
        let place = Work::ALL.iter().position(|known| *known == work).unwrap_or(0);
        &self.work[place]
    }

    /// The text format of Prometheus, version 0.0.4. `backlog`: bytes received, not decided.
    pub fn render(&self, backlog: u64) -> String {
        let mut out = String::with_capacity(4_096);
        let mut counter = |name: &str, help: &str, rows: &[(String, f64)]| {
            let _ = write!(out, "# HELP {name} {help}\n# TYPE {name} counter\n");
            for (labels, value) in rows {
                let _ = writeln!(out, "{name}{labels} {value}");
            }
        };
        let one = |count: &Counter| [(String::new(), count.get() as f64)];
        counter("hogwire_events_accepted_total", "Events that are durable.", &one(&self.accepted));
        counter("hogwire_events_duplicate_total", "Events that had just come already.", &one(&self.duplicates));
        counter("hogwire_groups_written_total", "Groups of events written at once.", &one(&self.groups));
        let refused: Vec<_> = STATUSES
            .iter()
            .zip(&self.refused)
            .map(|(status, count)| {
                let label = if *status == 0 { "other".to_owned() } else { status.to_string() };
                (format!("{{status=\"{label}\"}}"), count.get() as f64)
            })
            .collect();
        counter("hogwire_deliveries_refused_total", "Deliveries turned away.", &refused);
        let steps = |value: fn(&Steps) -> f64| -> Vec<(String, f64)> {
            let rows = Work::ALL.iter().zip(&self.work);
            rows.map(|(work, steps)| (format!("{{work=\"{}\"}}", work.as_str()), value(steps))).collect()
        };
        counter("hogwire_steps_total", "Batches of work done.", &steps(|steps| steps.steps.get() as f64));
        counter("hogwire_steps_items_total", "Rows that steps moved.", &steps(|steps| steps.did.get() as f64));
        counter("hogwire_steps_failed_total", "Steps that failed.", &steps(|steps| steps.failed.get() as f64));
        counter("hogwire_steps_seconds_total", "Time in steps.", &steps(|steps| seconds(steps.micros.get())));
        counter("hogwire_panics_total", "Requests and steps that panicked.", &one(&self.panics));
        let help = "From a webhook's first byte to its answer.";
        self.acknowledged.write(&mut out, "hogwire_acknowledge_seconds", help);
        let name = "hogwire_inbox_backlog_bytes";
        let _ = write!(out, "# HELP {name} Received and not decided yet.\n# TYPE {name} gauge\n{name} {backlog}\n");
        out
    }
}
