//! Keeps Liquid out of the way of passes that know HTML, MJML and Markdown but not Liquid.
//!
//! Each tag becomes a mark: a comment where text may stand, so that no table throws it out,
//! and a plain word inside of another tag, of a comment, and where only text is read.

use super::liquid::tokens::close;

pub struct Shield {
    tags: Vec<String>,
    /// Begins every mark and occurs nowhere in the source.
    prefix: String,
}

/// How the source is read on its way to the marks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Markup,
    Markdown,
}

/// Elements whose content is text, not markup.
const TEXT_ONLY: [&str; 7] = ["style", "title", "script", "textarea", "mj-title", "mj-style", "mj-preview"];

impl Shield {
    /// Replaces `{{ … }}` and `{% … %}` by marks.
    pub fn raise(source: &str, language: Language) -> (Self, String) {
        let mut prefix = String::from("hwliquid");
        while source.contains(&prefix) {
            prefix.push('z');
        }
        let mut shield = Self { tags: Vec::new(), prefix };
        let mut text = String::with_capacity(source.len() + source.len() / 4);
        let mut place = Place::default();
        let mut rest = source;
        while let Some(c) = rest.chars().next() {
            match length_of_tag(rest) {
                Some(length) => {
                    let name = shield.word(shield.tags.len());
                    shield.tags.push(rest[..length].to_owned());
                    let is_comment = match language {
                        Language::Markup => place.is_text(),
                        Language::Markdown => rest.starts_with("{%") && is_alone(&text, &rest[length..]),
                    };
                    match is_comment {
                        true => text.push_str(&format!("<!--{name}-->")),
                        false => text.push_str(&name),
                    }
                    rest = &rest[length..];
                }
                None => {
                    place.step(rest, c);
                    text.push(c);
                    rest = &rest[c.len_utf8()..];
                }
            }
        }
        (shield, text)
    }

    fn word(&self, at: usize) -> String {
        format!("{}{at}q", self.prefix)
    }

    pub fn tag(&self, at: usize) -> &str {
        self.tags.get(at).map_or("", String::as_str)
    }

    /// The next mark in a text: where it begins and ends, with the comment around it, and
    /// its number.
    pub fn next(&self, text: &str) -> Option<(usize, usize, usize)> {
        let mut from = 0;
        loop {
            let begin = from + text[from..].find(&self.prefix)?;
            let digits = begin + self.prefix.len();
            let length = text[digits..].bytes().take_while(u8::is_ascii_digit).count();
            let number = text[digits..digits + length].parse().ok().filter(|n| *n < self.tags.len());
            let end = digits + length + 1;
            let (Some(number), true) = (number, text[digits + length..].starts_with('q')) else {
                from = digits;
                continue;
            };
            let before = text[..begin].trim_end_matches(' ');
            let behind = text[end..].trim_start_matches(' ');
            return Some(match before.ends_with("<!--") && behind.starts_with("-->") {
                true => (before.len() - 4, text.len() - behind.len() + 3, number),
                false => (begin, end, number),
            });
        }
    }

    pub fn has_mark(&self, text: &str) -> bool {
        self.next(text).is_some()
    }

    /// Puts the tags back, each as `write` has it. Answers which of them were met.
    pub fn lower(&self, passed: &str, mut write: impl FnMut(&str, &mut String)) -> (String, Vec<bool>) {
        let mut out = String::with_capacity(passed.len() * 2);
        let mut met = vec![false; self.tags.len()];
        let mut rest = passed;
        while let Some((begin, end, number)) = self.next(rest) {
            out.push_str(&rest[..begin]);
            write(&self.tags[number], &mut out);
            met[number] = true;
            // An attribute of that name was made of it.
            let is_attribute = end - begin == self.word(number).len() && rest[end..].starts_with("=\"\"");
            rest = &rest[if is_attribute { end + 3 } else { end }..];
        }
        out.push_str(rest);
        (out, met)
    }

    /// Puts all tags back, or answers the first that a pass has lost.
    pub fn restore(&self, passed: &str) -> Result<String, &str> {
        let (out, met) = self.lower(passed, |tag, out| out.push_str(tag));
        match met.iter().position(|met| !met) {
            Some(lost) => Err(&self.tags[lost]),
            None => Ok(out),
        }
    }
}

/// In Markdown a block tag alone on its line is a block of its own.
fn is_alone(before: &str, behind: &str) -> bool {
    let line = before.rsplit('\n').next().unwrap_or(before);
    let rest = behind.split('\n').next().unwrap_or(behind);
    line.trim().is_empty() && rest.trim().is_empty()
}

fn length_of_tag(rest: &str) -> Option<usize> {
    let mark = match rest.as_bytes() {
        [b'{', b'{', ..] => "}}",
        [b'{', b'%', ..] => "%}",
        _ => return None,
    };
    close(rest, mark).map(|end| end + 2)
}

/// Where in a document of markup the reading stands.
#[derive(Default)]
struct Place {
    in_tag: bool,
    quote: Option<char>,
    in_comment: bool,
    /// The text-only element that is open.
    text_only: Option<&'static str>,
}

impl Place {
    fn is_text(&self) -> bool {
        !self.in_tag && !self.in_comment && self.text_only.is_none()
    }

    fn step(&mut self, rest: &str, c: char) {
        if self.in_comment {
            self.in_comment = !rest.starts_with("-->");
        } else if self.in_tag {
            match (self.quote, c) {
                (Some(quote), _) if c == quote => self.quote = None,
                (None, '"' | '\'') => self.quote = Some(c),
                (None, '>') => self.in_tag = false,
                _ => {}
            }
        } else if c == '<' {
            self.open(&rest[1..]);
        }
    }

    fn open(&mut self, behind: &str) {
        if behind.starts_with("!--") {
            self.in_comment = true;
            return;
        }
        let starts = |name: &str| {
            let head = behind.trim_start_matches('/').get(..name.len());
            head.is_some_and(|head| head.eq_ignore_ascii_case(name))
                && behind.trim_start_matches('/')[name.len()..].starts_with(|c: char| !c.is_alphanumeric() && c != '-')
        };
        match self.text_only {
            Some(name) if !(behind.starts_with('/') && starts(name)) => return,
            Some(_) => self.text_only = None,
            None if !behind.starts_with('/') => self.text_only = TEXT_ONLY.into_iter().find(|name| starts(name)),
            None => {}
        }
        self.in_tag = behind.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!');
        self.quote = None;
    }
}
