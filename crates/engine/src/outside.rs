//! Everything the engine reaches outside itself, as traits that the shell implements:
//! real sockets, clocks and disks in the server, seeded stand-ins in the simulator.
//!
//! Calls block; the engine runs on its own threads. A batch is handed over whole so that
//! the adapter may work on it concurrently.

use std::sync::Arc;

use hogwire_connectors::http::{Request, Response};
use hogwire_connectors::smtp::records::{Looked, Question};
use hogwire_model::{Outcome, Time};

/// All of the outside, handed to the engine when it opens.
#[derive(Clone)]
pub struct Outside {
    pub http: Arc<dyn Http>,
    pub mail: Arc<dyn Mail>,
    pub dns: Arc<dyn Dns>,
    pub disk: Arc<dyn Disk>,
    pub entropy: Arc<dyn Entropy>,
    pub wake: Arc<dyn Wake>,
}

/// What the network did with a request.
pub enum HttpAnswer {
    Response(Response),
    /// No byte of the request reached the other side: safe to try again.
    NotSent(String),
    /// It may have arrived; no answer came.
    Broken(String),
    /// The address is one that must not be called (private, link-local, not on the list).
    Forbidden(String),
}

/// Which addresses a request may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Hosts the operator wrote into the settings (PostHog, Brevo): any address.
    Configured,
    /// Hosts that come from campaigns and data: public addresses only, unless allowed.
    Guarded,
}

pub trait Http: Send + Sync {
    /// Performs the requests, concurrently where it can. Answers are in the order asked,
    /// each with the time it came.
    fn send(&self, reach: Reach, requests: Vec<Request>) -> Vec<(Time, HttpAnswer)>;
}

/// One mail, complete: what goes into the envelope and after DATA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// Name of the sender in the settings, which says how it goes out.
    pub sender: String,
    pub envelope_from: String,
    pub to: String,
    pub bytes: Vec<u8>,
}

pub trait Mail: Send + Sync {
    /// Sends each mail once; never tries again by itself. `Outcome::Unknown` means that the
    /// connection broke after the last byte of the message and before its reply.
    fn send(&self, parcels: Vec<Parcel>) -> Vec<(Time, Outcome)>;
}

/// Append-only files in one folder, for the segment log and the journal.
pub trait Disk: Send + Sync {
    /// Names of all files, sorted.
    fn list(&self) -> std::io::Result<Vec<String>>;
    /// Makes a file with `size` bytes reserved, all zero. Durable when it returns.
    fn create(&self, name: &str, size: u64) -> std::io::Result<()>;
    /// Writes at an offset and makes it durable (`fdatasync`) before returning.
    fn write_sync(&self, name: &str, offset: u64, bytes: &[u8]) -> std::io::Result<()>;
    /// Reads up to `length` bytes from an offset; fewer at the end of the file.
    fn read(&self, name: &str, offset: u64, length: usize) -> std::io::Result<Vec<u8>>;
    fn size(&self, name: &str) -> std::io::Result<u64>;
    fn remove(&self, name: &str) -> std::io::Result<()>;
    /// Renames durably; replaces what is there.
    fn rename(&self, from: &str, to: &str) -> std::io::Result<()>;
    /// Bytes free for us, or `None` where that cannot be known.
    fn free(&self) -> Option<u64>;
}

/// Asks the name servers of the world.
pub trait Dns: Send + Sync {
    /// Answers are in the order asked, one for each question, and never older than a minute.
    fn look(&self, questions: Vec<Question>) -> Vec<Looked>;
}

/// For worlds without name servers.
pub struct NoDns;

impl Dns for NoDns {
    fn look(&self, questions: Vec<Question>) -> Vec<Looked> {
        questions.iter().map(|_| Looked::Failed("there are no name servers here".to_owned())).collect()
    }
}

pub trait Entropy: Send + Sync {
    fn fill(&self, bytes: &mut [u8]);
}

impl dyn Entropy + '_ {
    pub fn bits(&self) -> u128 {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        u128::from_le_bytes(bytes)
    }

    /// A number in [0, 1), for jitter.
    pub fn fraction(&self) -> f64 {
        (self.bits() >> 75) as f64 / (1_u64 << 53) as f64
    }

    /// An id such as `con_01jd…`.
    pub fn id(&self, prefix: &str, at: Time) -> String {
        hogwire_model::id::make(prefix, at, self.bits())
    }

    /// 130 unguessable bits in 26 characters that are safe in URLs and addresses.
    pub fn token(&self) -> String {
        let mut bytes = [0; 26];
        self.fill(&mut bytes);
        bytes.iter().map(|byte| char::from(b"abcdefghijklmnopqrstuvwxyz234567"[usize::from(byte & 31)])).collect()
    }
}

/// Tells sleeping workers that there is something to do.
pub trait Wake: Send + Sync {
    fn wake(&self);
}
