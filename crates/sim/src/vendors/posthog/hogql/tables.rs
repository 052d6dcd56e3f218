//! The tables that a query may name, their columns, and where each is kept in SQLite.

/// What a value is, as far as it matters for comparing and printing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Number,
    Bool,
    /// Microseconds since 1970 inside, a time with an offset outside.
    Time,
    /// A day, as its text.
    Day,
    /// An object of properties.
    Properties,
    List,
    Any,
}

impl Kind {
    /// ClickHouse's name, roughly: what `types` says.
    pub const fn clickhouse(self) -> &'static str {
        match self {
            Self::Text | Self::Properties | Self::Any => "Nullable(String)",
            Self::Number => "Float64",
            Self::Bool => "Bool",
            Self::Time => "DateTime64(6, 'UTC')",
            Self::Day => "Date",
            Self::List => "Array(String)",
        }
    }
}

pub struct Table {
    pub name: &'static str,
    /// What stands for it in SQLite.
    pub from: &'static str,
    pub columns: &'static [(&'static str, Kind)],
}

pub const ALL: &[Table] = &[
    Table {
        name: "cohort_people",
        from: "(SELECT * FROM members WHERE is_static = 0)",
        columns: &[("person_id", Kind::Text), ("cohort_id", Kind::Number)],
    },
    Table {
        name: "events",
        // Merges move ids to another person, and HogQL looks through that.
        from: "(SELECT e.*, i.person_id AS person_id FROM events e LEFT JOIN ids i ON i.distinct_id = e.distinct_id)",
        columns: &[
            ("uuid", Kind::Text),
            ("event", Kind::Text),
            ("distinct_id", Kind::Text),
            ("person_id", Kind::Text),
            ("properties", Kind::Properties),
            ("timestamp", Kind::Time),
            ("created_at", Kind::Time),
        ],
    },
    Table {
        name: "person_distinct_ids",
        from: "ids",
        columns: &[("distinct_id", Kind::Text), ("person_id", Kind::Text)],
    },
    Table {
        name: "persons",
        from: "persons",
        columns: &[
            ("id", Kind::Text),
            ("created_at", Kind::Time),
            ("properties", Kind::Properties),
            ("is_identified", Kind::Bool),
        ],
    },
    Table {
        name: "session_replay_events",
        from: "(SELECT r.*, i.person_id AS person_id FROM replays r LEFT JOIN ids i ON i.distinct_id = r.distinct_id)",
        columns: &[
            ("session_id", Kind::Text),
            ("distinct_id", Kind::Text),
            ("person_id", Kind::Text),
            ("start_time", Kind::Time),
            ("end_time", Kind::Time),
            ("click_count", Kind::Number),
            ("keypress_count", Kind::Number),
            ("active_milliseconds", Kind::Number),
            ("console_error_count", Kind::Number),
        ],
    },
    Table {
        name: "static_cohort_people",
        from: "(SELECT * FROM members WHERE is_static = 1)",
        columns: &[("person_id", Kind::Text), ("cohort_id", Kind::Number)],
    },
];

/// What the tables above stand on.
pub const SCHEMA: &str = "
    CREATE TABLE events (uuid TEXT PRIMARY KEY, event TEXT, distinct_id TEXT, properties TEXT, timestamp INTEGER,
                         created_at INTEGER) WITHOUT ROWID;
    CREATE INDEX events_by_id ON events (distinct_id);
    CREATE INDEX events_by_created ON events (created_at);
    CREATE TABLE persons (id TEXT PRIMARY KEY, created_at INTEGER, properties TEXT, is_identified INTEGER) WITHOUT ROWID;
    CREATE TABLE ids (distinct_id TEXT PRIMARY KEY, person_id TEXT) WITHOUT ROWID;
    CREATE INDEX ids_by_person ON ids (person_id);
    CREATE TABLE members (cohort_id INTEGER, person_id TEXT, is_static INTEGER,
                          PRIMARY KEY (cohort_id, person_id)) WITHOUT ROWID;
    CREATE TABLE replays (session_id TEXT PRIMARY KEY, distinct_id TEXT, start_time INTEGER, end_time INTEGER,
                          click_count INTEGER, keypress_count INTEGER, active_milliseconds INTEGER,
                          console_error_count INTEGER) WITHOUT ROWID;
";

pub fn find(name: &str) -> Option<&'static Table> {
    ALL.iter().find(|table| table.name == name)
}
