//! The text part of a mail, made once from its HTML while Liquid stands in it as marks, so
//! that rendering it costs as little as rendering any template. Link targets are kept,
//! styles, scripts and what is hidden are left out.

use super::links;
use super::markup::{Piece, attribute, decode, name_of, pieces};
use super::shield::Shield;

/// HTML with marks, to a Liquid source for plain text.
pub fn from_html(html: &str, shield: &Shield) -> String {
    let mut writer = Writer { out: String::new(), space: false, breaks: 0, broken: 0, links: Vec::new(), shield };
    let mut skipped: Option<(String, usize)> = None;
    for piece in pieces(html) {
        if let (Some((name, depth)), Piece::Tag(tag)) = (&mut skipped, piece) {
            let found = name_of(tag);
            if found == *name && !tag.ends_with("/>") {
                *depth += 1;
            } else if found.strip_prefix('/') == Some(name) {
                *depth -= 1;
            }
            if *depth == 0 {
                skipped = None;
            }
            continue;
        }
        match piece {
            _ if skipped.is_some() => {}
            Piece::Text(text) => writer.text(text),
            Piece::Comment(comment)
                if shield.next(comment).is_some_and(|(from, to, _)| (from, to) == (0, comment.len())) =>
            {
                writer.text(comment);
            }
            Piece::Comment(_) => {}
            Piece::Tag(tag) if is_hidden(tag) => skipped = Some((name_of(tag), 1)),
            Piece::Tag(tag) => writer.tag(tag),
        }
    }
    // A block tag keeps no marks of trimming: the breaks here are not those of the HTML.
    let (text, _) = shield.lower(&writer.out, |tag, out| match tag.starts_with("{%") {
        true => out.push_str(&format!("{{%{}%}}", tag[2..tag.len() - 2].trim_matches('-'))),
        false => out.push_str(tag),
    });
    text
}

fn is_hidden(tag: &str) -> bool {
    let name = name_of(tag);
    if matches!(name.as_str(), "style" | "script" | "head" | "title" | "noscript" | "template") {
        return true;
    }
    let is_void = matches!(name.as_str(), "img" | "br" | "hr" | "meta" | "input" | "link");
    let style = attribute(tag, "style").map_or("", |(from, to)| &tag[from..to]);
    !is_void && !name.starts_with('/') && style.replace(' ', "").to_ascii_lowercase().contains("display:none")
}

struct Writer<'s> {
    out: String,
    space: bool,
    breaks: usize,
    /// Breaks written already, with nothing but marks behind them.
    broken: usize,
    /// Targets of the links that are open, and where their text began.
    links: Vec<(String, usize)>,
    shield: &'s Shield,
}

impl Writer<'_> {
    /// Text with marks. What is due is written before each, because nobody knows which words
    /// will follow; `tidy` takes out what was written twice.
    fn text(&mut self, text: &str) {
        let mut rest = text;
        while let Some((begin, end, number)) = self.shield.next(rest) {
            self.words(&rest[..begin]);
            match self.shield.tag(number).starts_with("{{") {
                true => self.word(&rest[begin..end]),
                false => {
                    self.settle();
                    self.out.push_str(&rest[begin..end]);
                }
            }
            rest = &rest[end..];
        }
        self.words(rest);
    }

    fn words(&mut self, text: &str) {
        let decoded = decode(text);
        if decoded.starts_with(char::is_whitespace) {
            self.space = true;
        }
        for word in decoded.split_whitespace().map(|word| word.trim_matches(['\u{200c}', '\u{ad}', '\u{34f}'])) {
            if !word.is_empty() {
                self.word(word);
            }
            self.space = true;
        }
        self.space = decoded.ends_with(char::is_whitespace) || (self.space && decoded.trim().is_empty());
    }

    /// Writes the space or the breaks that are due.
    fn settle(&mut self) {
        let breaks = self.breaks.saturating_sub(self.broken);
        match (breaks, self.out.is_empty()) {
            (_, true) => {}
            (0, _) if self.space && self.broken == 0 => self.out.push(' '),
            (breaks, _) => self.out.push_str(&"\n".repeat(breaks)),
        }
        self.broken += breaks;
        (self.space, self.breaks) = (false, 0);
    }

    fn word(&mut self, word: &str) {
        self.settle();
        self.out.push_str(word);
        self.broken = 0;
    }

    fn due(&mut self, breaks: usize) {
        self.breaks = self.breaks.max(breaks);
        self.space = false;
    }

    fn tag(&mut self, tag: &str) {
        match name_of(tag).as_str() {
            "br" | "br/" => self.due(self.breaks.saturating_add(1).min(2)),
            "p" | "/p" | "h1" | "/h1" | "h2" | "/h2" | "h3" | "/h3" | "h4" | "/h4" | "ul" | "/ul" | "ol" | "/ol"
            | "table" | "/table" | "blockquote" | "/blockquote" | "pre" | "/pre" => self.due(2),
            "div" | "/div" | "tr" | "/tr" | "section" | "/section" | "/li" => self.due(1),
            "td" | "/td" | "th" | "/th" => self.space = true,
            "li" => {
                self.due(1);
                self.word("- ");
            }
            "hr" => {
                self.due(2);
                self.words("----");
                self.due(2);
            }
            "img" => {
                if let Some((from, to)) = attribute(tag, "alt") {
                    self.text(&tag[from..to]);
                }
            }
            "a" => {
                let target = attribute(tag, "href").map_or("", |(from, to)| &tag[from..to]);
                self.links.push((decode(target.trim()), self.out.len()));
            }
            "/a" => self.close_link(),
            _ => {}
        }
    }

    /// Behind the words of a link stands where it leads.
    fn close_link(&mut self) {
        let Some((target, from)) = self.links.pop() else { return };
        let written = |text: &str| self.shield.lower(text, |tag, out| out.push_str(tag)).0;
        let said = written(self.out[from..].trim());
        let bare = written(target.trim_start_matches("mailto:").trim_start_matches("tel:"));
        if target.is_empty() || target.starts_with('#') || said == bare {
            return;
        }
        let target = links::guarded(&target, self.shield);
        match said.is_empty() {
            true => self.word(&target),
            // What is due behind the words is due behind their target.
            false => self.out.push_str(&format!(" ({target})")),
        }
    }
}

/// After rendering: single spaces, no more than one empty line in a row, and no brackets
/// around a link that was taken out.
pub fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.trim().lines() {
        let begin = out.len();
        for word in line.split([' ', '\t']).filter(|word| !word.is_empty() && *word != "()") {
            if out.len() > begin {
                out.push(' ');
            }
            out.push_str(word);
        }
        empty = if out.len() == begin { empty + 1 } else { 0 };
        if empty < 2 {
            out.push('\n');
        }
    }
    out
}
