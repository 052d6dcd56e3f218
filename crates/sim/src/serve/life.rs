//! The people of the demonstration: what they do in the product, and with their mails.

use std::sync::Arc;
use std::time::Duration;

use hogwire_connectors::http::Request;
use hogwire_model::Span;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::wire::{Line, host_of};
use super::{Life, Shared, Stage};
use crate::readers::{AGENT, Act, OptOut};
use crate::vendors::posthog::Delivery;

const TICK: Duration = Duration::from_millis(100);
/// A webhook is given up after this long, as PostHog does.
const PATIENCE: Duration = Duration::from_secs(3);
const AT_ONCE: usize = 16;
/// What was claimed a moment before an opt-out may still arrive a moment after it.
const ON_ITS_WAY: Span = Span::minutes(10);

impl Stage {
    /// Lives until `over` says so. `app` is where the links in mails lead.
    pub async fn live(self: &Shared, app: &str, over: impl Fn() -> bool) {
        let mut tick = tokio::time::interval(TICK);
        while !over() {
            tick.tick().await;
            self.use_the_product();
            self.round(app).await;
        }
    }

    /// Lets what is under way arrive, without anything new from people.
    pub async fn calm(self: &Shared, app: &str, over: impl Fn() -> bool) {
        let mut tick = tokio::time::interval(TICK);
        while !over() {
            tick.tick().await;
            self.round(app).await;
        }
    }

    async fn round(self: &Shared, app: &str) {
        self.webhooks().await;
        self.read_mails(app).await;
    }

    fn use_the_product(&self) {
        let now = self.now();
        let events = self.life().traffic.at(now, 4);
        let mut ends = self.net.ends();
        for event in events {
            ends.posthog.take(event);
        }
    }

    async fn webhooks(self: &Shared) {
        let now = self.now();
        let due = self.net.ends().posthog.due(now);
        let permits = Arc::new(Semaphore::new(AT_ONCE));
        let mut under_way = JoinSet::new();
        for (delivery, request) in due {
            let permits = permits.clone();
            under_way.spawn(async move {
                let permit = permits.acquire().await;
                let answer = tokio::time::timeout(PATIENCE, post(&request)).await;
                drop(permit);
                (delivery, answer.ok().and_then(Result::ok))
            });
        }
        while let Some(Ok((delivery, status))) = under_way.join_next().await {
            self.answered(delivery, status);
        }
    }

    fn answered(&self, delivery: Delivery, status: Option<u16>) {
        let now = self.now();
        let mut life = self.life();
        if status == Some(202) {
            life.ledger.acknowledged(&delivery.body);
        }
        let jitter = Span::millis(life.dice.below(1_000) as i64);
        self.net.ends().posthog.settle(delivery, status, jitter, now);
    }

    async fn read_mails(&self, app: &str) {
        let now = self.now();
        let mut acts = Vec::new();
        {
            let mut life = self.life();
            let Life { readers, mails_read, .. } = &mut *life;
            let ends = self.net.ends();
            for mail in &ends.mailbox.all()[*mails_read..] {
                readers.got(mail, now);
            }
            *mails_read = ends.mailbox.all().len();
            acts.extend(std::iter::from_fn(|| readers.next(now)));
        }
        for act in acts {
            let done = self.act(app, &act).await;
            if let Err(why) = done {
                self.life().complaints.push(why);
            }
        }
    }

    /// By a real request to the running server.
    async fn act(&self, app: &str, act: &Act) -> Result<(), String> {
        let get = |path: String| Request::new("GET", format!("http://{app}{path}")).header("user-agent", AGENT);
        let request = match act {
            Act::Open { token } => get(format!("/t/o/{token}.gif")),
            Act::Click { link } => get(format!("/t/c/{link}")),
            Act::Leave { token, .. } => {
                let mut request = Request::new("POST", format!("http://{app}/u/{token}"));
                request.body = b"List-Unsubscribe=One-Click".to_vec();
                request.header("content-type", "application/x-www-form-urlencoded")
            }
            // Complaints come by a feedback loop of mail providers, which is not on this stage.
            Act::Complain { .. } => return Ok(()),
        };
        let mut line = Line::open(app).await.map_err(|error| error.to_string())?;
        let answer = line.ask(&request).await.map_err(|error| format!("{}: {error}", request.url))?;
        match act {
            Act::Click { .. } if answer.status != 302 => Err(format!("{} was answered {}", request.url, answer.status)),
            _ if answer.status >= 400 => Err(format!("{} was answered {}", request.url, answer.status)),
            Act::Leave { address, list, .. } => {
                let at = self.now().plus(ON_ITS_WAY);
                let word = OptOut { address: address.clone(), list: Some(list.clone()), at };
                self.life().ledger.opted_out(word);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

async fn post(request: &Request) -> std::io::Result<u16> {
    let mut line = Line::open(host_of(&request.url)).await?;
    Ok(line.ask(request).await?.status)
}
