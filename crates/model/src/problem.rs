//! What a person must mend: a stable code, a sentence, where it is, and the cure.

use serde::Serialize;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Stable snake_case code, e.g. `unknown_step`.
    pub code: String,
    /// Where in the document: `steps[2].email.template`. Empty for the whole.
    pub path: String,
    /// One sentence that says what is wrong.
    pub message: String,
    /// One sentence that says what to do. May be empty where the message says it.
    pub remedy: String,
    pub severity: Severity,
    /// 1-based position in the source text, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    pub line: usize,
    pub column: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Warning,
    Error,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Problems(pub Vec<Problem>);

impl Problem {
    pub fn error(code: &str, path: impl Into<String>, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            path: path.into(),
            message: message.into(),
            remedy: remedy.into(),
            severity: Severity::Error,
            place: None,
        }
    }

    pub fn warning(code: &str, path: impl Into<String>, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, path, message, remedy) }
    }

    pub fn at(mut self, line: usize, column: usize) -> Self {
        self.place = Some(Place { line, column });
        self
    }
}

impl Problems {
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|problem| problem.severity == Severity::Error)
    }
}

/// The nearest of `known` to what was written, when it is near enough to be a slip.
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|word| (strsim::damerau_levenshtein(&written.to_lowercase(), &word.to_lowercase()), word))
        .filter(|(distance, word)| *distance <= 1 + word.len() / 4)
        .min()
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_is_recognised_and_a_stranger_is_not() {
        let keys = ["project_id", "project_token", "host"];
        assert_eq!(nearest("project_idd", keys), Some("project_id"));
        assert_eq!(nearest("hots", keys), Some("host"));
        assert_eq!(nearest("banana", keys), None);
    }
}
