//! Numbers: whole while they can be, and printed without a needless fraction.

use serde_json::Value as Json;

#[derive(Clone, Copy, Debug)]
pub enum Number {
    Whole(i64),
    Real(f64),
}

impl From<&serde_json::Number> for Number {
    fn from(number: &serde_json::Number) -> Self {
        match number.as_i64() {
            Some(whole) => Self::Whole(whole),
            None => Self::Real(number.as_f64().unwrap_or(0.0)),
        }
    }
}

impl Number {
    pub const ZERO: Self = Self::Whole(0);

    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        match text.parse() {
            Ok(whole) => Some(Self::Whole(whole)),
            // Words such as `inf` are numbers to the parser, not to people.
            Err(_) if text.bytes().any(|b| b.is_ascii_digit()) => {
                text.parse().ok().filter(|n: &f64| n.is_finite()).map(Self::Real)
            }
            Err(_) => None,
        }
    }

    pub fn real(self) -> f64 {
        match self {
            Self::Whole(whole) => whole as f64,
            Self::Real(real) => real,
        }
    }

    /// Without its fraction. What does not fit becomes the nearest that does.
    pub fn whole(self) -> i64 {
        match self {
            Self::Whole(whole) => whole,
            Self::Real(real) => real as i64,
        }
    }

    /// Applies the exact operation where both are whole and it does not overflow.
    pub fn combine(self, other: Self, exact: impl Fn(i64, i64) -> Option<i64>, near: impl Fn(f64, f64) -> f64) -> Self {
        if let (Self::Whole(a), Self::Whole(b)) = (self, other)
            && let Some(whole) = exact(a, b)
        {
            return Self::Whole(whole);
        }
        Self::Real(near(self.real(), other.real()))
    }

    pub fn print(self, out: &mut String) {
        match self {
            Self::Whole(whole) => out.push_str(&whole.to_string()),
            Self::Real(real) if real.fract() == 0.0 && real.abs() < 1e15 => out.push_str(&(real as i64).to_string()),
            Self::Real(real) => out.push_str(&real.to_string()),
        }
    }

    pub fn to_json(self) -> Json {
        match self {
            Self::Whole(whole) => Json::from(whole),
            Self::Real(real) if real.fract() == 0.0 && real.abs() < 1e15 => Json::from(real as i64),
            Self::Real(real) => Json::from(real),
        }
    }
}
