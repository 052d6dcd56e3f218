//! Cuts a source into text, printed values and tags, and says for each printed value where
//! it stands. Quotes within a tag may hold the closing mark.

use super::Escape;
use super::scan::Fault;

#[derive(Clone, Debug)]
pub struct Token<'s> {
    pub kind: Kind<'s>,
    /// Where the token's inner text begins in the source, in bytes.
    pub at: usize,
    pub spot: Spot,
}

#[derive(Clone, Debug)]
pub enum Kind<'s> {
    Text(&'s str),
    Print(&'s str),
    Tag(&'s str, &'s str),
}

/// What a printed value has to be escaped for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spot {
    Plain,
    Html,
    /// Between the quotes of a JSON string.
    JsonString,
    /// Where a JSON value is due.
    JsonValue,
}

pub fn cut(source: &str, escape: Escape) -> Result<Vec<Token<'_>>, Fault> {
    let mut cutter =
        Cutter { source, at: 0, escape, tokens: Vec::new(), trim_next: false, in_string: false, captures: 0 };
    while cutter.at < source.len() {
        cutter.next()?;
    }
    Ok(cutter.tokens)
}

struct Cutter<'s> {
    source: &'s str,
    at: usize,
    escape: Escape,
    tokens: Vec<Token<'s>>,
    /// The last mark was `-%}` or `-}}`.
    trim_next: bool,
    /// The JSON text so far has an open quote.
    in_string: bool,
    captures: usize,
}

impl<'s> Cutter<'s> {
    fn next(&mut self) -> Result<(), Fault> {
        let rest = &self.source[self.at..];
        let opens = |at: &usize| matches!(rest.as_bytes().get(at + 1), Some(b'{' | b'%'));
        let open = rest.match_indices('{').map(|(at, _)| at).find(opens).unwrap_or(rest.len());
        if open > 0 {
            self.text(&rest[..open]);
            self.at += open;
            return Ok(());
        }
        let mark = if rest.starts_with("{{") { "}}" } else { "%}" };
        let (inner, at) = self.inner(mark)?;
        match mark {
            "}}" => self.push(Kind::Print(inner), at),
            _ => self.tag(inner, at)?,
        }
        Ok(())
    }

    /// The trimmed text between the marks; steps behind them.
    fn inner(&mut self, mark: &str) -> Result<(&'s str, usize), Fault> {
        let rest = &self.source[self.at..];
        let Some(end) = close(rest, mark) else {
            let message = format!("`{}` is not closed by `{mark}`", &rest[..2]);
            return Err(Fault { at: self.at, code: "liquid_syntax", message, remedy: String::new() });
        };
        let mut inner = &rest[2..end];
        if let Some(trimmed) = inner.strip_prefix('-') {
            inner = trimmed;
            self.trim_last();
        }
        let left = self.at + end - inner.len();
        self.trim_next = inner.ends_with('-');
        inner = inner.strip_suffix('-').unwrap_or(inner);
        self.at += end + 2;
        let trimmed = inner.trim_start();
        Ok((trimmed.trim_end(), left + inner.len() - trimmed.len()))
    }

