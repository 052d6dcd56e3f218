//! Keeps Liquid out of the way of passes that know HTML and MJML but not Liquid.
//!
//! Each tag becomes a mark: a comment where text may stand, so that no table throws it out,
//! and a plain word inside of another tag's quotes.

use super::liquid::tokens::close;

pub struct Shielded {
    pub text: String,
    tags: Vec<String>,
}

/// Replaces `{{ … }}` and `{% … %}` by marks.
pub fn shield(source: &str) -> Shielded {
    let mut text = String::with_capacity(source.len());
    let mut tags = Vec::new();
    let mut rest = source;
    let mut inside = false;
    while let Some(c) = rest.chars().next() {
        let mark = match () {
            () if rest.starts_with("{{") => Some("}}"),
            () if rest.starts_with("{%") => Some("%}"),
            () => None,
        };
        if let Some(end) = mark.and_then(|mark| close(rest, mark)) {
            let name = word(tags.len());
            tags.push(rest[..end + 2].to_owned());
            match inside {
                true => text.push_str(&name),
                false => text.push_str(&format!("<!--{name}-->")),
            }
            rest = &rest[end + 2..];
            continue;
        }
        match c {
            '<' if rest[1..].starts_with(|next: char| next.is_ascii_alphabetic() || next == '/' || next == '!') => {
                inside = !rest.starts_with("<!--");
            }
            '>' => inside = false,
            _ => {}
        }
        text.push(c);
        rest = &rest[c.len_utf8()..];
    }
    Shielded { text, tags }
}

fn word(at: usize) -> String {
    format!("hwliquid{at}q")
}

impl Shielded {
    /// Puts the tags back. Answers those that a pass has lost.
    pub fn restore(&self, passed: &str) -> Result<String, Vec<&str>> {
        let mut out = passed.to_owned();
        let mut lost = Vec::new();
        // From the last to the first, so that mark 1 is never found inside of mark 12.
        for (at, tag) in self.tags.iter().enumerate().rev() {
            let name = word(at);
            if !out.contains(&name) {
                lost.push(tag.as_str());
            }
            out = out
                .replace(&format!("<!--{name}-->"), tag)
                .replace(&format!("<!-- {name} -->"), tag)
                .replace(&name, tag);
        }
        lost.reverse();
        if lost.is_empty() { Ok(out) } else { Err(lost) }
    }
}
