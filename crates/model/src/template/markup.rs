//! Reads markup tag by tag, without a tree: mails are too odd for one, and what is not
//! understood is passed on as it is.

/// A piece of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'s> {
    Text(&'s str),
    Comment(&'s str),
    /// A tag with its angle brackets.
    Tag(&'s str),
}

pub struct Pieces<'s> {
    rest: &'s str,
    /// Nothing closes a comment any more, so that nobody looks again.
    is_open: bool,
}

pub fn pieces(markup: &str) -> Pieces<'_> {
    Pieces { rest: markup, is_open: false }
}

impl<'s> Iterator for Pieces<'s> {
    type Item = Piece<'s>;

    fn next(&mut self) -> Option<Piece<'s>> {
        if self.rest.is_empty() {
            return None;
        }
        let (piece, end) = if self.rest.starts_with("<!--") && !self.is_open {
            match self.rest.find("-->") {
                Some(end) => (Piece::Comment(&self.rest[..end + 3]), end + 3),
                None => {
                    self.is_open = true;
                    (Piece::Text(&self.rest[..4]), 4)
                }
            }
        } else if is_tag(self.rest) {
            let end = tag_end(self.rest);
            (Piece::Tag(&self.rest[..end]), end)
        } else {
            let skip = usize::from(self.rest.starts_with('<'));
            let end = self.rest[skip..].find('<').map_or(self.rest.len(), |at| at + skip);
            (Piece::Text(&self.rest[..end]), end)
        };
        self.rest = &self.rest[end..];
        Some(piece)
    }
}

fn is_tag(rest: &str) -> bool {
    rest.starts_with('<')
        && rest[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!' || c == '?')
}

/// A `>` within quotes does not end a tag.
fn tag_end(tag: &str) -> usize {
    let mut quote = None;
    for (at, byte) in tag.bytes().enumerate() {
        match (quote, byte) {
            (Some(open), _) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'>') => return at + 1,
            _ => {}
        }
    }
    tag.len()
}

/// The name of a tag in lower case, with its slash where it closes.
pub fn name_of(tag: &str) -> String {
    let inner = &tag[1..];
    let end = inner[1.min(inner.len())..].find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == ':'));
    inner[..end.map_or(inner.len(), |end| end + 1)].to_ascii_lowercase()
}

/// Where the value of an attribute stands in its tag.
pub fn attribute(tag: &str, wanted: &str) -> Option<(usize, usize)> {
    let bytes = tag.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        let start = at;
        while at < bytes.len() && !matches!(bytes[at], b'=' | b'>' | b'/') && !bytes[at].is_ascii_whitespace() {
            at += 1;
        }
        let name = &tag[start..at];
        while at < bytes.len() && bytes[at].is_ascii_whitespace() {
            at += 1;
        }
        if bytes.get(at) != Some(&b'=') {
            at += usize::from(at == start);
            continue;
        }
        at += 1;
        while at < bytes.len() && bytes[at].is_ascii_whitespace() {
            at += 1;
        }
        let (from, to) = value_at(tag, at);
        if name.eq_ignore_ascii_case(wanted) {
            return Some((from, to));
        }
        at = to + usize::from(from > at);
    }
    None
}

fn value_at(tag: &str, at: usize) -> (usize, usize) {
    match tag.as_bytes().get(at) {
        Some(quote @ (b'"' | b'\'')) => {
            let end = tag[at + 1..].find(char::from(*quote)).map_or(tag.len(), |end| at + 1 + end);
            (at + 1, end)
        }
        _ => {
            let end = tag[at..].find(|c: char| c.is_ascii_whitespace() || c == '>').map_or(tag.len(), |end| at + end);
            (at, end)
        }
    }
}

/// Entities as the characters they stand for; unknown ones stay.
pub fn decode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.bytes().take(12).position(|byte| byte == b';');
        match end.and_then(|end| Some((entity(&rest[1..end])?, end))) {
            Some((c, end)) => {
                out.push(c);
                rest = &rest[end + 1..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let hex = number.strip_prefix(['x', 'X']);
        let code = hex.map_or_else(|| number.parse().ok(), |hex| u32::from_str_radix(hex, 16).ok())?;
        return char::from_u32(code);
    }
    const NAMED: [(&str, char); 18] = [
        ("amp", '&'),
        ("lt", '<'),
        ("gt", '>'),
        ("quot", '"'),
        ("apos", '\''),
        ("nbsp", ' '),
        ("copy", '©'),
        ("reg", '®'),
        ("euro", '€'),
        ("hellip", '…'),
        ("mdash", '—'),
        ("ndash", '–'),
        ("lsquo", '‘'),
        ("rsquo", '’'),
        ("ldquo", '“'),
        ("rdquo", '”'),
        ("middot", '·'),
        ("rarr", '→'),
    ];
    NAMED.iter().find(|(known, _)| *known == name).map(|(_, c)| *c)
}
