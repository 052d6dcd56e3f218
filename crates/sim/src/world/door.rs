//! What crosses the threshold: PostHog's deliveries coming in, mails being read, and what a
//! story lets people do.

use hogwire_connectors::Shape;
use hogwire_engine::inbox::Record;
use hogwire_model::Span;
use serde_json::Value;

use super::World;
use crate::faults::DoorFate;
use crate::net::Break;
use crate::readers::{self, Act};
use crate::traffic::captured;
use crate::vendors::posthog::{Captured, Delivery};

impl World {
    /// PostHog's deliveries on their way to our door.
    pub(super) fn deliver(&mut self) {
        let now = self.now();
        let due = self.net.ends().posthog.due(now);
        for (delivery, _) in due {
            let faults = self.net.ends().faults;
            let fate = faults.door(&mut self.dice);
            let later = now.plus(Span::seconds(1 + self.dice.below(7_200) as i64));
            if fate == DoorFate::Delayed {
                self.net.ends().posthog.double(&delivery, later);
                continue;
            }
            let status = match fate {
                DoorFate::Lost => None,
                _ => self.knock(&delivery),
            };
            let heard = if fate == DoorFate::AnswerLost { None } else { status };
            let jitter = Span::millis(self.dice.below(1_000) as i64);
            let mut ends = self.net.ends();
            if fate == DoorFate::Doubled {
                ends.posthog.double(&delivery, later);
            }
            ends.posthog.settle(delivery, heard, jitter, now);
        }
    }

    /// One delivery at the door: what the route does, without sockets.
    fn knock(&mut self, delivery: &Delivery) -> Option<u16> {
        let engine = self.engine.as_ref()?;
        let shape = hogwire_connectors::detect(&delivery.body);
        if hogwire_connectors::check(shape, &delivery.body).is_err() {
            return Some(400);
        }
        let record = Record {
            connection: "posthog",
            shape: Shape::as_str(shape),
            arrived: self.clock.now(),
            body: &delivery.body,
            lane_hint: 0,
        };
        let loses = self.net.ends().broken == Some(Break::Lose) && self.ledger.accepted % 10 == 9;
        let (torn, received) = (self.disk.torn(), if loses { Ok(()) } else { engine.receive(&[record]).map(|_| ()) });
        match received {
            Ok(()) => {
                self.ledger.acknowledged(&delivery.body);
                Some(202)
            }
            Err(_) if self.disk.torn() > torn => {
                if self.dice.chance(0.3) {
                    self.crash();
                }
                Some(503)
            }
            Err(error) => self.fail(&format!("an event could not be taken: {error}")),
        }
    }

    /// Readers hear of new mails.
    pub(super) fn meet(&mut self) {
        if self.mails_read == usize::MAX {
            return;
        }
        let (now, ends) = (self.clock.now(), self.net.ends());
        for mail in &ends.mailbox.all()[self.mails_read..] {
            self.readers.got(mail, now);
        }
        self.mails_read = ends.mailbox.all().len();
    }

    pub(super) fn read(&mut self) {
        while self.engine.is_some()
            && let Some(act) = self.readers.next(self.clock.now())
        {
            self.act(&act);
        }
    }

    /// A reader does something with a mail.
    pub fn act(&mut self, act: &Act) {
        let (now, torn) = (self.now(), self.disk.torn());
        let forgets = self.net.ends().broken == Some(Break::Forget);
        if forgets && let Act::Leave { address, .. } = act {
            self.ledger.opted_out(readers::OptOut { address: address.clone(), list: None, at: now });
            return;
        }
        match readers::act(self.engine(), act, now) {
            Ok(Ok(None)) => {}
            Ok(Ok(Some(word))) => self.ledger.opted_out(word),
            Ok(Err(why)) => self.fail(&why),
            Err(_) if self.disk.torn() > torn => self.readers.plan(now.plus(Span::minutes(1)), act.clone()),
            Err(error) => self.fail(&format!("a reader was turned away: {error}")),
        }
    }

    /// Somebody does something in the product, now.
    pub fn does(&mut self, id: &str, name: &str, properties: Value) {
        let event = captured(self.dice.uuid(), name, id, properties, self.now());
        self.take(event);
    }

    /// PostHog takes an event, now.
    pub fn take(&mut self, event: Captured) {
        self.net.ends().posthog.take(event);
    }

    /// Nobody opens or clicks but the story.
    pub fn without_readers(mut self) -> Self {
        self.mails_read = usize::MAX;
        self
    }
}
