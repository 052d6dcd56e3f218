//! MJML to HTML. The renderer takes an unknown element in silence, so the names are checked
//! first, by a list of our own.

use super::depth;
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
    depth::check(source, true)?;
    let parsed = mrml::parse(source).map_err(|error| {
        let problem = Problem::error("mjml", "", readable(&error), "Mend the element at this place.");
        match position(&error) {
            Some(at) => placed(problem, source, at),
            None => problem,
        }
    })?;
    let options = mrml::prelude::render::RenderOptions::default();
    parsed
        .element
        .render(&options)
        .map_err(|error| Problem::error("mjml", "", format!("the MJML cannot be rendered: {error}"), ""))
}

fn check_names(source: &str) -> Result<(), Problem> {
    let mut at = 0;
    for piece in pieces(source) {
        let (Piece::Tag(text) | Piece::Text(text) | Piece::Comment(text)) = piece;
        if let Piece::Tag(tag) = piece {
            let name = name_of(tag);
            let name = name.trim_start_matches('/');
            if name.starts_with("mj") && !KNOWN.contains(&name) {
                let remedy = crate::problem::nearest(name, KNOWN.iter().copied())
                    .map_or_else(String::new, |known| format!("Did you mean `{known}`?"));
                let message = format!("`{name}` is not an element of MJML");
                return Err(placed(Problem::error("unknown_element", "", message, remedy), source, at));
            }
        }
        at += text.len();
    }
    Ok(())
}

fn readable(error: &mrml::prelude::parser::Error) -> String {
    use mrml::prelude::parser::Error;
    match error {
        Error::UnexpectedElement { .. } => "this element may not stand here".to_owned(),
        Error::UnexpectedToken { .. } => "the MJML cannot be read on from here".to_owned(),
        Error::MissingAttribute { name, .. } => format!("the attribute `{name}` is missing"),
        Error::InvalidAttribute { .. } => "an attribute has no value that can be used".to_owned(),
        Error::EndOfStream { .. } => "the MJML ends before its elements are closed".to_owned(),
        Error::NoRootNode => "there is no element `mjml`".to_owned(),
        other => format!("the MJML cannot be read: {other}"),
    }
}

fn position(error: &mrml::prelude::parser::Error) -> Option<usize> {
    use mrml::prelude::parser::Error;
    match error {
        Error::UnexpectedElement { position, .. }
        | Error::UnexpectedToken { position, .. }
        | Error::MissingAttribute { position, .. }
        | Error::InvalidAttribute { position, .. }
        | Error::InvalidFormat { position, .. } => Some(position.start),
        _ => None,
    }
}

fn placed(problem: Problem, source: &str, at: usize) -> Problem {
    let before = source.get(..at).unwrap_or(source);
    let column = before.len() - before.rfind('\n').map_or(0, |newline| newline + 1) + 1;
    problem.at(before.matches('\n').count() + 1, column)
}
