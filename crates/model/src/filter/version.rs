//! Versions such as `1.2.3`, read as PostHog reads them: the first run of numbers and
//! dots counts, so `v1.2.3-beta` is `1.2.3`, and missing parts are zero.

use super::Operator;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version(u64, u64, u64);

/// From `low` (included where `with_low`) to `high` (included where `with_high`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    low: Version,
    with_low: bool,
    high: Version,
    with_high: bool,
}

const LOWEST: Version = Version(0, 0, 0);
const HIGHEST: Version = Version(u64::MAX, u64::MAX, u64::MAX);

impl Version {
    pub(super) fn read(text: &str) -> Option<Self> {
        let parts = numbers(text)?;
        let part = |n: usize| parts.get(n).copied().unwrap_or(0);
        Some(Self(part(0), part(1), part(2)))
    }
}

impl Range {
    /// The versions that an operator accepts, or nothing where the text is no version.
    pub(super) fn read(operator: Operator, text: &str) -> Option<Self> {
        let half_open = |low, high| Self { low, with_low: true, high, with_high: false };
        if operator == Operator::SemverWildcard {
            let (low, high) = wildcard(text)?;
            return Some(half_open(low, high));
        }
        let at = Version::read(text)?;
        Some(match operator {
            Operator::SemverGt => Self { low: at, with_low: false, high: HIGHEST, with_high: true },
            Operator::SemverGte => Self { low: at, with_low: true, high: HIGHEST, with_high: true },
            Operator::SemverLt => half_open(LOWEST, at),
            Operator::SemverLte => Self { low: LOWEST, with_low: true, high: at, with_high: true },
            Operator::SemverTilde if numbers(text)?.len() == 1 => half_open(at, above(&[at.0])),
            Operator::SemverTilde => half_open(at, above(&[at.0, at.1])),
            Operator::SemverCaret => half_open(at, caret_end(at)),
            _ => Self { low: at, with_low: true, high: at, with_high: true },
        })
    }

    pub(super) fn holds(self, found: Version) -> bool {
        (found > self.low || (self.with_low && found == self.low))
            && (found < self.high || (self.with_high && found == self.high))
    }
}

/// At most three numbers of the first run of digits and dots.
fn numbers(text: &str) -> Option<Vec<u64>> {
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let rest = &text[start..];
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let parts = rest[..end].split('.').take(3).take_while(|part| !part.is_empty());
    parts.map(|part| part.parse().ok()).collect()
}

/// The first version above every one that begins with the given parts.
fn above(parts: &[u64]) -> Version {
    match *parts {
        [major] => Version(major.saturating_add(1), 0, 0),
        [major, minor] => Version(major, minor.saturating_add(1), 0),
        [major, minor, patch] => Version(major, minor, patch.saturating_add(1)),
        _ => HIGHEST,
    }
}

/// Up to the next change of the leftmost part that is not zero.
fn caret_end(at: Version) -> Version {
    match at {
        Version(0, 0, patch) => above(&[0, 0, patch]),
        Version(0, minor, _) => above(&[0, minor]),
        Version(major, _, _) => above(&[major]),
    }
}

/// `1.*`, `1.2.*`, `1.2.x` and plain prefixes such as `1.2`.
fn wildcard(text: &str) -> Option<(Version, Version)> {
    let text = text.trim().trim_end_matches(['*', 'x', 'X', '.']);
    let parts = numbers(text)?;
    Some((Version::read(text)?, above(&parts)))
}
