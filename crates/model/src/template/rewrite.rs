//! One pass over a template's source before it is parsed: every printed value is given its
//! escaping, ranges are measured, and what is used is written down.
//!
//! Nothing here adds a line break, so that positions in errors stay those of the source.

use super::liquid::Escape;
use crate::Problem;

/// Blocks inside blocks.
const MOST_DEPTH: usize = 50;
/// Numbers in one written range.
const MOST_RANGE: i64 = 10_000;

pub struct Prepared {
    pub text: String,
    pub variables: Vec<String>,
}

pub fn prepare(source: &str, escape: Escape) -> Result<Prepared, Problem> {
    let mut pass =
        Pass { out: String::with_capacity(source.len() + 256), used: Vec::new(), local: Vec::new(), depth: 0 };
    let mut rest = source;
    while let Some(at) = rest.find('{') {
        pass.out.push_str(&rest[..at]);
        rest = &rest[at..];
        let before = source.len() - rest.len();
        rest = match rest.as_bytes().get(1) {
            Some(b'{') => pass.output(rest, escape)?,
            Some(b'%') => {
                pass.tag(rest).map_err(|problem| problem.at(1 + source[..before].matches('\n').count(), 1))?
            }
            _ => {
                pass.out.push('{');
                &rest[1..]
            }
        };
    }
    pass.out.push_str(rest);
    let Pass { out, used, local, .. } = pass;
    let mut variables: Vec<String> = Vec::new();
    for path in used {
        let root = path.split('.').next().unwrap_or(&path);
        if !local.iter().any(|name| name == root) && !variables.contains(&path) {
            variables.push(path);
        }
    }
    Ok(Prepared { text: out, variables })
}

struct Pass {
    out: String,
    used: Vec<String>,
    /// Names that the template itself makes: loop variables, assigned and captured ones.
    local: Vec<String>,
    depth: usize,
}

