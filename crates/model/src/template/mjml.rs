//! MJML to HTML. The renderer takes an unknown element in silence, so the names are checked
//! first, by a list of our own.

use super::depth;
use crate::Problem;

/// Elements of MJML 4 that the renderer knows.
const KNOWN: &[&str] = &[
    "mj-accordion",
    "mj-accordion-element",
    "mj-accordion-text",
    "mj-accordion-title",
    "mj-all",
    "mj-attributes",
    "mj-body",
    "mj-breakpoint",
    "mj-button",
    "mj-carousel",
    "mj-carousel-image",
    "mj-class",
    "mj-column",
    "mj-divider",
    "mj-font",
    "mj-group",
    "mj-head",
    "mj-hero",
    "mj-image",
    "mj-navbar",
    "mj-navbar-link",
    "mj-preview",
    "mj-raw",
    "mj-section",
    "mj-social",
    "mj-social-element",
    "mj-spacer",
    "mj-style",
    "mj-table",
    "mj-text",
    "mj-title",
    "mj-wrapper",
    "mjml",
];

/// Renders MJML in which Liquid is shielded already.
pub fn to_html(source: &str) -> Result<String, Problem> {
    check_names(source)?;
    depth::check(source, true)?;
    let parsed = mrml::parse(source).map_err(|error| {
        Problem::error("mjml", "", format!("the MJML cannot be read: {error}"), "Mend the element it names.")
    })?;
    let options = mrml::prelude::render::RenderOptions::default();
    parsed
        .element
        .render(&options)
        .map_err(|error| Problem::error("mjml", "", format!("the MJML cannot be rendered: {error}"), ""))
}

fn check_names(source: &str) -> Result<(), Problem> {
    for (at, _) in source.match_indices("<mj") {
        let name: String = source[at + 1..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        if !KNOWN.contains(&name.as_str()) {
            let line = source[..at].matches('\n').count() + 1;
            let column = at - source[..at].rfind('\n').map_or(0, |newline| newline + 1) + 1;
            let remedy = crate::problem::nearest(&name, KNOWN.iter().copied())
                .map_or_else(String::new, |known| format!("Did you mean `{known}`?"));
            let message = format!("`{name}` is not an element of MJML");
            return Err(Problem::error("unknown_element", "", message, remedy).at(line, column));
        }
    }
    Ok(())
}
