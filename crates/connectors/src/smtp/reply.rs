//! What a mail server's reply, or a bounce report, means for the address and for a retry.
//!
//! Reply codes are those of RFC 5321, enhanced codes those of RFC 3463 and the IANA registry.
//! Providers use both loosely, so words decide where they are plainer than the code: a full
//! mailbox is never a reason to give an address up, and a policy refusal says nothing about
//! the address at all.

use hogwire_model::Outcome;

/// What a failure says about the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bounce {
    /// There is no such mailbox: never write there again.
    Hard,
    /// Not now: counted, and given up after several on different days.
    Soft,
    /// The server refuses us, not the recipient: the sender must be mended.
    Block,
}

impl Bounce {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hard => "hard",
            Self::Soft => "soft",
            Self::Block => "block",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Hard, Self::Soft, Self::Block].into_iter().find(|bounce| bounce.as_str() == text)
    }
}

/// A reply, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub outcome: Outcome,
    /// Nothing where the mail was taken, or where the failure is about our login.
    pub bounce: Option<Bounce>,
}

const NO_SUCH_MAILBOX: [&str; 18] = [
    "account disabled",
    "account has been disabled",
    "account is disabled",
    "address rejected: user",
    "address unknown",
    "does not exist",
    "doesn't exist",
    "invalid mailbox",
    "invalid recipient",
    "mailbox disabled",
    "mailbox not found",
    "mailbox unavailable",
    "no mailbox here",
    "no such",
    "not a known user",
    "recipient not found",
    "unknown user",
    "user unknown",
];

const FULL: [&str; 6] =
    ["exceeded storage", "insufficient storage", "mailbox full", "mailbox is full", "over quota", "quota exceeded"];

const POLICY: [&str; 12] = [
    "access denied",
    "blacklist",
    "blocklist",
    "blocked",
    "dkim",
    "dmarc",
    "junk mail",
    "not authorized",
    "policy",
    "reputation",
    "spam",
    "spf",
];

/// Judges a reply by its code, its enhanced code (`5.1.1`; looked for in the text where none is
/// given) and its words.
pub fn classify(code: u16, enhanced: Option<&str>, text: &str) -> Verdict {
    let said = said(code, enhanced, text);
    if (200..400).contains(&code) {
        return Verdict { outcome: Outcome::Done(said), bounce: None };
    }
    let status = enhanced.and_then(status).or_else(|| status_in(text));
    if matches!(code, 454 | 530 | 534 | 535 | 538) && status.is_none_or(|(_, subject, _)| subject == 7) {
        // The login is refused, or asked for: nothing was said about the address.
        return Verdict {
            outcome: if code == 454 { Outcome::Retry(said) } else { Outcome::Unauthorized(said) },
            bounce: None,
        };
    }
    let bounce = judge(code, status, &text.to_lowercase());
    let permanent = code >= 500;
    let outcome = match bounce {
        // A permanent reply is not asked again, whatever the reason.
        _ if permanent => Outcome::Refused(said),
        Bounce::Hard => Outcome::Refused(said),
        Bounce::Soft | Bounce::Block => Outcome::Retry(said),
    };
    Verdict { outcome, bounce: Some(bounce) }
}

fn judge(code: u16, status: Option<(u8, u16, u16)>, text: &str) -> Bounce {
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if code < 500 || status.is_some_and(|(class, ..)| class == 4) {
        // A temporary failure never gives an address up; grey-listing and throttling by
        // policy end by themselves.
        return Bounce::Soft;
    }
    if says(&FULL) {
        return Bounce::Soft;
    }
    match status {
        Some((_, 1, 0)) if says(&POLICY) => Bounce::Block,
        Some((_, 1, 0)) if says(&NO_SUCH_MAILBOX) => Bounce::Hard,
        Some((_, 1, 1 | 2 | 3 | 6 | 10)) => by_words(text, Bounce::Hard),
        Some((_, 2, 1)) => by_words(text, Bounce::Hard),
        Some((_, 4, 4)) if says(&["nxdomain", "domain not found", "host not found"]) => Bounce::Hard,
        Some((_, 7, _)) => {
            if says(&["unknown user", "user unknown", "no such user"]) {
                Bounce::Hard
            } else {
                Bounce::Block
            }
        }
        Some((_, 2..=4, _)) => by_words(text, Bounce::Soft),
        _ => {
            let fallback = if code == 554 { Bounce::Block } else { Bounce::Soft };
            by_words(text, fallback)
        }
    }
}

