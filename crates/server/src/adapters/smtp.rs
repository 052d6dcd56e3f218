//! Mail by SMTP: each mail once, over connections that are kept and used again.
//!
//! The conversation is driven command by command, because the engine must know how far it
//! came: before the message's first byte nothing has happened and it may be tried again;
//! once its bytes are on the way and no reply comes, nobody knows. Replies are judged by
//! the connector, nothing is retried here.

mod route;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hogwire_connectors::smtp::reply::classify;
use hogwire_engine::outside::{Mail, Parcel};
use hogwire_model::{Outcome, Time};
use lettre::Address;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt, Rset};
use lettre::transport::smtp::extension::{Extension, MailBodyParameter, MailParameter};
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::timeout;

pub use route::Route;

use super::clock::Clock;

/// For one command and its reply.
const COMMAND: Duration = Duration::from_secs(30);
/// For the message and its reply (RFC 5321 §4.5.3.2.6 allows ten minutes; nobody waits that long).
const MESSAGE: Duration = Duration::from_secs(120);

/// The mail servers that the settings name, by sender.
pub struct Post {
    runtime: Handle,
    clock: Clock,
    routes: BTreeMap<String, Arc<Route>>,
}

impl Post {
    pub fn new(runtime: Handle, clock: Clock, routes: BTreeMap<String, Route>) -> Self {
        let routes = routes.into_iter().map(|(name, route)| (name, Arc::new(route))).collect();
        Self { runtime, clock, routes }
    }

    /// Greets a sender's server and signs in, as `doctor` does. Answers what is wrong.
    pub fn reach(&self, sender: &str) -> Result<(), String> {
        let route = self.routes.get(sender).ok_or_else(|| no_sender(sender))?;
        let greeted = self.runtime.block_on(async {
            let mut connection = route.connect().await?;
            connection.abort().await;
            Ok(())
        });
        greeted.map_err(|outcome| match outcome {
            Outcome::Done(why)
            | Outcome::Retry(why)
            | Outcome::Snooze(_, why)
            | Outcome::Refused(why)
            | Outcome::Unauthorized(why)
            | Outcome::Unknown(why) => why,
        })
    }
}

impl Mail for Post {
    fn send(&self, parcels: Vec<Parcel>) -> Vec<(Time, Outcome)> {
        let mut outcomes: Vec<Option<(Time, Outcome)>> = parcels.iter().map(|_| None).collect();
        self.runtime.block_on(async {
            let mut flights = JoinSet::new();
            for (place, parcel) in parcels.into_iter().enumerate() {
                let Some(route) = self.routes.get(&parcel.sender).cloned() else {
                    outcomes[place] = Some((self.clock.now(), Outcome::Refused(no_sender(&parcel.sender))));
                    continue;
                };
                let clock = self.clock;
                flights.spawn(async move {
                    let outcome = deliver(&route, &parcel).await;
                    (place, clock.now(), outcome)
                });
            }
            while let Some(landed) = flights.join_next().await {
                if let Ok((place, at, outcome)) = landed {
                    outcomes[place] = Some((at, outcome));
                }
            }
        });
        let lost = || (self.clock.now(), Outcome::Unknown("sending was abandoned".to_owned()));
        outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(lost)).collect()
    }
}

fn no_sender(name: &str) -> String {
    format!("there is no sender `{name}` with a mail server; add it to `senders` in hogwire.yaml")
}

