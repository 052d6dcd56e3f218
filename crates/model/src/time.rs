//! Instants and lengths of time, both in whole milliseconds.
//!
//! `Time` is what every table stores and every decision takes as an argument.
//! It prints as RFC 3339 in UTC. `Span` reads what people write: `90s`, `24h`, `7d`.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(i64);

/// A length of time in milliseconds. May be negative (an offset before a date).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(i64);

impl Time {
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Reads RFC 3339, and the variants that analytics clients send: a missing
    /// offset is taken as UTC, and a space may stand where the `T` belongs.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(stamp) = text.parse::<jiff::Timestamp>() {
            return Some(Self(stamp.as_millisecond()));
        }
        let civil: jiff::civil::DateTime = text.parse().ok()?;
        let zoned = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        Some(Self(zoned.timestamp().as_millisecond()))
    }

    pub const fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    pub const fn minus(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }

    /// How long after `earlier` this is; negative when it is before.
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// Event times are clamped to [arrival − 10 years, arrival + 5 minutes] (SPEC A3).
    pub fn clamp_to_arrival(self, arrived: Self) -> Self {
        let oldest = arrived.minus(Span::days(3653));
        let newest = arrived.plus(Span::minutes(5));
        self.clamp(oldest, newest)
    }

    pub fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}

impl Span {
    pub const ZERO: Self = Self(0);

    pub const fn millis(millis: i64) -> Self {
        Self(millis)
    }

    pub const fn seconds(n: i64) -> Self {
        Self(n.saturating_mul(1_000))
    }

    pub const fn minutes(n: i64) -> Self {
        Self::seconds(n.saturating_mul(60))
    }

    pub const fn hours(n: i64) -> Self {
        Self::minutes(n.saturating_mul(60))
    }

    pub const fn days(n: i64) -> Self {
        Self::hours(n.saturating_mul(24))
    }

    pub const fn as_millis(self) -> i64 {
        self.0
    }

    pub const fn negated(self) -> Self {
        Self(self.0.saturating_neg())
    }

    /// Reads `500ms`, `90s`, `15m`, `24h`, `7d`, `2w`, an optional leading minus, and sums like `1d12h`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (negative, mut rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        if rest.is_empty() {
            return None;
        }
        let mut total: i64 = 0;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit())?;
            let count: i64 = rest[..digits].parse().ok()?;
            let after = &rest[digits..];
            let end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
            let unit = match &after[..end] {
                "ms" => 1,
                "s" => 1_000,
                "m" | "min" => 60_000,
                "h" => 3_600_000,
                "d" => 86_400_000,
                "w" => 604_800_000,
                _ => return None,
            };
            total = total.checked_add(count.checked_mul(unit)?)?;
            rest = &after[end..];
        }
        Some(Self(if negative { -total } else { total }))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.to_jiff())
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Prints the largest units that lose nothing: `1d12h`, `90s` as `1m30s`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        if self.0 < 0 {
            f.write_str("-")?;
        }
        let mut left = self.0.unsigned_abs();
        for (unit, millis) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)] {
            let count = left / millis;
            left %= millis;
            if count > 0 {
                write!(f, "{count}{unit}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom(format!("`{text}` is not a time like 2026-03-02T09:15:27Z")))
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| de::Error::custom(format!("`{text}` is not a length of time like 90s, 24h or 7d")))
    }
}

impl schemars::JsonSchema for Span {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A length of time: 90s, 15m, 24h, 7d, 2w, or a sum like 1d12h.",
            "pattern": "^-?([0-9]+(ms|s|m|min|h|d|w))+$"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_and_print() {
        assert_eq!(Span::parse("1d12h"), Some(Span::hours(36)));
        assert_eq!(Span::parse("-3d"), Some(Span::days(-3)));
        assert_eq!(Span::seconds(90).to_string(), "1m30s");
        for bad in ["", "-", "7", "7x", "d", "9999999999999999999d"] {
            assert_eq!(Span::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn times_without_an_offset_are_utc() {
        let expected = Time::parse("2020-08-16T09:03:11.913Z").expect("a time");
        assert_eq!(Time::parse("2020-08-16T09:03:11.913767"), Some(expected));
        assert_eq!(Time::parse("2020-08-16 09:03:11.913"), Some(expected));
        assert_eq!(expected.to_string(), "2020-08-16T09:03:11.913Z");
    }

    #[test]
    fn absurd_event_times_are_clamped() {
        let arrived = Time::parse("2026-03-02T00:00:00Z").expect("a time");
        let far = Time::parse("9999-01-01T00:00:00Z").expect("a time");
        assert_eq!(far.clamp_to_arrival(arrived), arrived.plus(Span::minutes(5)));
        assert_eq!(Time::from_millis(i64::MIN).clamp_to_arrival(arrived), arrived.minus(Span::days(3653)));
    }
}
