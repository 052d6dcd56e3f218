//! How deep markup nests, before it is given to passes that call themselves for each element
//! within another and would run out of stack.

use super::markup::{Piece, name_of, pieces};
use crate::Problem;

const DEEPEST: usize = 200;
const VOID: [&str; 12] = ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"];
/// Nothing within one of these closes what stands around it.
const WALLS: [&str; 10] = ["table", "td", "th", "caption", "button", "object", "marquee", "template", "svg", "math"];
/// A browser opens these again where something around them was closed.
const FORMATS: [&str; 14] =
    ["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"];

/// Refuses markup that a browser would nest more than 200 deep. What is left open counts, so
/// that the answer is never too low.
///
/// In XML `<div/>` is closed, in HTML it is open.
pub fn check(markup: &str, is_xml: bool) -> Result<(), Problem> {
    let mut open: Vec<String> = Vec::new();
    for piece in pieces(markup) {
        let Piece::Tag(tag) = piece else { continue };
        let name = name_of(tag);
        match name.strip_prefix('/') {
            Some(closed) => close(&mut open, closed),
            None if name.starts_with(['!', '?'])
                || VOID.contains(&name.as_str())
                || (is_xml && tag.ends_with("/>")) => {}
            None => {
                // A second paragraph or list item closes the first.
                match name.as_str() {
                    "p" => close(&mut open, "p"),
                    "li" if open
                        .iter()
                        .rev()
                        .find(|name| ["li", "ul", "ol"].contains(&name.as_str()))
                        .is_some_and(|name| name == "li") =>
                    {
                        close(&mut open, "li");
                    }
                    _ => {}
                }
                open.push(name);
            }
        }
        if open.len() > DEEPEST {
            let message = "elements are nested more than 200 deep, or left open";
            return Err(Problem::error("too_deep", "", message, "Close them, or flatten the template."));
        }
    }
    Ok(())
}

fn close(open: &mut Vec<String>, name: &str) {
    let is_wall = |held: &String| WALLS.contains(&held.as_str());
    let reach = open.iter().rposition(|held| held == name || (is_wall(held) && !is_part_of_table(name)));
    let Some(at) = reach.filter(|at| open[*at] == name) else { return };
    if FORMATS.contains(&name) {
        open.remove(at);
        return;
    }
    let left: Vec<String> = open.drain(at..).skip(1).filter(|held| FORMATS.contains(&held.as_str())).collect();
    open.extend(left);
}

fn is_part_of_table(name: &str) -> bool {
    matches!(name, "table" | "tr" | "td" | "th" | "tbody" | "thead" | "tfoot" | "caption")
}
