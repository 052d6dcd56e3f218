//! A plausible product and the people who use it: visits before anybody signs in, signups,
//! carts that are left or bought, plans that change, accounts that turn out to be one.
//!
//! What real projects send and nobody planned is here too: placeholder ids, events without
//! a person, events that are days old.

use std::collections::BTreeMap;

use hogwire_model::{Span, Time};
use serde_json::{Map, Value, json};

use crate::script::TOKEN;
use crate::seed::Dice;
use crate::vendors::posthog::Captured;

const FIRST_NAMES: &[&str] =
    &["Ada", "Bilal", "Chiara", "Dmitri", "Eve", "Femi", "Grete", "Hana", "Ivo", "Jun", "Kofi", "Lena", "Mika", "Noor"];
const PLANS: &[&str] = &["free", "free", "free", "team", "pro"];
const PLACEHOLDERS: &[&str] = &["undefined", "null", "anonymous", "guest", "0", "NaN", "[object Object]"];

pub struct Traffic {
    dice: Dice,
    people: Vec<Person>,
    /// What somebody will do later: time and a running number, who, and what.
    planned: BTreeMap<(Time, u64), (usize, Planned)>,
    number: u64,
    /// How much of what happens is somebody new.
    newcomers: f64,
}

#[derive(Clone, Debug)]
pub struct Person {
    pub browser: String,
    pub user: String,
    pub name: String,
    pub address: String,
    pub signed_up: bool,
}

#[derive(Clone, Debug)]
enum Planned {
    Identify,
    SignUp,
    Complete { order: String },
}

impl Traffic {
    pub fn new(dice: Dice) -> Self {
        Self { dice, people: Vec::new(), planned: BTreeMap::new(), number: 0, newcomers: 0.12 }
    }

    /// How much of what happens is somebody new, once there are some people.
    pub fn with_newcomers(mut self, newcomers: f64) -> Self {
        self.newcomers = newcomers;
        self
    }

    pub fn people(&self) -> &[Person] {
        &self.people
    }

    /// What happens at a moment: what was planned until then, and `most` new things at most.
    pub fn at(&mut self, now: Time, most: u64) -> Vec<Captured> {
        let mut events = Vec::new();
        while let Some(((due, _), _)) = self.planned.first_key_value()
            && *due <= now
            && let Some((_, (who, what))) = self.planned.pop_first()
        {
            events.extend(self.planned(who, &what, now));
        }
        for _ in 0..self.dice.below(most + 1) {
            events.extend(self.something(now));
        }
        events
    }

    fn planned(&mut self, who: usize, what: &Planned, now: Time) -> Vec<Captured> {
        match what {
            Planned::Identify => vec![self.identify(who, now)],
            Planned::SignUp => self.sign_up(who, now),
            Planned::Complete { order } => {
                vec![self.event(who, "checkout_completed", json!({ "order_id": order }), now)]
            }
        }
    }

    fn something(&mut self, now: Time) -> Vec<Captured> {
        let newcomers = if self.people.len() < 8 { 0.6 } else { self.newcomers };
        if self.people.is_empty() || self.dice.chance(newcomers) {
            return vec![self.arrive(now)];
        }
        let who = self.dice.below(self.people.len() as u64) as usize;
        match self.dice.below(100) {
            0..20 => vec![self.event(who, "$pageview", json!({ "$pathname": "/" }), now)],
            20..50 => vec![self.event(who, "pricing_viewed", json!({}), now)],
            50..65 => vec![self.checkout(who, now)],
            65..72 => {
                let plan = *self.dice.pick(PLANS);
                vec![self.event(who, "plan_changed", json!({ "$set": { "plan": plan } }), now)]
            }
            72..80 if !self.people[who].signed_up => self.sign_up(who, now),
            80..84 => vec![self.event(who, "demo_booked", json!({}), now)],
            84..87 => vec![self.merge(who, now)],
            87..90 => vec![self.placeholder(now)],
            90..93 => vec![self.event(who, "sample", json!({ "$process_person_profile": false }), now)],
            93..96 => {
                let old = now.minus(Span::hours(72));
                vec![self.event(who, "signed_up", json!({ "plan": "free" }), old)]
            }
            96 => vec![self.event(who, "account_deleted", json!({}), now)],
            _ => vec![self.event(who, "$pageview", json!({ "$pathname": "/docs" }), now)],
        }
    }

