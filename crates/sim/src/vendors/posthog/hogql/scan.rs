//! HogQL's tokens: words, quoted words, numbers, texts, placeholders and signs.
//!
//! Backticks and double quotes make a word of anything; a backslash escapes inside texts and
//! backticks. Comments are skipped.

use super::Refusal;

#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    Word(String),
    /// A word that was quoted, so that it is no keyword.
    Quoted(String),
    Number(String),
    Text(String),
    /// `{name}`
    Hole(String),
    Sign(&'static str),
    End,
}

const SIGNS: [&str; 25] = [
    "::", "->", "<=", ">=", "!=", "<>", "==", "||", "(", ")", "[", "]", ",", ".", "+", "-", "*", "/", "%", "<", ">",
    "=", "?", ":", ";",
];

pub fn scan(text: &str) -> Result<Vec<Token>, Refusal> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if first.is_whitespace() {
            rest = &rest[first.len_utf8()..];
        } else if rest.starts_with("--") {
            rest = rest.find('\n').map_or("", |at| &rest[at..]);
        } else if rest.starts_with("/*") {
            rest = rest.find("*/").map_or("", |at| &rest[at + 2..]);
        } else if first == '\'' {
            let (inner, after) = quoted(rest, '\'')?;
            tokens.push(Token::Text(inner));
            rest = after;
        } else if first == '`' || first == '"' {
            let (inner, after) = quoted(rest, first)?;
            tokens.push(Token::Quoted(inner));
            rest = after;
        } else if first == '{' {
            let end = rest.find('}').ok_or_else(|| Refusal::syntax("a placeholder is not closed"))?;
            tokens.push(Token::Hole(rest[1..end].trim().to_owned()));
            rest = &rest[end + 1..];
        } else if first.is_ascii_digit() {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.')).unwrap_or(rest.len());
            tokens.push(Token::Number(rest[..end].to_owned()));
            rest = &rest[end..];
        } else if first.is_alphabetic() || first == '_' || first == '$' {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..end].to_owned()));
            rest = &rest[end..];
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            tokens.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        } else {
            return Err(Refusal::syntax(&format!("`{first}` cannot stand here")));
        }
    }
    tokens.push(Token::End);
    Ok(tokens)
}

/// What stands between two quotes, unescaped, and what follows.
fn quoted(text: &str, quote: char) -> Result<(String, &str), Refusal> {
    let mut inner = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some((_, 'n')) => inner.push('\n'),
                Some((_, 't')) => inner.push('\t'),
                Some((_, escaped)) => inner.push(escaped),
                None => break,
            },
            c if c == quote && text[at + 1..].starts_with(quote) => {
                inner.push(c);
                chars.next();
            }
            c if c == quote => return Ok((inner, &text[at + 1..])),
            c => inner.push(c),
        }
    }
    Err(Refusal::syntax("a quote is not closed"))
}
