//! What goes wrong, how often, and how a fault is thrown.
//!
//! A world's faults are a handful of probabilities thrown once per seed, so that one seed
//! has a bad mail server and another a bad network. `Faults::NONE` is the clean world.

use crate::seed::Dice;

/// Probabilities, each per single happening.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Faults {
    /// A webhook delivery never arrives.
    pub lost: f64,
    /// A webhook delivery arrives and its answer does not.
    pub answer_lost: f64,
    /// A webhook delivery is made twice.
    pub doubled: f64,
    /// A webhook delivery is made later than it was due.
    pub delayed: f64,
    /// The mail server says: try again later.
    pub mail_busy: f64,
    /// The connection breaks after the last byte of a mail.
    pub mail_broken: f64,
    /// 429 or 503 with a time to wait.
    pub http_busy: f64,
    /// 500.
    pub http_failed: f64,
    /// No answer, and nobody knows whether the request arrived.
    pub http_broken: f64,
    /// The process dies while something outside is called.
    pub crash: f64,
    /// A write to the disk is torn.
    pub torn: f64,
}

impl Faults {
    pub const NONE: Self = Self {
        lost: 0.0,
        answer_lost: 0.0,
        doubled: 0.0,
        delayed: 0.0,
        mail_busy: 0.0,
        mail_broken: 0.0,
        http_busy: 0.0,
        http_failed: 0.0,
        http_broken: 0.0,
        crash: 0.0,
        torn: 0.0,
    };

    /// A rough world: every kind of fault there is, each as often as the dice say.
    pub fn thrown(dice: &mut Dice) -> Self {
        let mut up_to = |most: f64| dice.fraction() * most;
        Self {
            lost: up_to(0.2),
            answer_lost: up_to(0.2),
            doubled: up_to(0.3),
            delayed: up_to(0.3),
            mail_busy: up_to(0.2),
            mail_broken: up_to(0.1),
            http_busy: up_to(0.3),
            http_failed: up_to(0.3),
            http_broken: up_to(0.3),
            crash: up_to(0.06),
            torn: up_to(0.04),
        }
    }
}

/// What the mail server does with one mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailFate {
    Fine,
    Busy,
    /// The connection breaks after DATA; the mail was taken, or it was not.
    Broken {
        taken: bool,
    },
    /// Our process dies; the mail was taken, or it was not.
    Dies {
        taken: bool,
    },
}

/// What the network does with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpFate {
    Fine,
    Busy,
    Failed,
    NotSent,
    Broken { arrived: bool },
    Dies { arrived: bool },
}

/// What the network does with one webhook delivery to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DoorFate {
    Fine,
    Lost,
    AnswerLost,
    Doubled,
    Delayed,
}

impl Faults {
    pub fn mail(&self, dice: &mut Dice) -> MailFate {
        let thrown = dice.fraction();
        let taken = dice.chance(0.5);
        match steps(thrown, [self.crash, self.mail_broken, self.mail_busy]) {
            Some(0) => MailFate::Dies { taken },
            Some(1) => MailFate::Broken { taken },
            Some(_) => MailFate::Busy,
            None => MailFate::Fine,
        }
    }

    pub fn http(&self, dice: &mut Dice) -> HttpFate {
        let thrown = dice.fraction();
        let arrived = dice.chance(0.5);
        match steps(thrown, [self.crash, self.http_busy, self.http_failed, self.http_broken]) {
            Some(0) => HttpFate::Dies { arrived },
            Some(1) => HttpFate::Busy,
            Some(2) => HttpFate::Failed,
            Some(_) if dice.chance(0.3) => HttpFate::NotSent,
            Some(_) => HttpFate::Broken { arrived },
            None => HttpFate::Fine,
        }
    }

    pub fn door(&self, dice: &mut Dice) -> DoorFate {
        match steps(dice.fraction(), [self.lost, self.answer_lost, self.doubled, self.delayed]) {
            Some(0) => DoorFate::Lost,
            Some(1) => DoorFate::AnswerLost,
            Some(2) => DoorFate::Doubled,
            Some(_) => DoorFate::Delayed,
            None => DoorFate::Fine,
        }
    }
}

/// Which of these stretches, laid end to end from 0, a throw falls into.
fn steps<const N: usize>(thrown: f64, stretches: [f64; N]) -> Option<usize> {
    let mut end = 0.0;
    stretches.iter().position(|stretch| {
        end += stretch;
        thrown < end
    })
}