async fn deliver(route: &Route, parcel: &Parcel) -> Outcome {
    let address = |text: &str| {
        text.parse::<Address>().map_err(|error| Outcome::Refused(format!("`{text}` is no address: {error}")))
    };
    let (from, to) = match (address(&parcel.envelope_from), address(&parcel.to)) {
        (Ok(from), Ok(to)) => (from, to),
        (Err(outcome), _) | (_, Err(outcome)) => return outcome,
    };
    let _permit = route.permit().await;
    let (mut connection, opened) = match opened(route, &from, parcel).await {
        Ok(ready) => ready,
        Err(outcome) => return outcome,
    };
    let announced = match opened {
        Ok(()) => announce(&mut connection, to).await,
        Err(stopped) => Err(stopped),
    };
    if let Err(stopped) = announced {
        return stopped.settle(route, connection).await;
    }
    match timeout(MESSAGE, connection.message(&parcel.bytes)).await {
        Ok(Ok(reply)) => {
            let code = u16::from(reply.code());
            let said = reply.message().collect::<Vec<_>>().join(" ");
            route.put_back(connection);
            classify(code, None, &said).outcome
        }
        Ok(Err(error)) => match judged(&error) {
            Some(outcome) => {
                route.put_back(connection);
                outcome
            }
            None => Outcome::Unknown(format!("the connection broke while the mail was on its way: {error}")),
        },
        Err(_) => Outcome::Unknown("no reply came after the mail".to_owned()),
    }
}

/// Why the conversation stopped before the message.
enum Stopped {
    /// The server said no; the connection is still good.
    Said(Outcome),
    /// The connection is not.
    Broken(Outcome),
}

impl Stopped {
    fn of(error: &SmtpError) -> Self {
        match judged(error) {
            Some(outcome) if error.status().map(u16::from) != Some(421) => Self::Said(outcome),
            Some(outcome) => Self::Broken(outcome),
            None => Self::Broken(Outcome::Retry(format!("the connection to the mail server broke: {error}"))),
        }
    }

    async fn settle(self, route: &Route, mut connection: AsyncSmtpConnection) -> Outcome {
        match self {
            Self::Said(outcome) => {
                if matches!(timeout(COMMAND, connection.command(Rset)).await, Ok(Ok(_))) {
                    route.put_back(connection);
                }
                outcome
            }
            Self::Broken(outcome) => outcome,
        }
    }
}

/// A connection on which MAIL FROM has been said. One that was idle may have been closed by
/// the server meanwhile: then nothing was said yet, and a fresh one is opened.
async fn opened(
    route: &Route,
    from: &Address,
    parcel: &Parcel,
) -> Result<(AsyncSmtpConnection, Result<(), Stopped>), Outcome> {
    while let Some(mut idle) = route.idle() {
        match begin(&mut idle, from, parcel).await {
            Err(Stopped::Broken(_)) => {}
            begun => return Ok((idle, begun)),
        }
    }
    let mut fresh = route.connect().await?;
    let begun = begin(&mut fresh, from, parcel).await;
    Ok((fresh, begun))
}

async fn begin(connection: &mut AsyncSmtpConnection, from: &Address, parcel: &Parcel) -> Result<(), Stopped> {
    let mut parameters = Vec::new();
    let server = connection.server_info();
    if !parcel.envelope_from.is_ascii() || !parcel.to.is_ascii() {
        if !server.supports_feature(Extension::SmtpUtfEight) {
            let why = "the mail server cannot take addresses beyond ASCII (no SMTPUTF8)";
            return Err(Stopped::Said(Outcome::Refused(why.to_owned())));
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    if !parcel.bytes.is_ascii() && server.supports_feature(Extension::EightBitMime) {
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    say(connection, MailFrom::new(Some(from.clone()), parameters)).await
}

async fn announce(connection: &mut AsyncSmtpConnection, to: Address) -> Result<(), Stopped> {
    say(connection, Rcpt::new(to, Vec::new())).await?;
    say(connection, Data).await
}

async fn say(connection: &mut AsyncSmtpConnection, command: impl std::fmt::Display) -> Result<(), Stopped> {
    match timeout(COMMAND, connection.command(command)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(Stopped::of(&error)),
        Err(_) => Err(Stopped::Broken(Outcome::Retry("the mail server did not answer in time".to_owned()))),
    }
}

/// What a reply means; nothing where the error is not a reply.
pub(super) fn judged(error: &SmtpError) -> Option<Outcome> {
    let code = u16::from(error.status()?);
    let said = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    Some(classify(code, None, &said).outcome)
}