    fn tag(&mut self, inner: &'s str, at: usize) -> Result<(), Fault> {
        let end = inner.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '#')).unwrap_or(inner.len());
        let (name, behind) = inner.split_at(end);
        let arguments = behind.trim_start();
        let place = at + end + behind.len() - arguments.len();
        match name {
            "raw" | "comment" => self.skip_to_end(name, at)?,
            "liquid" => self.lines(arguments, place),
            "echo" => self.push(Kind::Print(arguments), place),
            _ if name.starts_with('#') => {}
            _ => {
                match name {
                    "capture" => self.captures += 1,
                    "endcapture" => self.captures = self.captures.saturating_sub(1),
                    _ => {}
                }
                self.push(Kind::Tag(name, arguments), place);
            }
        }
        Ok(())
    }

    /// What stands between `raw` and `endraw` is text, a comment is nothing.
    fn skip_to_end(&mut self, name: &str, opened: usize) -> Result<(), Fault> {
        let (body, ending) = (self.at, format!("end{name}"));
        let trim_body = self.trim_next;
        let mut from = body;
        while let Some(open) = self.source[from..].find("{%").map(|found| from + found) {
            let tag = &self.source[open..];
            let Some(end) = tag.find("%}") else { break };
            let inner = &tag[2..end];
            if inner.trim_matches('-').trim() == ending {
                self.trim_next = trim_body;
                if name == "raw" && open > body {
                    self.text(&self.source[body..open]);
                }
                if inner.starts_with('-') {
                    self.trim_last();
                }
                self.trim_next = inner.ends_with('-');
                self.at = open + end + 2;
                return Ok(());
            }
            from = open + 2;
        }
        let message = format!("`{name}` is not closed by `{ending}`");
        Err(Fault { at: opened, code: "liquid_syntax", message, remedy: String::new() })
    }

    /// `{% liquid … %}`: a tag on each line.
    fn lines(&mut self, body: &'s str, at: usize) {
        let mut place = at;
        let mut in_comment = false;
        for line in body.split('\n') {
            let trimmed = line.trim_start();
            let start = place + line.len() - trimmed.len();
            place += line.len() + 1;
            let trimmed = trimmed.trim_end();
            let (name, behind) = trimmed.split_at(trimmed.find(char::is_whitespace).unwrap_or(trimmed.len()));
            let arguments = behind.trim_start();
            let inner = start + trimmed.len() - arguments.len();
            match name {
                "comment" => in_comment = true,
                "endcomment" => in_comment = false,
                "" => {}
                _ if in_comment || name.starts_with('#') => {}
                "echo" => self.push(Kind::Print(arguments), inner),
                _ => self.push(Kind::Tag(name, arguments), inner),
            }
        }
    }

    fn text(&mut self, text: &'s str) {
        let text = if std::mem::take(&mut self.trim_next) { text.trim_start() } else { text };
        if self.escape == Escape::JsonString && self.captures == 0 {
            self.follow_quotes(text);
        }
        if !text.is_empty() {
            self.push(Kind::Text(text), self.at);
        }
    }

    fn trim_last(&mut self) {
        if let Some(Token { kind: Kind::Text(text), .. }) = self.tokens.last_mut() {
            *text = text.trim_end();
        }
    }

    fn follow_quotes(&mut self, text: &str) {
        let mut is_escaped = false;
        for byte in text.bytes() {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' if self.in_string => is_escaped = true,
                b'"' => self.in_string = !self.in_string,
                _ => {}
            }
        }
    }

    fn push(&mut self, kind: Kind<'s>, at: usize) {
        let spot = match self.escape {
            Escape::Html => Spot::Html,
            Escape::JsonString if self.in_string || self.captures > 0 => Spot::JsonString,
            Escape::JsonString => Spot::JsonValue,
            Escape::None | Escape::Text | Escape::Header => Spot::Plain,
        };
        self.tokens.push(Token { kind, at, spot });
    }
}

/// Where the closing mark of a tag begins; within quotes it closes nothing. An apostrophe in
/// a comment must not swallow the rest: an unclosed quote is none.
pub fn close(tag: &str, mark: &str) -> Option<usize> {
    let bytes = tag.as_bytes();
    let first = mark.as_bytes()[0];
    let mut at = 2;
    while at < bytes.len() {
        let byte = bytes[at];
        if byte == first && tag[at..].starts_with(mark) {
            return Some(at);
        }
        at += match byte {
            b'"' | b'\'' => match tag[at + 1..].find(char::from(byte)) {
                Some(end) => end + 2,
                None => return tag[2..].find(mark).map(|end| end + 2),
            },
            _ => 1,
        };
        while at < bytes.len() && !tag.is_char_boundary(at) {
            at += 1;
        }
    }
    tag[2..].find(mark).map(|end| end + 2)
}
