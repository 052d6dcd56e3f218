//! The loader: 64 kept connections, each request a body of its own.

use std::collections::HashMap;
use std::io::Result as IoResult;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hogwire_connectors::http::Request;
use hogwire_sim::serve::wire::{Line, written};

use crate::child::SECRET;
use crate::events::{body, uuid};

const CONNECTIONS: u64 = 64;
/// People who do something.
const PEOPLE: u64 = 20_000;

#[derive(Clone)]
pub struct Load {
    shared: Arc<Shared>,
}

struct Shared {
    next: AtomicU64,
    often: &'static str,
    /// Every tenth event, of somebody new each time.
    rare: Option<&'static str>,
    /// Whom the rare events are about, and when each was sent.
    sent: Mutex<HashMap<String, Instant>>,
    at: String,
}

impl Load {
    pub fn new(name: &'static str) -> Self {
        Self::with(name, None)
    }

    pub fn mixed(often: &'static str, rare: &'static str) -> Self {
        Self::with(often, Some(rare))
    }

    fn with(often: &'static str, rare: Option<&'static str>) -> Self {
        let seconds = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs();
        let at = hogwire_model::Time::from_millis(i64::try_from(seconds).unwrap_or(0) * 1_000).to_string();
        Self { shared: Arc::new(Shared { next: AtomicU64::new(0), often, rare, sent: Mutex::default(), at }) }
    }

    /// The numbers of the events made so far.
    pub fn uuids(&self) -> Range<u64> {
        0..self.shared.next.load(Ordering::SeqCst)
    }

    pub fn sent(&self) -> HashMap<String, Instant> {
        self.shared.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// As many requests as go through in a time. Any answer but 202 ends it.
    pub async fn flat_out(&self, host: &str, time: Duration) -> Result<u64, String> {
        let until = Instant::now() + time;
        let mut tasks = Vec::new();
        for _ in 0..CONNECTIONS {
            let (shared, host) = (self.shared.clone(), host.to_owned());
            tasks.push(tokio::spawn(async move {
                let mut line = Line::open(&host).await.map_err(|error| error.to_string())?;
                let mut patch = Patch::new(&shared, &host);
                let mut done = 0;
                while Instant::now() < until {
                    ask(&mut line, patch.next(&shared)).await?;
                    done += 1;
                }
                Ok::<u64, String>(done)
            }));
        }
        let mut all = 0;
        for task in tasks {
            all += task.await.map_err(|error| error.to_string())??;
        }
        Ok(all)
    }

    /// So many requests a second, whether or not answers come: each wait in milliseconds,
    /// from when the request was due.
    pub async fn paced(&self, host: &str, rate: f64, time: Duration) -> Result<Vec<f64>, String> {
        let began = Instant::now() + Duration::from_millis(20);
        let pause = Duration::from_secs_f64(CONNECTIONS as f64 / rate);
        let mut tasks = Vec::new();
        for place in 0..CONNECTIONS {
            let (shared, host) = (self.shared.clone(), host.to_owned());
            let first = began + pause.mul_f64(place as f64 / CONNECTIONS as f64);
            tasks.push(tokio::spawn(async move {
                let mut line = Line::open(&host).await.map_err(|error| error.to_string())?;
                let mut patch = Patch::new(&shared, &host);
                let mut waits = Vec::new();
                let mut due = first;
                while due < began + time && began.elapsed() < time * 2 {
                    tokio::time::sleep_until(due.into()).await;
                    let bytes = patch.next(&shared);
                    ask(&mut line, bytes).await?;
                    waits.push(due.elapsed().as_secs_f64() * 1_000.0);
                    due += pause;
                }
                Ok::<Vec<f64>, String>(waits)
            }));
        }
        let mut all = Vec::new();
        for task in tasks {
            all.extend(task.await.map_err(|error| error.to_string())??);
        }
        Ok(all)
    }
}

async fn ask(line: &mut Line, bytes: &[u8]) -> Result<(), String> {
    match line.ask_written(bytes).await {
        Ok(answer) if answer.status == 202 => Ok(()),
        Ok(answer) => Err(format!("{}: {}", answer.status, String::from_utf8_lossy(&answer.body))),
        Err(error) => Err(error.to_string()),
    }
}

/// A request written once; only the numbers in it change, so that the loader costs little.
struct Patch {
    bytes: Vec<u8>,
    host: String,
    places: Vec<usize>,
}

impl Patch {
    fn new(shared: &Shared, host: &str) -> Self {
        let person = shared.next.load(Ordering::SeqCst) % PEOPLE;
        let bytes = request(host, &body(0, person, shared.often, 0, &shared.at));
        let mark = uuid(0);
        let places = find_all(&bytes, mark.as_bytes());
        Self { bytes, host: host.to_owned(), places }
    }

    fn next(&mut self, shared: &Shared) -> &[u8] {
        let number = shared.next.fetch_add(1, Ordering::SeqCst);
        if let Some(rare) = shared.rare.filter(|_| number.is_multiple_of(10)) {
            let person = PEOPLE + number;
            let address = format!("person{person}@people.example");
            shared.sent.lock().unwrap_or_else(PoisonError::into_inner).insert(address, Instant::now());
            let bytes = request(&self.host, &body(number, person, rare, 0, &shared.at));
            // The usual one is made again the next time.
            *self = Self { bytes, host: std::mem::take(&mut self.host), places: Vec::new() };
            return &self.bytes;
        }
        if self.places.is_empty() {
            *self = Self::new(shared, &self.host);
        }
        let mark = uuid(number);
        for place in &self.places {
            self.bytes[*place..*place + mark.len()].copy_from_slice(mark.as_bytes());
        }
        &self.bytes
    }
}

fn request(host: &str, body: &[u8]) -> Vec<u8> {
    let request = Request::new("POST", format!("http://{host}/v1/webhooks/posthog"))
        .json(body.to_vec())
        .header("X-PostHog-Webhook-Secret", SECRET);
    written(&request, host)
}

fn find_all(bytes: &[u8], mark: &[u8]) -> Vec<usize> {
    bytes.windows(mark.len()).enumerate().filter(|(_, window)| *window == mark).map(|(place, _)| place).collect()
}

/// Median milliseconds for 64 KB and an `fdatasync` on the disk of a folder.
pub fn flush_time(dir: &Path) -> IoResult<f64> {
    let file = std::fs::File::create(dir.join("flush"))?;
    let bytes = vec![7; 64 << 10];
    file.write_all_at(&vec![0; 4 << 20], 0)?;
    file.sync_all()?;
    let mut times = Vec::new();
    for n in 0..50_u64 {
        let began = Instant::now();
        file.write_all_at(&bytes, n * bytes.len() as u64)?;
        file.sync_data()?;
        times.push(began.elapsed().as_secs_f64() * 1_000.0);
    }
    Ok(crate::figure::median(&mut times))
}
