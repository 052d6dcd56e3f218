//! The head of a template file: what the mail says beside its body.

use serde::Deserialize;

use crate::{Problem, Problems};

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Front {
    #[serde(default)]
    pub subject: String,
    /// What an inbox shows behind the subject.
    #[serde(default)]
    pub preheader: Option<String>,
    /// `Name <address>`, in place of the sender's own.
    #[serde(default)]
    pub from: Option<String>,
    #[serde(default)]
    pub topic: Option<String>,
}

const FENCE: &str = "---";
const KEYS: [&str; 4] = ["subject", "preheader", "from", "topic"];

/// Splits a source into its head and its body, and says on which line the body begins.
pub fn split(source: &str) -> Result<(Front, &str, usize), Problems> {
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    let Some(rest) = source.strip_prefix(FENCE).and_then(|rest| rest.strip_prefix('\n').or(rest.strip_prefix("\r\n")))
    else {
        return Ok((Front::default(), source, 1));
    };
    let Some(end) = rest.find("\n---") else {
        let message = "the head that begins with `---` has no end";
        return Err(one(Problem::error("front_matter", "", message, "Close it with a line `---`.").at(1, 1)));
    };
    let head = &rest[..end];
    let body = rest[end + 4..].split_once('\n').map_or("", |(_, body)| body);
    let front: Front = serde_saphyr::from_str(head).map_err(|error| {
        let said = error.to_string();
        let line = error.location().map_or(1, |at| at.line() as usize);
        let unknown = said.split('`').nth(1).and_then(|key| crate::problem::nearest(key, KEYS));
        let remedy = unknown.map_or_else(|| format!("Keys are {}.", KEYS.join(", ")), |key| format!("Did you mean `{key}`?"));
        one(Problem::error("front_matter", "", said.lines().next().unwrap_or_default(), remedy).at(line + 1, 1))
    })?;
    Ok((front, body, source[..source.len() - body.len()].matches('\n').count() + 1))
}

fn one(problem: Problem) -> Problems {
    Problems(vec![problem])
}
