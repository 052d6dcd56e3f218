//! Links of a mail: only to hosts that the template itself writes out, or that the operator
//! allows. A link that data has built leads nowhere else.
//!
//! What can be known of a link is decided once, when the template is compiled; a link with
//! Liquid in it is put between `{% hogwire_link %}` and its end, where it is looked at on
//! every rendering.

use super::markup::{Piece, attribute, decode, name_of, pieces};
use super::shield::Shield;
use crate::Problem;

pub const GUARD: &str = "hogwire_link";
pub const GUARD_END: &str = "endhogwire_link";
/// Stands in the place of a target that was taken out.
pub const NOWHERE: &str = "#";

/// Hosts that a source writes out in its links, without Liquid in the host's place.
pub fn written_hosts(source: &str) -> Vec<String> {
    let mut hosts = Vec::new();
    for (at, _) in source.match_indices("://") {
        let behind = &source[at + 3..];
        let end = behind.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '-')).unwrap_or(behind.len());
        let host = behind[..end].to_ascii_lowercase();
        // A host that Liquid goes on is not written out, and before an @ it is a name.
        if !host.is_empty() && !behind[end..].starts_with(['{', '@']) && !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    hosts
}

/// The host of an http or https URL, in lower case.
pub fn host_of(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return None;
    }
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let host = authority.rsplit('@').next()?.split(':').next()?;
    (!host.is_empty()).then(|| host.to_lowercase())
}

/// Whether a target may stay: nothing, a place in the mail itself, mail, telephone, or a
/// page on one of the hosts or below it.
pub fn is_allowed(target: &str, hosts: &[&[String]]) -> bool {
    let target = target.trim();
    if target.is_empty() || target.starts_with('#') || is_personal(target) {
        return true;
    }
    host_of(target).is_some_and(|host| {
        hosts
            .iter()
            .copied()
            .flatten()
            .any(|known| host == *known || host.strip_suffix(known.as_str()).is_some_and(|above| above.ends_with('.')))
    })
}

fn is_personal(target: &str) -> bool {
    let starts = |scheme: &str| target.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme));
    ["mailto:", "tel:", "sms:"].into_iter().any(starts)
}

/// A target with marks in it, between the tags that look at it on every rendering.
pub fn guarded(target: &str, shield: &Shield) -> String {
    match shield.has_mark(target) {
        true => format!("{{% {GUARD} %}}{target}{{% {GUARD_END} %}}"),
        false => target.to_owned(),
    }
}

/// Guards the links of a shielded document. Refuses a written target that no mail can have.
pub fn guard(html: &str, shield: &Shield) -> Result<String, Problem> {
    let mut problem = None;
    let guarded = each_target(html, &mut |tag, target| {
        if shield.has_mark(target) {
            return Some(guarded(target, shield));
        }
        problem = problem.take().or_else(|| check_written(tag, &decode(target)).err());
        None
    });
    problem.map_or(Ok(guarded), Err)
}

/// Gives each tag with its target to `exchange`, which answers another or leaves it. What
/// only one mail program shows stands in comments, and is gone through as well.
fn each_target(html: &str, exchange: &mut dyn FnMut(&str, &str) -> Option<String>) -> String {
    let mut out = String::with_capacity(html.len() + 256);
    for piece in pieces(html) {
        match piece {
            Piece::Tag(tag) => {
                let found =
                    attribute(tag, "href").and_then(|(from, to)| Some((from, to, exchange(tag, &tag[from..to])?)));
                match found {
                    Some((from, to, target)) => {
                        out.push_str(&tag[..from]);
                        out.push_str(&target);
                        out.push_str(&tag[to..]);
                    }
                    None => out.push_str(tag),
                }
            }
            Piece::Comment(comment) if comment.starts_with("<!--[if") && comment.len() > 7 => {
                out.push_str("<!--");
                out.push_str(&each_target(&comment[4..comment.len() - 3], exchange));
                out.push_str("-->");
            }
            Piece::Text(text) | Piece::Comment(text) => out.push_str(text),
        }
    }
    out
}

fn check_written(tag: &str, target: &str) -> Result<(), Problem> {
    let target = target.trim();
    let is_link = matches!(name_of(tag).as_str(), "a" | "area");
    if !is_link || host_of(target).is_some() || is_allowed(target, &[]) {
        return Ok(());
    }
    let message = format!("the link `{target}` leads nowhere from a mail");
    let remedy = "Write the whole address, with https://, or mailto: or tel:.";
    Err(Problem::error("bad_link", "", message, remedy))
}

/// Refuses Liquid in a tag outside of any value: the order of attributes is not kept, and a
/// value printed there could become one.
pub fn refuse_loose(html: &str, shield: &Shield) -> Result<(), Problem> {
    for piece in pieces(html) {
        let Piece::Tag(tag) = piece else { continue };
        let loose = tag.split('"').step_by(2).find_map(|outside| shield.next(outside));
        if let Some((.., number)) = loose {
            let message = format!("`{}` stands in a tag, but in none of its values", shield.tag(number));
            let remedy = "Put it between the quotes, as in class=\"{% if … %}…{% endif %}\".";
            return Err(Problem::error("liquid_in_tag", "", message, remedy));
        }
    }
    Ok(())
}

/// For rendered HTML into which values went unescaped: every link is looked at. Answers the
/// HTML and the targets taken out.
pub fn keep_allowed(html: &str, is_allowed: &dyn Fn(&str) -> bool) -> (String, Vec<String>) {
    let mut taken = Vec::new();
    let kept = each_target(html, &mut |_, target| {
        let target = decode(target.trim());
        if is_allowed(&target) {
            return None;
        }
        taken.push(target);
        Some(NOWHERE.to_owned())
    });
    (kept, taken)
}

/// The same for plain text, where mail programs make links of addresses themselves.
pub fn keep_allowed_text(text: String, is_allowed: &dyn Fn(&str) -> bool) -> (String, Vec<String>) {
    if !text.contains("://") {
        return (text, Vec::new());
    }
    let mut out = String::with_capacity(text.len());
    let mut taken = Vec::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find("://") {
        let scheme = rest[..at].len() - rest[..at].bytes().rev().take_while(u8::is_ascii_alphabetic).count();
        let end = rest[at..]
            .find(|c: char| c.is_whitespace() || matches!(c, ')' | '>' | '"'))
            .map_or(rest.len(), |end| at + end);
        let target = &rest[scheme..end];
        out.push_str(&rest[..scheme]);
        if host_of(target).is_none() || is_allowed(target) {
            out.push_str(target);
        } else {
            taken.push(target.to_owned());
            out.push_str(NOWHERE);
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
    (out, taken)
}
