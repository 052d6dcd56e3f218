//! Links in a mail's HTML, exchanged for tracked ones, and the pixel that sees an open.
//!
//! Only `href` of `a` and `area` tags that lead to http or https are exchanged; everything
//! else stays byte for byte. The mail is never parsed into a tree: mails are too odd for
//! that, and what is not understood is left alone.

/// Exchanges the targets. `tracked` gets each target as a browser would read it and answers
/// the new one, or nothing to leave it.
pub fn exchange(html: &str, mut tracked: impl FnMut(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(html.len() + 512);
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if rest.starts_with("<!--") {
            // Comments for one mail program hold tags that others must not see.
            let end = rest.find("-->").map_or(rest.len(), |end| end + 3);
            out.push_str(&rest[..end]);
            rest = &rest[end..];
            continue;
        }
        let end = tag_end(rest);
        let tag = &rest[..end];
        match target(tag) {
            Some((from, to)) => {
                let url = decode(tag[from..to].trim());
                match leads_out(&url).then(|| tracked(&url)).flatten() {
                    Some(new) => {
                        out.push_str(&tag[..from]);
                        out.push_str(&encode(&new));
                        out.push_str(&tag[to..]);
                    }
                    None => out.push_str(tag),
                }
            }
            None => out.push_str(tag),
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

/// Puts the pixel before the end of the body, or at the end where there is no body.
pub fn with_pixel(html: &str, url: &str) -> String {
    let pixel =
        format!("<img src=\"{}\" width=\"1\" height=\"1\" alt=\"\" style=\"display:block;border:0\">", encode(url));
    // ASCII case folding keeps every byte in its place.
    match html.to_ascii_lowercase().rfind("</body") {
        Some(at) => format!("{}{pixel}{}", &html[..at], &html[at..]),
        None => format!("{html}{pixel}"),
    }
}

pub fn leads_out(url: &str) -> bool {
    let lower = url.get(..8).unwrap_or(url).to_ascii_lowercase();
    lower.starts_with("https://") || lower.starts_with("http://")
}

/// The end of the tag that begins here; a `>` within quotes does not end it.
fn tag_end(text: &str) -> usize {
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match (quote, byte) {
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'>') => return at + 1,
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    // A tag that never ends: only its first character is passed over.
    1
}

/// Where the value of `href` stands in an `a` or `area` tag.
fn target(tag: &str) -> Option<(usize, usize)> {
    let bytes = tag.as_bytes();
    let name = bytes.get(1..)?.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let name_text = tag.get(1..=name)?;
    if !name_text.eq_ignore_ascii_case("a") && !name_text.eq_ignore_ascii_case("area") {
        return None;
    }
    let mut at = name + 1;
    while at < bytes.len() {
        at += bytes[at..].iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == b'/').count();
        let start = at;
        at += bytes[at..].iter().take_while(|byte| !byte.is_ascii_whitespace() && !b"=>/".contains(byte)).count();
        let attribute = &tag[start..at];
        at += bytes[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        if bytes.get(at) != Some(&b'=') {
            if at == start {
                return None;
            }
            continue;
        }
        at += 1;
        at += bytes[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let (from, to, next) = value(bytes, at)?;
        if attribute.eq_ignore_ascii_case("href") {
            return Some((from, to));
        }
        at = next;
    }
    None
}

/// An attribute's value: its beginning, its end, and where to read on.
fn value(bytes: &[u8], at: usize) -> Option<(usize, usize, usize)> {
    let first = *bytes.get(at)?;
    if first == b'"' || first == b'\'' {
        let length = bytes[at + 1..].iter().position(|byte| *byte == first)?;
        return Some((at + 1, at + 1 + length, at + 2 + length));
    }
    let length = bytes[at..].iter().take_while(|byte| !byte.is_ascii_whitespace() && **byte != b'>').count();
    Some((at, at + length, at + length))
}

/// The characters that HTML writes in other ways within a URL.
fn decode(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    let mut out = text.to_owned();
    for (written, meant) in [
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&#x2F;", "/"),
        ("&#38;", "&"),
        ("&amp;", "&"),
    ] {
        out = out.replace(written, meant);
    }
    out
}

fn encode(url: &str) -> String {
    url.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(html: &str) -> (String, Vec<String>) {
        let mut seen = Vec::new();
        let out = exchange(html, |url| {
            seen.push(url.to_owned());
            Some(format!("https://t/{}", seen.len()))
        });
        (out, seen)
    }

    #[test]
    fn links_are_exchanged_and_everything_else_stays() {
        let (out, seen) = numbered(
            "<p>Hi</p><a class=\"x>y\" HREF='https://a.test/?a=1&amp;b=2'>A</a><A href = https://b.test>B</A><abbr href=\"https://c.test\">",
        );
        assert_eq!(seen, ["https://a.test/?a=1&b=2", "https://b.test"]);
        assert_eq!(
            out,
            "<p>Hi</p><a class=\"x>y\" HREF='https://t/1'>A</a><A href = https://t/2>B</A><abbr href=\"https://c.test\">"
        );
    }

    #[test]
    fn only_links_that_lead_out_are_exchanged() {
        let html = "<a href=\"mailto:a@b.test\">m</a><a href=\"#top\">t</a><a name=x>n</a><!--[if mso]><a href=\"https://m.test\">x</a><![endif]-->";
        assert_eq!(exchange(html, |_| Some("https://t/".to_owned())), html);
    }

    #[test]
    fn broken_html_is_left_alone() {
        for html in [
            "<",
            "<a",
            "<a href",
            "<a href=",
            "<a href=\"https://x",
            "a < b <a href='",
            "<a =>",
            "<é href=\"ü\">",
            "<a é=\"ü\"/",
        ] {
            assert_eq!(numbered(html).0, html, "{html}");
        }
    }

    #[test]
    fn the_pixel_stands_before_the_end_of_the_body() {
        let out = with_pixel("<html><BODY>x</BODY></html>", "https://t/o.gif");
        assert!(out.contains("x<img src=\"https://t/o.gif\""), "{out}");
        assert!(with_pixel("x", "u").starts_with("x<img"));
    }
}
