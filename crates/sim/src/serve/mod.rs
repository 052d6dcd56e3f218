//! The stand-ins behind sockets on loopback, for `hogwire demo`: a PostHog that takes
//! captures and really POSTs webhooks, a mail server, a mailbox with a web view.
//!
//! `Stage` is the same code that the simulator drives, under a clock that somebody else
//! winds. `live` adds the people: they use the product, read their mails and follow links
//! by real requests. What they were promised is kept and can be checked at any time.

mod life;
mod pages;
pub mod wire;

use std::io::Result;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{OriginalUri, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use hogwire_connectors::http::Request;
use hogwire_engine::Engine;
use hogwire_engine::campaigns::Project;
use hogwire_model::{Outcome, Span, Time};
use tokio::net::TcpListener;

use crate::checks::{self, Ledger};
use crate::clock::Clock;
use crate::faults::Faults;
use crate::net::{Ends, Net};
use crate::readers::Readers;
use crate::script;
use crate::seed::Dice;
use crate::smtp::{self, Postman};
use crate::traffic::Traffic;
use crate::vendors::posthog::{Destination, PostHog};

pub type Shared = Arc<Stage>;

/// Newcomers among a year's visits, so that a few hundred people come together.
const NEWCOMERS: f64 = 0.03;

pub struct Stage {
    net: Net,
    clock: Clock,
    wall: Box<dyn Fn() -> Time + Send + Sync>,
    life: Mutex<Life>,
}

/// The people and what they were promised.
struct Life {
    traffic: Traffic,
    readers: Readers,
    ledger: Ledger,
    dice: Dice,
    mails_read: usize,
    /// Promises that the people saw broken.
    complaints: Vec<String>,
}

/// Where the stand-ins listen.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    pub posthog: SocketAddr,
    pub smtp: SocketAddr,
    pub mailbox: SocketAddr,
}

/// One webhook body of the year before, and when it came.
pub struct Past {
    pub arrived: Time,
    pub body: Vec<u8>,
}

/// What happened so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub people: usize,
    pub events: u64,
    pub mails: usize,
    /// Events of ours that PostHog has: name and how many.
    pub captured: Vec<(String, usize)>,
    pub opt_outs: usize,
    pub leads: usize,
}

impl Stage {
    /// `wall` says what time it is on this stage.
    pub fn new(seed: u64, wall: impl Fn() -> Time + Send + Sync + 'static) -> Shared {
        let mut dice = Dice::new(seed);
        let clock = Clock::at(wall());
        let net = Net::new(clock.clone(), PostHog::new(script::POSTHOG), Faults::NONE, dice.fork());
        let life = Life {
            traffic: Traffic::new(dice.fork()).with_newcomers(NEWCOMERS),
            readers: Readers::new(dice.fork()),
            ledger: Ledger::default(),
            dice,
            mails_read: 0,
            complaints: Vec::new(),
        };
        Arc::new(Self { net, clock, wall: Box::new(wall), life: Mutex::new(life) })
    }

    /// What time it is on this stage.
    pub fn now(&self) -> Time {
        let now = (self.wall)();
        self.clock.set(now);
        now
    }

    pub fn ends(&self) -> MutexGuard<'_, Ends> {
        self.now();
        self.net.ends()
    }

    fn life(&self) -> MutexGuard<'_, Life> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the sockets and answers on them until the runtime ends.
    pub async fn listen(self: &Arc<Self>) -> Result<Places> {
        let (posthog, smtp, mailbox) = (local().await?, local().await?, local().await?);
        let places =
            Places { posthog: posthog.local_addr()?, smtp: smtp.local_addr()?, mailbox: mailbox.local_addr()? };
        let router = Router::new().fallback(answer).with_state(self.clone());
        let pages = pages::routes(self.clone());
        tokio::spawn(async move { axum::serve(posthog, router).await });
        tokio::spawn(async move { axum::serve(mailbox, pages).await });
        tokio::spawn(smtp::serve(smtp, self.clone()));
        Ok(places)
    }

    /// Where PostHog's webhooks go, and the secret they carry.
    pub fn deliver_to(&self, url: &str, secret: &str) {
        self.net.ends().posthog.add_destination(Destination {
            url: url.to_owned(),
            headers: vec![("X-PostHog-Webhook-Secret".to_owned(), secret.to_owned())],
            signing_secret: None,
            only: Vec::new(),
            never: Vec::new(),
        });
    }

    /// Lives from one time to another at once, and hands over what PostHog would have sent.
    pub fn past(&self, from: Time, until: Time) -> Vec<Past> {
        let mut life = self.life();
        let mut ends = self.net.ends();
        let mut past = Vec::new();
        let mut now = from;
        while now < until {
            for event in life.traffic.at(now, 2) {
                ends.posthog.take(event);
            }
            for (delivery, request) in ends.posthog.due(now) {
                past.push(Past { arrived: now, body: request.body });
                ends.posthog.settle(delivery, Some(202), Span::ZERO, now);
            }
            now = now.plus(Span::minutes(45));
        }
        past
    }

    /// Checks every promise, now. What is broken comes back as sentences.
    pub fn broken(&self, engine: &Engine) -> hogwire_engine::Result<Vec<String>> {
        let now = self.now();
        let mut life = self.life();
        let mut broken = life.complaints.clone();
        let ends = self.net.ends();
        broken.extend(life.ledger.ends(&ends).err());
        broken.extend(checks::always(engine, now)?.err());
        broken.extend(life.ledger.nothing_lost(engine)?.err());
        broken.extend(checks::agree(engine, &ends)?.err());
        Ok(broken)
    }

    pub fn tally(&self) -> Tally {
        let life = self.life();
        let ends = self.net.ends();
        let mut captured = std::collections::BTreeMap::<String, usize>::new();
        for event in ends.posthog.events().iter().filter(|event| event.event.starts_with("hogwire_")) {
            *captured.entry(event.event.clone()).or_default() += 1;
        }
        Tally {
            people: life.traffic.people().len(),
            events: life.ledger.accepted,
            mails: ends.mailbox.all().len(),
            captured: captured.into_iter().collect(),
            opt_outs: life.ledger.opt_outs(),
            leads: ends.hooks.len(),
        }
    }
}

impl Postman for Stage {
    fn take(&self, from: &str, to: &str, bytes: &[u8]) -> Outcome {
        let now = self.now();
        self.net.ends().mailbox.accept(now, from, to, bytes)
    }
}

/// The campaigns of the product, calling webhooks at a place that there is.
pub fn project(places: &Places) -> Project {
    let mut project = script::project();
    for campaign in &mut project.campaigns {
        campaign.text = campaign.text.replace(script::CRM, &format!("http://{}/leads", places.posthog));
    }
    project
}

async fn local() -> Result<TcpListener> {
    TcpListener::bind("127.0.0.1:0").await
}

async fn answer(
    State(stage): State<Shared>,
    OriginalUri(uri): OriginalUri,
    method: Method,
    headers: axum::http::HeaderMap,
    body: Bytes,
) -> Response {
    let now = stage.now();
    let url = match uri.path() {
        "/leads" => script::CRM.to_owned(),
        path => format!("{}{path}", script::POSTHOG),
    };
    let mut request = Request::new(method.as_str(), url).json(body.to_vec());
    if let Some(id) = headers.get("webhook-id").and_then(|value| value.to_str().ok()) {
        request = request.header("webhook-id", id);
    }
    let answer = stage.net.ends().http(&request, now);
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, answer.body).into_response();
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
