//! The head of a template file: what the mail says beside its body.

use crate::{Problem, Problems};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Front {
    pub subject: String,
    /// What an inbox shows behind the subject.
    pub preheader: Option<String>,
    /// `Name <address>`, in place of the sender's own.
    pub from: Option<String>,
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
    let front = read(head)?;
    Ok((front, body, source[..source.len() - body.len()].matches('\n').count() + 1))
}

/// Lines of `key: value`. The value is the rest of the line as it stands, because subjects
/// hold Liquid, whose colons and quotes YAML would take for its own.
fn read(head: &str) -> Result<Front, Problems> {
    let mut front = Front::default();
    let mut problems = Vec::new();
    for (at, line) in head.lines().enumerate() {
        let line = line.trim_end();
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let (key, value) = line.split_once(':').map_or((line, ""), |(key, value)| (key.trim(), unquoted(value.trim())));
        let value = value.to_owned();
        match key {
            "subject" => front.subject = value,
            "preheader" => front.preheader = Some(value),
            "from" => front.from = Some(value),
            "topic" => front.topic = Some(value),
            unknown => {
                let near = crate::problem::nearest(unknown, KEYS);
                let remedy = near
                    .map_or_else(|| format!("Keys are {}.", KEYS.join(", ")), |key| format!("Did you mean `{key}`?"));
                let message = format!("`{unknown}` is not a key of a template's head");
                problems.push(Problem::error("front_matter", "", message, remedy).at(at + 2, 1));
            }
        }
    }
    if problems.is_empty() { Ok(front) } else { Err(Problems(problems)) }
}

/// Takes one pair of quotes off that surrounds the whole value.
fn unquoted(value: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(inner) = value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote))
            && !inner.contains(quote)
        {
            return inner;
        }
    }
    value
}

fn one(problem: Problem) -> Problems {
    Problems(vec![problem])
}
