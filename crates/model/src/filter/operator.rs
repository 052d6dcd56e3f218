//! The operators by PostHog's names, and what each of them wants.

use std::fmt;

use serde::Serialize;

use crate::problem::nearest;

/// What a condition's `operator` may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(into = "&'static str")]
pub enum Operator {
    Exact,
    IsNot,
    In,
    NotIn,
    Icontains,
    NotIcontains,
    IcontainsMulti,
    NotIcontainsMulti,
    Regex,
    NotRegex,
    Gt,
    Gte,
    Lt,
    Lte,
    /// At least; the same as `gte`.
    Min,
    /// At most; the same as `lte`.
    Max,
    Between,
    NotBetween,
    IsSet,
    IsNotSet,
    IsDateExact,
    IsDateBefore,
    IsDateAfter,
    SemverEq,
    SemverNeq,
    SemverGt,
    SemverGte,
    SemverLt,
    SemverLte,
    SemverTilde,
    SemverCaret,
    SemverWildcard,
}

impl Operator {
    pub const ALL: [(Self, &'static str); 32] = [
        (Self::Exact, "exact"),
        (Self::IsNot, "is_not"),
        (Self::In, "in"),
        (Self::NotIn, "not_in"),
        (Self::Icontains, "icontains"),
        (Self::NotIcontains, "not_icontains"),
        (Self::IcontainsMulti, "icontains_multi"),
        (Self::NotIcontainsMulti, "not_icontains_multi"),
        (Self::Regex, "regex"),
        (Self::NotRegex, "not_regex"),
        (Self::Gt, "gt"),
        (Self::Gte, "gte"),
        (Self::Lt, "lt"),
        (Self::Lte, "lte"),
        (Self::Min, "min"),
        (Self::Max, "max"),
        (Self::Between, "between"),
        (Self::NotBetween, "not_between"),
        (Self::IsSet, "is_set"),
        (Self::IsNotSet, "is_not_set"),
        (Self::IsDateExact, "is_date_exact"),
        (Self::IsDateBefore, "is_date_before"),
        (Self::IsDateAfter, "is_date_after"),
        (Self::SemverEq, "semver_eq"),
        (Self::SemverNeq, "semver_neq"),
        (Self::SemverGt, "semver_gt"),
        (Self::SemverGte, "semver_gte"),
        (Self::SemverLt, "semver_lt"),
        (Self::SemverLte, "semver_lte"),
        (Self::SemverTilde, "semver_tilde"),
        (Self::SemverCaret, "semver_caret"),
        (Self::SemverWildcard, "semver_wildcard"),
    ];

    /// Reads an operator's name; the error is a sentence that names what would do.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some((operator, _)) = Self::ALL.iter().find(|(_, name)| *name == text) {
            return Ok(*operator);
        }
        match text {
            "is_cleaned_path_exact" => {
                Err("`is_cleaned_path_exact` needs the path cleaning rules of a PostHog project, which are not \
                 known here; use `regex`, `icontains` or `exact`"
                    .to_owned())
            }
            "flag_evaluates_to" => {
                Err("`flag_evaluates_to` asks about a feature flag, which conditions cannot do yet; use a property \
                 with `exact` or `is_not`"
                    .to_owned())
            }
            _ => Err(Self::unknown(text)),
        }
    }

    fn unknown(text: &str) -> String {
        let names = Self::ALL.map(|(_, name)| name);
        match nearest(text, names) {
            Some(near) => format!("there is no operator `{text}`; did you mean `{near}`?"),
            None => format!("there is no operator `{text}`; the operators are {}", names.join(", ")),
        }
    }

    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(operator, _)| *operator == self).map_or("exact", |(_, name)| name)
    }

    /// Says the opposite of what its test finds.
    pub const fn is_negated(self) -> bool {
        matches!(
            self,
            Self::IsNot
                | Self::NotIn
                | Self::NotIcontains
                | Self::NotIcontainsMulti
                | Self::NotRegex
                | Self::NotBetween
                | Self::IsNotSet
                | Self::SemverNeq
        )
    }

    /// A property that is not known is not equal to anything, so negated operators hold
    /// for it, as in PostHog's queries. A range needs a number to be outside of.
    pub const fn holds_when_absent(self) -> bool {
        self.is_negated() && !matches!(self, Self::NotBetween)
    }

    pub const fn wants_no_value(self) -> bool {
        matches!(self, Self::IsSet | Self::IsNotSet)
    }
}

impl From<Operator> for &'static str {
    fn from(operator: Operator) -> Self {
        operator.as_str()
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