impl Pass {
    /// `{{ … }}`: the escaping becomes its last filter.
    fn output<'s>(&mut self, rest: &'s str, escape: Escape) -> Result<&'s str, Problem> {
        let Some(end) = close(rest, "}}") else {
            self.out.push_str(rest);
            return Ok("");
        };
        let inner = &rest[2..end];
        let (open, inner) = match inner.strip_prefix('-') {
            Some(inner) => ("{{-", inner),
            None => ("{{", inner),
        };
        let (inner, shut) = match inner.strip_suffix('-') {
            Some(inner) => (inner, "-}}"),
            None => (inner, "}}"),
        };
        if !inner.contains("default") {
            self.note(inner);
        }
        self.out.push_str(open);
        self.out.push_str(inner);
        let raw = inner.trim_end().rsplit('|').next().is_some_and(|last| last.trim() == "raw");
        let filter = match escape {
            Escape::Html if !raw => Some("hogwire_html"),
            Escape::Header => Some("hogwire_line"),
            // A value that is JSON already is printed as it is: `{{ x | json }}`.
            Escape::JsonString if !is_json(inner) => Some("json_escape"),
            _ => None,
        };
        if let Some(filter) = filter {
            self.out.push_str("| ");
            self.out.push_str(filter);
            self.out.push(' ');
        }
        self.out.push_str(shut);
        Ok(&rest[end + 2..])
    }

    fn tag<'s>(&mut self, rest: &'s str) -> Result<&'s str, Problem> {
        let Some(end) = close(rest, "%}") else {
            self.out.push_str(rest);
            return Ok("");
        };
        let inner = rest[2..end].trim_matches('-').trim();
        let (name, arguments) = inner.split_once(char::is_whitespace).unwrap_or((inner, ""));
        self.out.push_str(&rest[..end + 2]);
        let mut behind = &rest[end + 2..];
        match name {
            "raw" | "comment" => {
                let stop = format!("end{name}");
                if let Some(at) = behind.find(&stop).and_then(|at| behind[at..].find("%}").map(|more| at + more + 2)) {
                    self.out.push_str(&behind[..at]);
                    behind = &behind[at..];
                }
            }
            "for" => self.begin_loop(arguments)?,
            "tablerow" => {
                return Err(refuse("no_tablerow", "`tablerow` is not supported", "Write the rows with `for`."));
            }
            "assign" | "capture" | "increment" | "decrement" => self.make(arguments),
            "if" | "elsif" | "unless" | "case" | "when" => self.note(arguments),
            _ => {}
        }
        match name {
            "for" | "if" | "ifchanged" | "unless" | "case" | "capture" | "comment" => self.depth += 1,
            _ if name.starts_with("end") => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        if self.depth > MOST_DEPTH {
            return Err(refuse("too_deep", "blocks are nested more than 50 deep", "Flatten the template."));
        }
        Ok(behind)
    }

    fn begin_loop(&mut self, arguments: &str) -> Result<(), Problem> {
        let (name, over) = arguments.split_once(" in ").unwrap_or((arguments, ""));
        self.local.push(name.trim().to_owned());
        self.local.push("forloop".to_owned());
        check_range(over)?;
        self.note(over);
        Ok(())
    }

    fn make(&mut self, arguments: &str) {
        let (name, value) = arguments.split_once('=').unwrap_or((arguments, ""));
        self.local.push(name.trim().to_owned());
        if !value.contains("default") {
            self.note(value);
        }
    }

    /// Writes down every path that an expression names.
    fn note(&mut self, expression: &str) {
        let mut quote = None;
        let mut word = String::new();
        let mut previous_end = ' ';
        for c in expression.chars().chain(std::iter::once(' ')) {
            match quote {
                Some(q) if c == q => quote = None,
                Some(_) => {}
                None if c == '"' || c == '\'' => quote = Some(c),
                None if c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '$') => word.push(c),
                None => {
                    self.word(&word, previous_end, c);
                    if !word.is_empty() || !c.is_whitespace() {
                        previous_end = if c.is_whitespace() { 'w' } else { c };
                    }
                    word.clear();
                }
            }
        }
    }

    fn word(&mut self, word: &str, before: char, after: char) {
        const WORDS: &[&str] =
            &["and", "or", "not", "contains", "true", "false", "nil", "null", "blank", "empty", "in", "reversed"];
        let is_name = word.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '$');
        // What follows a bar is a filter, what precedes a colon is an argument's name.
        if is_name && before != '|' && after != ':' && !WORDS.contains(&word) {
            self.used.push(word.trim_matches('.').to_owned());
        }
    }
}

fn is_json(inner: &str) -> bool {
    let last = inner.rsplit('|').next().unwrap_or("").trim();
    inner.contains('|') && matches!(last, "json" | "json_escape" | "raw")
}

fn check_range(over: &str) -> Result<(), Problem> {
    let Some(inner) = over.trim().strip_prefix('(').and_then(|rest| rest.split(')').next()) else { return Ok(()) };
    let Some((from, to)) = inner.split_once("..") else { return Ok(()) };
    let whole = from.trim().parse::<i64>().ok().zip(to.trim().parse::<i64>().ok());
    match whole {
        Some((from, to)) if to.saturating_sub(from) < MOST_RANGE => Ok(()),
        Some(_) => Err(refuse("range_too_long", "a range holds more than 10,000 numbers", "Shorten it.")),
        None => Err(refuse("range_of_values", "a range must be written in numbers, not values", "Loop over a list.")),
    }
}

fn refuse(code: &str, message: &str, remedy: &str) -> Problem {
    Problem::error(code, "", message, remedy)
}

/// Where a tag's closing mark begins. A mark within quotes does not close it.
pub fn close(tag: &str, mark: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in tag.char_indices().skip(2) {
        match quote {
            Some(q) if c == q => quote = None,
            Some(_) => {}
            None if c == '"' || c == '\'' => quote = Some(c),
            None if tag[at..].starts_with(mark) => return Some(at),
            None => {}
        }
    }
    // An apostrophe in a comment must not swallow the rest: fall back to the plain search.
    tag.find(mark)
}