    /// Somebody new: first a browser, and later perhaps a name.
    fn arrive(&mut self, now: Time) -> Captured {
        let number = self.people.len();
        let name = (*self.dice.pick(FIRST_NAMES)).to_owned();
        let local = match self.dice.below(60) {
            0 => format!("bounce-{number}"),
            1 => format!("defer-{number}"),
            _ => format!("{}.{number}", name.to_lowercase()),
        };
        self.people.push(Person {
            browser: self.dice.uuid(),
            user: format!("user_{number}"),
            address: format!("{local}@people.sim"),
            name,
            signed_up: false,
        });
        if self.dice.chance(0.8) {
            let wait = Span::seconds(self.dice.below(7_200) as i64);
            let what = if self.dice.chance(0.7) { Planned::SignUp } else { Planned::Identify };
            self.plan(now.plus(wait), number, what);
        }
        self.event(
            number,
            "$pageview",
            json!({ "$pathname": "/", "$set_once": { "$initial_referrer": "search" } }),
            now,
        )
    }

    fn identify(&mut self, who: usize, now: Time) -> Captured {
        let person = self.people[who].clone();
        self.people[who].signed_up = true;
        let plan = *self.dice.pick(PLANS);
        let set = json!({ "email": person.address, "name": person.name, "plan": plan });
        let event = self.event(who, "$identify", json!({ "$anon_distinct_id": person.browser, "$set": set }), now);
        // Identified people are named by their user id from now on.
        Captured { distinct_id: person.user, ..event }
    }

    fn sign_up(&mut self, who: usize, now: Time) -> Vec<Captured> {
        let identified = self.identify(who, now);
        let plan = *self.dice.pick(PLANS);
        let signed = self.event(who, "signed_up", json!({ "plan": plan }), now);
        vec![identified, signed]
    }

    fn checkout(&mut self, who: usize, now: Time) -> Captured {
        self.number += 1;
        let order = format!("o{}", self.number);
        if self.dice.chance(0.5) {
            let wait = Span::minutes(self.dice.below(600) as i64);
            self.plan(now.plus(wait), who, Planned::Complete { order: order.clone() });
        }
        let value = 10 + self.dice.below(200);
        self.event(who, "checkout_started", json!({ "order_id": order, "cart_value": value }), now)
    }

    fn merge(&mut self, who: usize, now: Time) -> Captured {
        let other = self.dice.below(self.people.len() as u64) as usize;
        let alias = self.people[other].user.clone();
        let name = if self.dice.chance(0.5) { "$create_alias" } else { "$merge_dangerously" };
        let event = self.event(who, name, json!({ "alias": alias }), now);
        Captured { distinct_id: self.people[who].user.clone(), ..event }
    }

    fn placeholder(&mut self, now: Time) -> Captured {
        let id = *self.dice.pick(PLACEHOLDERS);
        let uuid = self.dice.uuid();
        captured(uuid, "pricing_viewed", id, json!({ "$set": { "email": "nobody@people.sim" } }), now)
    }

    fn plan(&mut self, at: Time, who: usize, what: Planned) {
        self.number += 1;
        self.planned.insert((at, self.number), (who, what));
    }

    fn event(&mut self, who: usize, name: &str, properties: Value, at: Time) -> Captured {
        let person = &self.people[who];
        let id = if person.signed_up { person.user.clone() } else { person.browser.clone() };
        let uuid = self.dice.uuid();
        captured(uuid, name, &id, properties, at)
    }
}

/// An event as a browser sends it.
pub fn captured(uuid: String, name: &str, id: &str, properties: Value, at: Time) -> Captured {
    let properties = match properties {
        Value::Object(properties) => properties,
        _ => Map::new(),
    };
    Captured {
        token: TOKEN.to_owned(),
        uuid,
        event: name.to_owned(),
        distinct_id: id.to_owned(),
        properties,
        timestamp: at,
        captured_at: at,
    }
}
