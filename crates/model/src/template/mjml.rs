//! MJML to HTML. The renderer takes an unknown element in silence, so the names are checked
//! first, by a list of our own.

use super::markup::{Piece, name_of, pieces};
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
    check_depth(source)?;
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

/// The renderer calls itself for each element within another.
fn check_depth(source: &str) -> Result<(), Problem> {
    const DEEPEST: usize = 100;
    const VOID: [&str; 9] = ["br", "img", "hr", "input", "meta", "link", "col", "area", "wbr"];
    let mut depth = 0_usize;
    for piece in pieces(source) {
        let Piece::Tag(tag) = piece else { continue };
        let name = name_of(tag);
        if name.starts_with('/') {
            depth = depth.saturating_sub(1);
        } else if !tag.ends_with("/>") && !name.starts_with(['!', '?']) && !VOID.contains(&name.as_str()) {
            depth += 1;
        }
        if depth > DEEPEST {
            return Err(Problem::error(
                "too_deep",
                "",
                "elements are nested more than 100 deep",
                "Flatten the template.",
            ));
        }
    }
    Ok(())
}
