//! Filters on text. Lengths and places are counted in characters, not in bytes.

use super::{Answer, Given, Run, bounded, escape_html};
use crate::template::liquid::Escape;
use crate::template::liquid::value::Value;

/// Pieces of one `split`.
const MOST_PIECES: usize = 10_000;

pub const FILTERS: &[(&str, Run)] = &[
    ("append", |g| Ok(Value::from(g.text() + &g.argument(0).text()))),
    ("capitalize", |g| Ok(Value::from(capitalize(&g.text())))),
    ("downcase", |g| Ok(Value::from(g.text().to_lowercase()))),
    ("lstrip", |g| Ok(Value::from(g.text().trim_start().to_owned()))),
    ("newline_to_br", newline_to_br),
    ("normalize_whitespace", |g| Ok(Value::from(g.text().split_whitespace().collect::<Vec<_>>().join(" ")))),
    ("number_of_words", |g| Ok(Value::from(g.text().split_whitespace().count()))),
    ("prepend", |g| Ok(Value::from(g.argument(0).text().into_owned() + &g.text()))),
    ("raw", raw),
    ("remove", |g| Ok(Value::from(g.text().replace(&g.word(0, "\0"), "")))),
    ("remove_first", |g| Ok(Value::from(g.text().replacen(&g.word(0, "\0"), "", 1)))),
    ("remove_last", |g| Ok(replace_last(&g.text(), &g.word(0, "\0"), ""))),
    ("replace", replace),
    ("replace_first", |g| Ok(Value::from(g.text().replacen(&g.word(0, ""), &g.word(1, ""), 1)))),
    ("replace_last", |g| Ok(replace_last(&g.text(), &g.word(0, "\0"), &g.word(1, "")))),
    ("rstrip", |g| Ok(Value::from(g.text().trim_end().to_owned()))),
    ("split", split),
    ("strip", |g| Ok(Value::from(g.text().trim().to_owned()))),
    ("strip_html", |g| Ok(Value::from(strip_html(&g.text())))),
    ("strip_newlines", |g| Ok(Value::from(g.text().replace("\r\n", "").replace('\n', "")))),
    ("truncate", truncate),
    ("truncatewords", truncatewords),
    ("upcase", |g| Ok(Value::from(g.text().to_uppercase()))),
];

fn capitalize(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars.flat_map(char::to_lowercase)).collect(),
        None => String::new(),
    }
}

/// In HTML the value is escaped first, so that only the breaks are markup.
fn newline_to_br<'a>(g: &Given<'_, 'a>) -> Answer<'a> {
    let text = g.text();
    let breaks = |text: &str| text.replace("\r\n", "\n").replace('\n', "<br />\n");
    Ok(match (g.escape, &g.value) {
        (Escape::Html, Value::Markup(_)) => Value::markup(breaks(&text)),
        (Escape::Html, _) => Value::markup(breaks(&escape_html(&text))),
        (Escape::Text, _) => g.value.clone(),
        _ => Value::from(breaks(&text)),
    })
}

/// The author's word that a value is markup already.
fn raw<'a>(g: &Given<'_, 'a>) -> Answer<'a> {
    Ok(match &g.value {
        Value::Text(text) | Value::Markup(text) => Value::Markup(text.clone()),
        other => Value::markup(other.text().into_owned()),
    })
}

fn replace<'a>(g: &Given<'_, 'a>) -> Answer<'a> {
    let (text, from, to) = (g.text(), g.word(0, ""), g.word(1, ""));
    let times = text.matches(from.as_str()).count();
    bounded(text.len().saturating_add(times.saturating_mul(to.len())))?;
    Ok(Value::from(text.replace(&from, &to)))
}

fn replace_last<'a>(text: &str, from: &str, to: &str) -> Value<'a> {
    match text.rfind(from) {
        Some(at) => Value::from(format!("{}{to}{}", &text[..at], &text[at + from.len()..])),
        None => Value::from(text.to_owned()),
    }
}

fn split<'a>(g: &Given<'_, 'a>) -> Answer<'a> {
    let (text, mark) = (g.text(), g.word(0, ""));
    let mut pieces: Vec<Value<'a>> = match mark.is_empty() {
        true => text.chars().take(MOST_PIECES + 1).map(|c| Value::from(c.to_string())).collect(),
        false => text.split(mark.as_str()).take(MOST_PIECES + 1).map(|piece| Value::from(piece.to_owned())).collect(),
    };
    if pieces.len() > MOST_PIECES {
        return Err("split makes more than 10,000 pieces".to_owned());
    }
    while pieces.last().is_some_and(|last| last.as_str() == Some("")) {
        pieces.pop();
    }
    Ok(Value::list(pieces))
}

/// Takes out scripts and styles with what they hold, comments and tags.
pub fn strip_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    // Once nothing closes any more, looking again would read the rest each time.
    let (mut closes, mut script, mut style, mut comment) = (true, true, true, true);
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let skip = |open: &str, end: &str, seen: &mut bool| -> Option<usize> {
            let begins = *seen && rest.get(..open.len()).is_some_and(|start| start.eq_ignore_ascii_case(open));
            if !begins {
                return None;
            }
            let found = rest.find(end).map(|at| at + end.len());
            *seen = found.is_some();
            found
        };
        let end = skip("<script", "</script>", &mut script)
            .or_else(|| skip("<style", "</style>", &mut style))
            .or_else(|| skip("<!--", "-->", &mut comment))
            .or_else(|| skip("<", ">", &mut closes));
        match end {
            Some(end) => rest = &rest[end..],
            None => {
                out.push('<');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn truncate<'a>(g: &Given<'_, 'a>) -> Answer<'a> {
    let (text, most, mark) = (g.text(), g.count(0, 50).max(0), g.word(1, "..."));
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    if text.chars().count() <= most {
        return Ok(Value::from(text));
    }
    let kept = most.saturating_sub(mark.chars().count());
    Ok(Value::from(text.chars().take(kept).collect::<String>() + &mark))
}

fn truncatewords<'a>(g: &Given<'_, 'a>) -> Answer<'a> {
    let (text, most, mark) = (g.text(), g.count(0, 15).max(1), g.word(1, "..."));
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let words: Vec<&str> = text.split_whitespace().collect();
    let cut = words[..words.len().min(most)].join(" ");
    Ok(Value::from(if words.len() > most { cut + &mark } else { cut }))
}
