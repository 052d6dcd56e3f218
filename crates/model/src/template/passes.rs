//! What turns a body into HTML and text once per version: Markdown, MJML, styles set in
//! line, links guarded. Liquid stands in all of it as marks.

use super::compiled::Kind;
use super::shield::{Language, Shield};
use super::{depth, links, markdown, mjml, text};
use crate::Problem;

/// Liquid sources of both parts.
pub struct Passed {
    pub html: String,
    pub text: String,
}

pub fn run(body: &str, preheader: Option<&str>, kind: Kind) -> Result<Passed, Problem> {
    let written = match kind {
        Kind::Markdown => markdown::to_html(body),
        Kind::Mjml | Kind::Html | Kind::Text => body.to_owned(),
    };
    let (shield, marked) = Shield::raise(&written, Language::Markup);
    let html = match kind {
        Kind::Mjml => mjml::to_html(&marked)?,
        _ => marked,
    };
    depth::check(&html, false)?;
    let html = with_styles_in_line(&html)?;
    let text = text::from_html(&html, &shield);
    links::refuse_loose(&html, &shield)?;
    let guarded = links::guard(&html, &shield)?;
    let restored = shield.restore(&guarded).map_err(|lost| {
        let message = format!("the Liquid tag `{lost}` stands where no text may stand and would be lost");
        Problem::error("liquid_lost", "", message, "Move it into the text, or around a whole element inside `mj-raw`.")
    })?;
    let html = match preheader.map(str::trim) {
        Some(preheader) if !preheader.is_empty() => with_preheader(&restored, preheader),
        _ => restored,
    };
    Ok(Passed { html, text })
}

/// Styles that no attribute can carry, such as those for the dark, stay in their element.
fn with_styles_in_line(html: &str) -> Result<String, Problem> {
    let inliner = css_inline::CSSInliner::options()
        .load_remote_stylesheets(false)
        .keep_style_tags(true)
        .keep_at_rules(true)
        .keep_link_tags(true)
        .build();
    let html = inliner.inline(html).map_err(|error| {
        Problem::error("styles", "", format!("the styles cannot be inlined: {error}"), "Mend the style sheet.")
    })?;
    let has_type = html.get(..9).is_some_and(|head| head.eq_ignore_ascii_case("<!doctype"));
    Ok(if has_type { html } else { format!("<!DOCTYPE html>{html}") })
}

/// What an inbox shows behind the subject stands first in the body, and unseen.
fn with_preheader(html: &str, preheader: &str) -> String {
    let hidden = format!(
        "<div style=\"display:none;max-height:0;overflow:hidden;mso-hide:all\" aria-hidden=\"true\">{preheader}</div>"
    );
    let lower = html.to_ascii_lowercase();
    let body = lower.find("<body").and_then(|at| html[at..].find('>').map(|end| at + end + 1));
    match body {
        Some(at) => format!("{}{hidden}{}", &html[..at], &html[at..]),
        None => format!("{hidden}{html}"),
    }
}