/// Words that name the sender's standing win over the code: Gmail and others say `5.1.1` or
/// `5.0.0` to senders they distrust.
fn by_words(text: &str, otherwise: Bounce) -> Bounce {
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if says(&NO_SUCH_MAILBOX) {
        Bounce::Hard
    } else if says(&POLICY) {
        Bounce::Block
    } else {
        otherwise
    }
}

/// `5.1.1` in its parts.
fn status(text: &str) -> Option<(u8, u16, u16)> {
    let mut parts = text.trim().splitn(3, '.');
    let class: u8 = parts.next()?.parse().ok()?;
    let subject: u16 = parts.next()?.parse().ok()?;
    let detail: u16 = parts.next()?.parse().ok()?;
    matches!(class, 2 | 4 | 5).then_some((class, subject, detail))
}

/// The enhanced code that many servers put first in the text.
fn status_in(text: &str) -> Option<(u8, u16, u16)> {
    text.split(|c: char| !(c.is_ascii_digit() || c == '.'))
        .filter(|word| word.matches('.').count() == 2)
        .find_map(status)
}

fn said(code: u16, enhanced: Option<&str>, text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(400).collect();
    match enhanced {
        Some(enhanced) if !text.starts_with(enhanced) => format!("{code} {enhanced} {text}"),
        _ => format!("{code} {text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use Bounce::{Block, Hard, Soft};

    /// Code, enhanced code (empty for none), words.
    #[rustfmt::skip]
    const REPLIES: [(u16, &str, &str, Option<Bounce>); 18] = [
        (250, "2.0.0", "OK queued as 4F2", None),
        (550, "5.1.1", "The email account that you tried to reach does not exist", Some(Hard)),
        (550, "", "5.1.1 <x@y.test>: Recipient address rejected: User unknown in table", Some(Hard)),
        (550, "", "No such user here", Some(Hard)),
        (550, "5.2.1", "mailbox disabled", Some(Hard)),
        (550, "5.1.10", "null MX", Some(Hard)),
        (552, "5.2.2", "Mailbox full", Some(Soft)),
        (550, "5.0.0", "mailbox is full", Some(Soft)),
        (552, "5.3.4", "Message size exceeds fixed limit", Some(Soft)),
        (421, "4.7.0", "Try again later, closing connection", Some(Soft)),
        (450, "4.2.1", "The user is receiving mail too quickly", Some(Soft)),
        (451, "", "Greylisted, please try again", Some(Soft)),
        (550, "5.7.26", "This mail is unauthenticated", Some(Block)),
        (550, "5.7.515", "Access denied, sending domain does not meet the level", Some(Block)),
        (554, "", "Message rejected due to content: looks like spam", Some(Block)),
        (554, "", "delivery error", Some(Block)),
        (550, "5.4.4", "NXDOMAIN: domain not found", Some(Hard)),
        (535, "5.7.8", "Authentication credentials invalid", None),
    ];

    #[test]
    fn replies_are_told_apart() {
        for (code, enhanced, text, expected) in REPLIES {
            let enhanced = (!enhanced.is_empty()).then_some(enhanced);
            let verdict = classify(code, enhanced, text);
            assert_eq!(verdict.bounce, expected, "{code} {enhanced:?} {text}");
        }
    }

    #[test]
    fn only_what_may_change_is_tried_again() {
        assert!(matches!(classify(250, None, "ok").outcome, Outcome::Done(_)));
        assert!(matches!(classify(451, None, "later").outcome, Outcome::Retry(_)));
        assert!(matches!(classify(550, Some("5.1.1"), "no").outcome, Outcome::Refused(_)));
        assert!(matches!(classify(552, Some("5.2.2"), "full").outcome, Outcome::Refused(_)));
        assert!(matches!(classify(535, None, "bad password").outcome, Outcome::Unauthorized(_)));
        assert!(matches!(classify(454, Some("4.7.0"), "auth down").outcome, Outcome::Retry(_)));
    }

    #[test]
    fn what_is_kept_of_a_reply_is_one_short_line() {
        let Outcome::Refused(said) = classify(550, Some("5.1.1"), &"a\r\nb".repeat(1_000)).outcome else {
            panic!("refused");
        };
        assert!(said.len() < 500 && !said.contains('\n'), "{said}");
    }
}
