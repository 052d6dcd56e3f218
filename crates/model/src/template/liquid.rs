//! Liquid with limits: parsed once, lenient about what is missing, escaped for where it is
//! printed, and bounded in size, output, loops and work.
//!
//! The language is our own reading of it, so that a name which leads to nothing is nil at
//! any depth, every printed value passes one place that escapes it, and nothing that comes
//! from outside can take time or memory without being counted. Values are borrowed from the
//! contact and the event and are never parsed as Liquid.

mod compare;
mod expression;
mod filters;
mod number;
mod run;
mod scan;
pub(super) mod tokens;
mod tree;
pub(super) mod value;

use std::fmt;

use super::scope::Scope;
use crate::Problem;

pub(super) use run::Met;

/// Bytes of a template's source.
pub const MOST_SOURCE: usize = 256 << 10;
/// Bytes that one rendering may print.
pub const MOST_OUTPUT: usize = 1 << 20;
/// Rounds of all loops of one rendering together.
pub const MOST_ROUNDS: usize = 10_000;

/// How values are printed. What the template itself says is never changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escape {
    /// `<`, `>`, `&` and quotes become entities, unless the value passes through `raw`.
    Html,
    None,
    /// For the text part made of an HTML source: markup loses its tags.
    Text,
    /// Line breaks and other control characters become spaces, in the whole of it.
    Header,
    /// Within a JSON string quotes, backslashes and control characters are escaped; where a
    /// JSON value is due, the value is written as JSON.
    JsonString,
}

pub struct Liquid {
    nodes: Vec<tree::Node>,
    variables: Vec<String>,
    has_raw: bool,
    escape: Escape,
    length: usize,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    pub text: String,
    /// Paths that the template printed without a default and that led to nothing.
    pub missing: Vec<String>,
}

/// A sentence about the template, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderError(pub String);

impl fmt::Display for RenderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RenderError {}

impl fmt::Debug for Liquid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Liquid").field("variables", &self.variables).finish_non_exhaustive()
    }
}

impl Liquid {
    /// Codes of a refusal: `template_too_large`, `liquid_syntax`, `unknown_filter`,
    /// `unknown_tag`, `too_deep`. All but the first say where.
    pub fn parse(source: &str, escape: Escape) -> Result<Self, Problem> {
        if source.len() > MOST_SOURCE {
            return Err(Problem::error("template_too_large", "", "the template is larger than 256 KB", "Split it."));
        }
        Self::build(source, escape, false)
    }

    /// For what our own passes have made of a source that was measured and parsed before.
    pub(super) fn parse_made(source: &str, escape: Escape) -> Result<Self, Problem> {
        Self::build(source, escape, true)
    }

    fn build(source: &str, escape: Escape, made: bool) -> Result<Self, Problem> {
        let tree = tree::build(source, escape, made).map_err(|fault| {
            let before = source.get(..fault.at).unwrap_or(source);
            let line = 1 + before.matches('\n').count();
            let column = 1 + before.rsplit('\n').next().unwrap_or(before).chars().count();
            Problem::error(fault.code, "", fault.message, fault.remedy).at(line, column)
        })?;
        let tree::Tree { nodes, variables, has_raw } = tree;
        Ok(Self { nodes, variables, has_raw, escape, length: source.len() })
    }

    /// Whether a value is printed that nobody escapes.
    pub(super) fn has_raw(&self) -> bool {
        self.has_raw
    }

    /// Paths that are used without a default, in the order of the source, each once.
    pub fn variables(&self) -> &[String] {
        &self.variables
    }

    pub fn render(&self, scope: &Scope<'_>) -> Result<Rendered, RenderError> {
        let (text, met) = self.render_guarded(scope, &[])?;
        Ok(Rendered { text, missing: met.missing })
    }

    /// Guarded links may lead to `hosts`, and to those of the names that the scope adds.
    pub(super) fn render_guarded(&self, scope: &Scope<'_>, hosts: &[&[String]]) -> Result<(String, Met), RenderError> {
        let mut text = String::with_capacity(self.length + self.length / 8);
        let met = run::render(&self.nodes, scope, self.escape, hosts, &mut text).map_err(RenderError)?;
        if self.escape == Escape::Header {
            text = one_line(&text);
        }
        Ok((text, met))
    }
}

/// Line breaks and control characters as single spaces: what may stand in a header.
pub(super) fn one_line(text: &str) -> String {
    let space = |c: char| c.is_whitespace() || c.is_control() || c == '\u{2028}' || c == '\u{2029}';
    text.split(space).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A webhook's JSON body: what is printed into it is escaped, and what comes out is JSON or
/// is refused.
pub fn render_json(source: &str, scope: &Scope<'_>) -> Result<String, RenderError> {
    let liquid = Liquid::parse(source, Escape::JsonString).map_err(|problem| RenderError(problem.message))?;
    let body = liquid.render(scope)?.text;
    match serde_json::from_str::<serde::de::IgnoredAny>(&body) {
        Ok(_) => Ok(body),
        Err(error) => Err(RenderError(format!("the body is no JSON once it is filled: {error}"))),
    }
}
