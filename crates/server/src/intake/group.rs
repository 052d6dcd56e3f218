//! Group commit: requests that wait together are made durable together.
//!
//! Handlers put their records into a bounded queue; one thread takes everything that waits,
//! hands it to the engine in one call, and answers. It never lingers for more: while one
//! group is being written, the next one gathers by itself. A full queue and a disk that
//! cannot take more are answered at once, so that the sender comes back later.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Bytes;
use hogwire_connectors::Shape;
use hogwire_engine::inbox::Record;
use hogwire_engine::{Engine, Error, Receipt};
use hogwire_model::Time;
use tokio::sync::{mpsc, oneshot};

use crate::api::problem::Problem;
use crate::telemetry::meters::Meters;

/// Requests that may wait.
const REQUESTS: usize = 8_192;
/// Bytes that may wait.
const BYTES: usize = 128 << 20;
/// A group is written when it has gathered this much, whoever else waits.
const GROUP_BYTES: usize = 8 << 20;
const GROUP_REQUESTS: usize = 4_096;

/// The records of one request.
pub enum Bodies {
    One(Shape, Bytes),
    Many(Vec<(Shape, Bytes)>),
}

impl Bodies {
    pub fn len(&self) -> usize {
        match self {
            Self::One(..) => 1,
            Self::Many(bodies) => bodies.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn bytes(&self) -> usize {
        match self {
            Self::One(_, body) => body.len(),
            Self::Many(bodies) => bodies.iter().map(|(_, body)| body.len()).sum(),
        }
    }

    fn each(&self) -> impl Iterator<Item = (Shape, &Bytes)> {
        let (one, many) = match self {
            Self::One(shape, body) => (Some((*shape, body)), None),
            Self::Many(bodies) => (None, Some(bodies)),
        };
        one.into_iter().chain(many.into_iter().flatten().map(|(shape, body)| (*shape, body)))
    }
}

struct Waiting {
    connection: Arc<str>,
    bodies: Bodies,
    bytes: usize,
    arrived: Time,
    answer: oneshot::Sender<Result<usize, Problem>>,
}

/// The queue's near end.
pub struct Group {
    queue: mpsc::Sender<Waiting>,
    waiting_bytes: Arc<AtomicUsize>,
}

/// The queue's far end, to be run on a thread of its own.
pub struct Writer {
    queue: mpsc::Receiver<Waiting>,
    waiting_bytes: Arc<AtomicUsize>,
}

pub fn pair() -> (Group, Writer) {
    let (sender, receiver) = mpsc::channel(REQUESTS);
    let waiting_bytes = Arc::new(AtomicUsize::new(0));
    (Group { queue: sender, waiting_bytes: waiting_bytes.clone() }, Writer { queue: receiver, waiting_bytes })
}

impl Group {
    /// Answers when the records are on disk: how many of them came a moment ago already.
    pub async fn keep(&self, connection: Arc<str>, bodies: Bodies, arrived: Time) -> Result<usize, Problem> {
        let bytes = bodies.bytes();
        if self.waiting_bytes.load(Ordering::Relaxed) > BYTES {
            return Err(busy());
        }
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { connection, bodies, bytes, arrived, answer };
        self.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        if self.queue.try_send(waiting).is_err() {
            self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
            return Err(busy());
        }
        // The writer is gone only while the server stops; the sender comes back.
        answered.await.unwrap_or_else(|_| Err(busy()))
    }
}

fn busy() -> Problem {
    Problem::too_many("Events come faster than they can be written.", 1)
}

impl Writer {
    /// Writes groups until every near end is gone.
    pub fn run(mut self, engine: &Engine, meters: &Meters) {
        let mut group = Vec::new();
        while let Some(first) = self.queue.blocking_recv() {
            let mut bytes = first.bytes;
            group.push(first);
            while bytes < GROUP_BYTES && group.len() < GROUP_REQUESTS {
                let Ok(next) = self.queue.try_recv() else { break };
                bytes += next.bytes;
                group.push(next);
            }
            write(engine, meters, &mut group);
            self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
    }
}

fn write(engine: &Engine, meters: &Meters, group: &mut Vec<Waiting>) {
    let mut records = Vec::with_capacity(group.len());
    // Only PostgreSQL's inbox has lanes; the log keeps the order by itself.
    let with_lanes = !engine.store().is_sqlite();
    for waiting in group.iter() {
        for (shape, body) in waiting.bodies.each() {
            records.push(Record {
                connection: &waiting.connection,
                shape: shape.as_str(),
                arrived: waiting.arrived,
                body,
                lane_hint: if with_lanes { lane(&waiting.connection, body) } else { 0 },
            });
        }
    }
    let received = engine.receive(&records);
    meters.groups.add(1);
    meters.grouped.add(records.len() as u64);
    drop(records);
    match received {
        Ok(receipt) => answer(group, &receipt),
        Err(error) => {
            tracing::error!("events could not be written: {error}");
            let seconds = if matches!(error, Error::Busy(_)) { 2 } else { 10 };
            for waiting in group.drain(..) {
                let problem = Problem::too_many("The events could not be written to disk.", seconds);
                // A sender that hung up is not told.
                let _ = waiting.answer.send(Err(problem));
            }
        }
    }
}

/// One person's records of one connection share a lane, and so keep their order.
fn lane(connection: &str, body: &[u8]) -> u64 {
    let Some(id) = hogwire_connectors::whom(body) else { return 0 };
    let mut hasher = DefaultHasher::new();
    (connection, &*id).hash(&mut hasher);
    hasher.finish().max(1)
}

fn answer(group: &mut Vec<Waiting>, receipt: &Receipt) {
    let mut repeated = receipt.repeated.iter().copied().peekable();
    let mut end = 0;
    for waiting in group.drain(..) {
        end += waiting.bodies.len();
        let mut duplicates = 0;
        while repeated.next_if(|place| *place < end).is_some() {
            duplicates += 1;
        }
        let _ = waiting.answer.send(Ok(duplicates));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one() -> Bodies {
        Bodies::One(Shape::Capture, Bytes::from_static(b"{}"))
    }

    #[tokio::test]
    async fn a_full_queue_is_told_at_once_and_when_to_come_back() {
        let (group, writer) = pair();
        let group = Arc::new(group);
        for _ in 0..REQUESTS {
            let group = group.clone();
            tokio::spawn(async move { group.keep("c".into(), one(), Time::from_millis(1)).await });
        }
        while group.queue.capacity() > 0 {
            tokio::task::yield_now().await;
        }
        let busy = group.keep("c".into(), one(), Time::from_millis(1)).await.expect_err("full");
        assert_eq!((busy.status, busy.retry_after), (429, Some(1)));
        drop(writer);
        let gone = group.keep("c".into(), one(), Time::from_millis(1)).await.expect_err("nobody writes");
        assert_eq!(gone.status, 429);
    }

    #[test]
    fn each_request_learns_of_its_own_repeats() {
        let (mut group, mut answers) = (Vec::new(), Vec::new());
        for bodies in [one(), Bodies::Many(vec![(Shape::Event, Bytes::new()); 3]), one()] {
            let (answer, answered) = oneshot::channel();
            answers.push(answered);
            let waiting = Waiting { connection: "c".into(), bytes: 0, bodies, arrived: Time::from_millis(1), answer };
            group.push(waiting);
        }
        answer(&mut group, &Receipt { accepted: 5, duplicates: 3, repeated: vec![1, 3, 4] });
        let told: Vec<usize> =
            answers.into_iter().map(|mut answered| answered.try_recv().expect("told").expect("kept")).collect();
        assert_eq!(told, [0, 2, 1]);
    }

    #[test]
    fn one_person_keeps_to_one_lane() {
        let first = lane("a", br#"{"event":"x","distinct_id":"u"}"#);
        assert_eq!(first, lane("a", br#"{"event":"y","distinct_id":"u","properties":{"n":1}}"#));
        assert_ne!(first, lane("b", br#"{"event":"x","distinct_id":"u"}"#));
        assert_eq!(lane("a", b"{}"), 0);
    }
}
