//! What was promised, kept outside of the program that is killed: the events it said yes to,
//! and the mails that really arrived.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use hogwire_engine::store::messages::Status;
use hogwire_engine::store::{Store, events, messages};
use hogwire_model::Outcome;
use hogwire_sim::smtp::Postman;

/// The connection whose events are counted.
pub const CONNECTION: &str = "posthog";

#[derive(Default)]
pub struct Ledger {
    /// uuid → address, of every event that was answered with 202.
    promised: Mutex<HashMap<String, String>>,
    /// address → how many mails arrived.
    arrived: Mutex<HashMap<String, usize>>,
}

impl Postman for Ledger {
    fn take(&self, _: &str, to: &str, _: &[u8]) -> Outcome {
        *self.arrived.lock().unwrap_or_else(PoisonError::into_inner).entry(to.to_owned()).or_default() += 1;
        // Long enough for a kill to fall between the mail and its answer now and then.
        std::thread::sleep(std::time::Duration::from_millis(3));
        Outcome::Done("250 2.0.0 queued".to_owned())
    }
}

impl Ledger {
    pub fn promise(&self, uuid: String, address: String) {
        self.promised.lock().unwrap_or_else(PoisonError::into_inner).insert(uuid, address);
    }

    pub fn counts(&self) -> (usize, usize) {
        let promised = self.promised.lock().unwrap_or_else(PoisonError::into_inner).len();
        (promised, self.arrived.lock().unwrap_or_else(PoisonError::into_inner).values().sum())
    }

    /// Holds the promises against what the database says.
    pub fn judge(&self, store: &Store) -> Result<String, String> {
        let said = |error: hogwire_engine::Error| format!("the database cannot be read: {error}");
        let promised = self.promised.lock().unwrap_or_else(PoisonError::into_inner);
        let arrived = self.arrived.lock().unwrap_or_else(PoisonError::into_inner);
        let mut tx = store.read().map_err(said)?;
        let twice: Vec<&String> = arrived.iter().filter(|(_, n)| **n > 1).map(|(address, _)| address).collect();
        if !twice.is_empty() {
            return Err(format!("{} people were mailed twice, {} among them", twice.len(), twice[0]));
        }
        let mut by_contact: HashMap<String, messages::Message> = HashMap::new();
        for message in messages::newest(&mut tx, None, None, 1_000_000).map_err(said)? {
            by_contact.insert(message.address.clone(), message);
        }
        let mut ambiguous = 0;
        for (uuid, address) in promised.iter() {
            if events::find(&mut tx, CONNECTION, uuid).map_err(said)?.is_none() {
                return Err(format!("the event {uuid} was acknowledged and is lost"));
            }
            let came = arrived.contains_key(address);
            match by_contact.get(address).map(|message| message.status) {
                Some(Status::Sent) if came => {}
                Some(Status::Sent) => return Err(format!("{address} counts as mailed, but nothing arrived")),
                Some(Status::Unknown | Status::Sending) => ambiguous += 1,
                other => return Err(format!("{address} was owed a mail, and its message is {other:?}")),
            }
        }
        let (events, mails) = (promised.len(), arrived.len());
        Ok(format!("{events} events kept, {mails} mails once each, {ambiguous} ambiguous and listed"))
    }
}
