//! Liquid with limits: parsed once, lenient about what is missing, escaped for where it is
//! printed, and bounded in size, output and loops.

use std::fmt;
use std::io::Write;
use std::sync::LazyLock;

use liquid_core::model::ScalarCow;
use liquid_core::runtime::Runtime;

use super::looping::ForBlock;
use super::scope::Scope;
use super::{filters, rewrite};
use crate::Problem;

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
    /// Line breaks and other control characters become spaces.
    Header,
    /// Quotes, backslashes and control characters are escaped for use within a JSON string.
    JsonString,
}

pub struct Liquid {
    template: ::liquid::Template,
    variables: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    pub text: String,
    /// Paths that the template uses without a default and that led to nothing.
    pub missing: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderError(pub String);

impl fmt::Display for RenderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Liquid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Liquid").field("variables", &self.variables).finish_non_exhaustive()
    }
}

static PARSER: LazyLock<Result<::liquid::Parser, String>> = LazyLock::new(|| {
    let mut builder = ::liquid::ParserBuilder::with_stdlib().block(ForBlock);
    for filter in filters::all() {
        builder = builder.filter(*filter);
    }
    builder.build().map_err(|error| error.to_string())
});

impl Liquid {
    pub fn parse(source: &str, escape: Escape) -> Result<Self, Problem> {
        if source.len() > MOST_SOURCE {
            return Err(problem("template_too_large", "the template is larger than 256 KB", "Split it."));
        }
        let rewritten = rewrite::prepare(source, escape)?;
        let parser = PARSER.as_ref().map_err(|error| problem("liquid", error, ""))?;
        match parser.parse(&rewritten.text) {
            Ok(template) => Ok(Self { template, variables: rewritten.variables }),
            Err(error) => Err(readable(&error.to_string(), source)),
        }
    }

    /// Paths that are used without a default, in the order of the source, each once.
    pub fn variables(&self) -> &[String] {
        &self.variables
    }

    pub fn render(&self, scope: &Scope<'_>) -> Result<Rendered, RenderError> {
        let mut out = Bounded(Vec::with_capacity(4_096));
        if let Err(error) = self.template.render_to(&mut out, scope) {
            return Err(RenderError(first_line(&error.to_string())));
        }
        let text = String::from_utf8(out.0).map_err(|_| RenderError("the output is not text".to_owned()))?;
        let missing = self.variables.iter().filter(|path| !scope.knows(path)).cloned().collect();
        Ok(Rendered { text, missing })
    }
}

fn problem(code: &str, message: &str, remedy: &str) -> Problem {
    Problem::error(code, "", message, remedy)
}

/// The parser's report ends in `--> line:column`; the words before it are the message. Of an
/// unknown filter it says only the name, which is then looked for.
fn readable(report: &str, source: &str) -> Problem {
    let place = report.lines().find_map(|line| {
        let (line, column) = line.trim().strip_prefix("--> ")?.split_once(':')?;
        Some((line.parse().ok()?, column.parse().ok()?))
    });
    let asked = report.lines().find_map(|line| line.trim().strip_prefix("requested filter="));
    if let Some(name) = asked {
        let known = filters::all().iter().map(filters::Named::name).chain(STANDARD.iter().copied());
        let remedy =
            crate::problem::nearest(name, known).map_or_else(String::new, |near| format!("Did you mean `{near}`?"));
        let at = source.find(&format!("| {name}")).or_else(|| source.find(name)).unwrap_or(0);
        let line = source[..at].matches('\n').count() + 1;
        let column = at - source[..at].rfind('\n').map_or(0, |newline| newline + 1) + 1;
        return problem("unknown_filter", &format!("there is no filter `{name}`"), &remedy).at(line, column);
    }
    let said = report.lines().rev().find_map(|line| line.trim().strip_prefix("= "));
    let problem = problem("liquid_syntax", said.unwrap_or(&first_line(report)), "Mend the tag at this place.");
    match place {
        Some((line, column)) => problem.at(line, column),
        None => problem,
    }
}

/// The filters of the language itself, for suggestions.
const STANDARD: &[&str] = &[
    "abs",
    "append",
    "capitalize",
    "ceil",
    "compact",
    "concat",
    "divided_by",
    "downcase",
    "escape",
    "first",
    "floor",
    "join",
    "last",
    "map",
    "minus",
    "modulo",
    "newline_to_br",
    "plus",
    "prepend",
    "remove",
    "replace",
    "reverse",
    "round",
    "size",
    "slice",
    "sort",
    "split",
    "strip",
    "strip_html",
    "times",
    "truncate",
    "truncatewords",
    "uniq",
    "upcase",
    "url_decode",
    "where",
];

fn first_line(report: &str) -> String {
    report.trim_start_matches("liquid:").lines().next().unwrap_or_default().trim().to_owned()
}

/// A writer that refuses to grow beyond the limit, which ends the rendering.
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > MOST_OUTPUT {
            return Err(std::io::Error::other("the template prints more than 1 MB"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A name of the scope as the filters read it.
pub(super) fn look_up(runtime: &dyn Runtime, name: &str) -> Option<String> {
    use liquid_core::ValueView as _;
    let value = runtime.try_get(&[ScalarCow::new(name.to_owned())])?;
    Some(value.to_kstr().into_string())
}
