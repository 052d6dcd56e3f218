//! Everything that the engine reaches by a socket, answered by stand-ins under faults.
//!
//! One lock holds both ends. A fault that ends the process unwinds with `Crash`, which only
//! the world catches, as if the machine had been switched off at that point.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hogwire_connectors::http::{Request, Response};
use hogwire_engine::outside::{Http, HttpAnswer, Mail, Parcel, Reach, Wake};
use hogwire_model::{Outcome, Time};
use serde_json::Value;

use crate::clock::Clock;
use crate::faults::{Faults, HttpFate, MailFate};
use crate::script::CRM;
use crate::seed::Dice;
use crate::vendors::mailbox::Mailbox;
use crate::vendors::posthog::PostHog;

/// The panic of a process that dies. Not an error: the world goes on without it.
pub struct Crash;

/// A promise that is broken on purpose, to show that a check notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// Every tenth mail goes out a second time.
    Resend,
    /// Every tenth event is acknowledged and thrown away.
    Lose,
    /// Every opt-out is answered and forgotten.
    Forget,
}

impl Break {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "resend" => Some(Self::Resend),
            "lose" => Some(Self::Lose),
            "forget" => Some(Self::Forget),
            _ => None,
        }
    }
}

pub struct Net {
    clock: Clock,
    ends: Mutex<Ends>,
}

/// The other ends of all connections.
pub struct Ends {
    pub posthog: PostHog,
    pub mailbox: Mailbox,
    /// Webhooks that campaigns called: id and body.
    pub hooks: Vec<(String, Vec<u8>)>,
    pub faults: Faults,
    pub broken: Option<Break>,
    /// Promises that the other ends saw broken.
    pub complaints: Vec<String>,
    dice: Dice,
    /// What each uuid said when it came first.
    told: HashMap<String, Value>,
    mails_asked: u64,
}

impl Net {
    pub fn new(clock: Clock, posthog: PostHog, faults: Faults, dice: Dice) -> Self {
        let ends = Ends {
            posthog,
            mailbox: Mailbox::default(),
            hooks: Vec::new(),
            faults,
            broken: None,
            complaints: Vec::new(),
            dice,
            told: HashMap::new(),
            mails_asked: 0,
        };
        Self { clock, ends: Mutex::new(ends) }
    }

    pub fn ends(&self) -> MutexGuard<'_, Ends> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ends {
    fn mail(&mut self, parcel: &Parcel, now: Time) -> Outcome {
        self.mails_asked += 1;
        let mut accept = || self.mailbox.accept(now, &parcel.envelope_from, &parcel.to, &parcel.bytes);
        if self.broken == Some(Break::Resend) && self.mails_asked.is_multiple_of(10) {
            accept();
        }
        accept()
    }

    pub(crate) fn http(&mut self, request: &Request, now: Time) -> Response {
        if request.url == CRM {
            let id = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case("webhook-id"));
            self.hooks.push((id.map(|header| header.value.clone()).unwrap_or_default(), request.body.clone()));
            return Response { status: 200, ..Response::default() };
        }
        let response = self.posthog.handle(request, now);
        if response.status == 200 {
            self.remember(&request.body);
        }
        response
    }

    /// The same uuid must say the same each time.
    fn remember(&mut self, body: &[u8]) {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        for event in body["batch"].as_array().into_iter().flatten() {
            let uuid = event["uuid"].as_str().unwrap_or_default();
            match self.told.get(uuid) {
                None if uuid.is_empty() => self.complaints.push(format!("an event came back without a uuid: {event}")),
                None => drop(self.told.insert(uuid.to_owned(), event.clone())),
                Some(before) if before == event => {}
                Some(before) => self.complaints.push(format!("uuid {uuid} said {before} and then {event}")),
            }
        }
    }
}

impl Mail for Net {
    fn send(&self, parcels: Vec<Parcel>) -> Vec<(Time, Outcome)> {
        let mut answers = Vec::new();
        let mut ends = self.ends();
        for parcel in &parcels {
            let now = self.clock.now();
            let faults = ends.faults;
            let outcome = match faults.mail(&mut ends.dice) {
                MailFate::Fine => ends.mail(parcel, now),
                MailFate::Busy => Outcome::Retry("451 4.3.2 try again later".to_owned()),
                MailFate::Broken { taken } => {
                    if taken {
                        ends.mail(parcel, now);
                    }
                    Outcome::Unknown("the connection broke".to_owned())
                }
                MailFate::Dies { taken } => {
                    if taken {
                        ends.mail(parcel, now);
                    }
                    drop(ends);
                    std::panic::resume_unwind(Box::new(Crash));
                }
            };
            answers.push((now, outcome));
        }
        answers
    }
}

impl Http for Net {
    fn send(&self, _: Reach, requests: Vec<Request>) -> Vec<(Time, HttpAnswer)> {
        let mut answers = Vec::new();
        let mut ends = self.ends();
        for request in &requests {
            let now = self.clock.now();
            let faults = ends.faults;
            let answer = match faults.http(&mut ends.dice) {
                HttpFate::Fine => HttpAnswer::Response(ends.http(request, now)),
                HttpFate::Busy => HttpAnswer::Response(busy()),
                HttpFate::Failed => HttpAnswer::Response(Response { status: 500, ..Response::default() }),
                HttpFate::NotSent => HttpAnswer::NotSent("connection refused".to_owned()),
                HttpFate::Broken { arrived } => {
                    if arrived {
                        ends.http(request, now);
                    }
                    HttpAnswer::Broken("connection reset".to_owned())
                }
                HttpFate::Dies { arrived } => {
                    if arrived {
                        ends.http(request, now);
                    }
                    drop(ends);
                    std::panic::resume_unwind(Box::new(Crash));
                }
            };
            answers.push((now, answer));
        }
        answers
    }
}

fn busy() -> Response {
    Response { status: 429, headers: vec![("retry-after".to_owned(), "30".to_owned())], body: Vec::new() }
}

impl Wake for Net {
    fn wake(&self) {}
}
