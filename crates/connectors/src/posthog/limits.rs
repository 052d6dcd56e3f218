//! PostHog's published limits, in one place: rates per class of request, sizes, page lengths.
//!
//! Rates are those of PostHog Cloud's API documentation; an instance of one's own usually has
//! none. They are counted per project here, the stricter of the two readings.

use hogwire_model::Span;

/// Which budget a request of the private API draws from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Reading and writing settings, cohorts, flags, destinations.
    Settings,
    /// Lists of persons and recordings, insights: whatever reads the event database.
    Analytics,
    /// HogQL through the query endpoint.
    Query,
    /// Definitions for evaluating flags locally.
    FlagDefinitions,
}

impl Class {
    pub const ALL: [Self; 4] = [Self::Settings, Self::Analytics, Self::Query, Self::FlagDefinitions];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Analytics => "analytics",
            Self::Query => "query",
            Self::FlagDefinitions => "flag_definitions",
        }
    }

    /// How many requests fit into each stretch of time; all of them must hold.
    pub const fn budget(self) -> [(Span, u32); 2] {
        let (minute, hour) = match self {
            Self::Settings => (480, 4_800),
            Self::Analytics => (240, 1_200),
            Self::Query => (240, 2_400),
            Self::FlagDefinitions => (600, 36_000),
        };
        [(Span::minutes(1), minute), (Span::hours(1), hour)]
    }

    /// How many may be under way at once.
    pub const fn at_once(self) -> u32 {
        match self {
            Self::Query => 3,
            _ => 8,
        }
    }
}

/// A HogQL answer never has more rows than this, and says nothing when it cut.
pub const MOST_ROWS: usize = 50_000;

/// A batch of captured events is cut at this size: the endpoint takes 20 MB, but a smaller
/// batch is cheaper to halve when one of its events is refused.
pub const BATCH_BYTES: usize = 1_000_000;

/// One captured event larger than about 1 MB is refused.
pub const EVENT_BYTES: usize = 900_000;
