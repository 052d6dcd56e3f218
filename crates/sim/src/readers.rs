//! The people at the other end of the mails: they open, follow links, leave, complain, some
//! at once and some hours later, and some never.

use std::collections::BTreeMap;

use hogwire_engine::tracking::{self, Report, Scope, Seen};
use hogwire_engine::{Engine, Result};
use hogwire_model::{Span, Time};

use crate::seed::Dice;
use crate::vendors::mailbox::Mail;

/// A browser that no filter takes for a program.
pub const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// What a reader does with one mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    Open {
        token: String,
    },
    Click {
        link: String,
    },
    /// One click, or everything.
    Leave {
        token: String,
        everything: bool,
        address: String,
        list: String,
    },
    Complain {
        message_id: String,
        address: String,
    },
}

/// Who does not want to be written to any more, and about what; no list means everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptOut {
    pub address: String,
    pub list: Option<String>,
    pub at: Time,
}

pub struct Readers {
    dice: Dice,
    planned: BTreeMap<(Time, usize), Act>,
    number: usize,
}

impl Readers {
    pub fn new(dice: Dice) -> Self {
        Self { dice, planned: BTreeMap::new(), number: 0 }
    }

    /// A mail arrived: its reader decides what to do and when.
    pub fn got(&mut self, mail: &Mail, now: Time) {
        let after = |dice: &mut Dice, most: u64| now.plus(Span::seconds(5 + dice.below(most) as i64));
        if self.dice.chance(0.6)
            && let Some(token) = pixel(mail)
        {
            let at = after(&mut self.dice, 20_000);
            self.plan(at, Act::Open { token });
        }
        if self.dice.chance(0.3)
            && let Some(link) = mail.links().iter().find_map(|link| behind(link, "/t/c/"))
        {
            let at = after(&mut self.dice, 20_000);
            self.plan(at, Act::Click { link });
        }
        let token = mail.unsubscribe.as_deref().and_then(|link| behind(link, "/u/"));
        if self.dice.chance(0.1)
            && let Some(token) = token
        {
            let everything = self.dice.chance(0.5);
            let at = after(&mut self.dice, 100_000);
            self.plan(at, Act::Leave { token, everything, address: mail.to.clone(), list: list_of(mail) });
        }
        if self.dice.chance(0.02) {
            let at = after(&mut self.dice, 100_000);
            self.plan(at, Act::Complain { message_id: mail.message_id.clone(), address: mail.to.clone() });
        }
    }

    pub fn plan(&mut self, at: Time, act: Act) {
        self.number += 1;
        self.planned.insert((at, self.number), act);
    }

    pub fn next(&mut self, now: Time) -> Option<Act> {
        let (at, _) = self.planned.first_key_value()?.0;
        if *at > now {
            return None;
        }
        self.planned.pop_first().map(|(_, act)| act)
    }
}

/// Does it. Answers the opt-out that must hold from now on, where it was one; an `Err` in
/// words is a promise that was broken.
pub fn act(engine: &Engine, act: &Act, now: Time) -> Result<Result<Option<OptOut>, String>> {
    let seen = Seen { user_agent: AGENT, method: "GET", purpose: None };
    engine.with_parts(|parts| {
        Ok(match act {
            Act::Open { token } => match tracking::open(parts, token, seen, now)? {
                true => Ok(None),
                false => Err("the picture of a mail that was sent is not known".to_owned()),
            },
            Act::Click { link } => match tracking::click(parts, link, seen, now)? {
                Some(target) if target.starts_with("https://app.sim/") => Ok(None),
                other => Err(format!("a link of a mail led to {other:?}")),
            },
            Act::Leave { token, everything, address, list } => {
                let scope = if *everything { Scope::Everything } else { Scope::Message };
                match tracking::unsubscribe(parts, token, scope, "one_click", now)? {
                    true => {
                        let list = (!everything).then(|| list.clone());
                        Ok(Some(OptOut { address: address.clone(), list, at: now }))
                    }
                    false => Err("the way out of a mail that was sent is not known".to_owned()),
                }
            }
            Act::Complain { message_id, address } => {
                match tracking::report(parts, message_id, Report::Complained, now, now)? {
                    true => Ok(Some(OptOut { address: address.clone(), list: None, at: now })),
                    false => Err(format!("{message_id} was sent and is not known")),
                }
            }
        })
    })
}

/// What stands behind a path in a link.
fn behind(link: &str, path: &str) -> Option<String> {
    let (_, rest) = link.split_once(path)?;
    Some(rest.trim_end_matches(".gif").to_owned())
}

fn pixel(mail: &Mail) -> Option<String> {
    let (_, rest) = mail.html.split_once("/t/o/")?;
    Some(rest.chars().take_while(|c| c.is_ascii_alphanumeric()).collect())
}

/// The List-Id, which names the topic.
pub fn list_of(mail: &Mail) -> String {
    let head = String::from_utf8_lossy(&mail.bytes);
    let head = head.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ").replace("\r\n\t", " ");
    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with("list-id:"));
    line.and_then(|line| line.split_once('<')).map(|(_, id)| id.trim_end_matches('>').to_owned()).unwrap_or_default()
}
