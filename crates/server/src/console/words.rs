//! How the console writes times, numbers and names. Pure; called from the pages and from
//! their templates. What comes out as markup is escaped here.

use hogwire_model::contact::Origin;
use hogwire_model::contact::consent::{Consent, ConsentState};
use hogwire_model::problem::Severity;
use hogwire_model::{Problem, Span, Time};
use serde_json::Value;

/// A time, however many references deep: templates hand everything over by reference.
pub trait Moment {
    fn moment(&self) -> Time;
}

impl Moment for Time {
    fn moment(&self) -> Time {
        *self
    }
}

impl<T: Moment + ?Sized> Moment for &T {
    fn moment(&self) -> Time {
        (**self).moment()
    }
}

/// A number, however many references deep.
pub trait Count {
    fn count(&self) -> i64;
}

impl Count for i64 {
    fn count(&self) -> i64 {
        *self
    }
}

impl Count for usize {
    fn count(&self) -> i64 {
        i64::try_from(*self).unwrap_or(i64::MAX)
    }
}

impl<T: Count + ?Sized> Count for &T {
    fn count(&self) -> i64 {
        (**self).count()
    }
}

/// A time in UTC, which the page's script turns into the reader's own of the same width.
pub fn time(at: impl Moment) -> String {
    let exact = at.moment().to_string();
    let plain = exact.get(..19).unwrap_or(&exact).replacen('T', " ", 1);
    format!("<time datetime=\"{exact}\">{plain}</time>")
}

pub fn maybe_time(at: &Option<Time>) -> String {
    at.as_ref().map_or_else(|| "<span class=\"none\">–</span>".to_owned(), time)
}

/// A length of time in its two largest units.
pub fn span(span: Span) -> String {
    let seconds = span.as_millis().max(0) / 1_000;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

/// Digits in groups of three, apart by a narrow space.
pub fn number(n: impl Count) -> String {
    let n = n.count();
    let digits = n.unsigned_abs().to_string();
    let mut out = String::new();
    if n < 0 {
        out.push('−');
    }
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

pub fn bytes(n: u64) -> String {
    match n {
        0..1_024 => format!("{n} B"),
        1_024..1_048_576 => format!("{} KiB", n >> 10),
        1_048_576..1_073_741_824 => format!("{} MiB", n >> 20),
        _ => format!("{} GiB", n >> 30),
    }
}

/// A share in percent, with one decimal below ten.
pub fn share(part: impl Count, whole: impl Count) -> String {
    let (part, whole) = (part.count(), whole.count());
    if whole <= 0 {
        return "–".to_owned();
    }
    let share = part as f64 * 100.0 / whole as f64;
    if share < 10.0 { format!("{share:.1} %") } else { format!("{share:.0} %") }
}

/// `Checkout started` for `checkout_started`: names of ours only, never of the user's.
pub fn title(word: impl AsRef<str>) -> String {
    let spaced = word.as_ref().replace('_', " ");
    let mut letters = spaced.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

pub fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// A value as one short line: texts bare, everything else as JSON.
pub fn value(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// One segment of a path, whatever it holds.
pub fn segment(text: impl AsRef<str>) -> String {
    let text = text.as_ref();
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b':' | b'@' => out.push(byte.into()),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

/// Text within markup or an attribute in quotes.
pub fn escape(text: impl AsRef<str>) -> String {
    let text = text.as_ref();
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// The first `most` characters, and an ellipsis where there were more.
pub fn cut(text: impl AsRef<str>, most: usize) -> String {
    let text = text.as_ref();
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(most.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// Which colour a status has: `good`, `busy`, `warn`, `bad`, or none.
pub fn tone(status: impl AsRef<str>) -> &'static str {
    match status.as_ref() {
        "active" | "sent" | "done" | "matched" | "granted" | "ok" | "opened" | "clicked" | "delivered" | "written"
        | "working" | "in" => "good",
        "queued" | "sending" | "held" | "pending" | "watching" | "test" | "testing" | "importing" | "adding"
        | "removing" => "busy",
        "unknown" | "unmatched" | "paused" | "skipped" | "warning" | "left" | "by_hand" => "warn",
        "failed" | "bounced" | "complained" | "dead" | "denied" | "error" | "refused" | "unsubscribed" | "rejected" => {
            "bad"
        }
        _ => "calm",
    }
}

/// How bad a problem is, as a class.
pub fn grave(problem: &Problem) -> &'static str {
    if problem.severity == Severity::Error { "bad" } else { "warn" }
}

/// Why a message stands where it stands; our own short words are spelt out.
pub fn reason(reason: &str) -> String {
    match reason {
        "asked" => "somebody is to say what became of it".to_owned(),
        word if !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') => title(word),
        said => said.to_owned(),
    }
}

/// Where an attribute's value came from.
pub fn origin(origin: &Origin) -> &'static str {
    match origin {
        Origin::Once => "set where nothing was",
        Origin::Snapshot => "the source's record",
        Origin::Event => "an event",
        Origin::Sync => "a sync",
        Origin::Campaign => "a campaign",
        Origin::Human => "the API or a person",
    }
}

pub fn consent(said: &Consent) -> &'static str {
    match said.state {
        ConsentState::Granted => "granted",
        ConsentState::Denied => "denied",
        ConsentState::Unknown => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_lengths_are_short() {
        assert_eq!(number(1_234_567_i64), "1\u{202f}234\u{202f}567");
        assert_eq!(number(-12_i64), "−12");
        assert_eq!(span(Span::minutes(61)), "1 h 1 min");
        assert_eq!(share(1_i64, 3_i64), "33 %");
        assert_eq!(share(1_i64, 0_i64), "–");
    }

    #[test]
    fn what_users_sent_stays_text() {
        assert_eq!(segment("a/b ?"), "a%2Fb%20%3F");
        assert_eq!(escape("<b a=\"'\">&"), "&lt;b a=&quot;&#39;&quot;&gt;&amp;");
        assert_eq!(cut("äöüß", 3), "äö…");
    }
}
