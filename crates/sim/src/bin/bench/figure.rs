//! One measured ratio.

use std::fmt;

#[derive(Clone, Copy, Debug)]
pub enum Target {
    AtLeast(f64),
    AtMost(f64),
}

#[derive(Clone, Debug)]
pub struct Figure {
    pub name: &'static str,
    /// Ours, and the yardstick's.
    pub a: f64,
    pub b: f64,
    pub unit: &'static str,
    pub target: Target,
    /// What was seen beside it.
    pub note: String,
}

impl Figure {
    pub fn ratio(&self) -> f64 {
        self.a / self.b
    }

    pub fn is_ok(&self) -> bool {
        match self.target {
            Target::AtLeast(least) => self.ratio() >= least,
            Target::AtMost(most) => self.ratio() <= most,
        }
    }

    pub fn verdict(&self) -> &'static str {
        if self.is_ok() { "ok" } else { "short" }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(least) => write!(f, ">={least}"),
            Self::AtMost(most) => write!(f, "<={most:.3}"),
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} ratio={:.3} a={} b={} unit={} target={} {}",
            self.name,
            self.ratio(),
            short(self.a),
            short(self.b),
            self.unit.replace(' ', "_"),
            self.target,
            self.verdict()
        )?;
        if self.note.is_empty() { Ok(()) } else { write!(f, " ({})", self.note) }
    }
}

/// Three digits are as much as such a measurement is worth.
pub fn short(value: f64) -> String {
    if value.abs() >= 100.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

/// The middle one; of none, nothing.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The value that a share of all is below.
pub fn percentile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let place = (values.len() as f64 * share) as usize;
    values.get(place.min(values.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}
