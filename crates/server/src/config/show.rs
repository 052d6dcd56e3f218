//! Problems in a file as people read them: file, line, column, the line with a caret, and
//! what to do.

use std::fmt::Write as _;

use hogwire_model::problem::{Place, Severity};
use hogwire_model::{Problem, Problems};

/// All problems of one file, in the order of its lines.
pub fn render(file: &str, text: &str, problems: &Problems) -> String {
    let told: Vec<String> = problems.0.iter().map(|problem| one(file, text, problem)).collect();
    told.join("\n\n")
}

pub fn one(file: &str, text: &str, problem: &Problem) -> String {
    let word = if problem.severity == Severity::Warning { "warning: " } else { "" };
    let mut out = String::new();
    match problem.place {
        Some(place) => {
            let _ = write!(out, "{file}:{}:{}: {word}{}", place.line, place.column, problem.message);
            point(&mut out, text, place);
        }
        None => {
            // A name in capitals is a variable: nothing in the file is wrong.
            let variable = problem.path.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
            let file = if variable && !problem.path.is_empty() { "environment" } else { file };
            let path = if problem.path.is_empty() { String::new() } else { format!("{}: ", problem.path) };
            let _ = write!(out, "{file}: {word}{path}{}", problem.message);
        }
    }
    if !problem.remedy.is_empty() {
        let _ = write!(out, "\n  = {}", problem.remedy);
    }
    out
}

fn point(out: &mut String, text: &str, place: Place) {
    let Some(line) = text.lines().nth(place.line.saturating_sub(1)) else { return };
    let number = place.line.to_string();
    let margin = " ".repeat(number.len());
    let before: String =
        line.chars().take(place.column.saturating_sub(1)).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
    let rest: String = line.chars().skip(place.column.saturating_sub(1)).collect();
    let word = match rest.chars().next() {
        Some(quote @ ('"' | '\'')) => rest[1..].find(quote).map_or(rest.len(), |end| end + 2),
        _ => rest.find([':', ' ', ',', '}', ']']).unwrap_or(rest.len()),
    };
    let width = rest[..word.min(rest.len())].chars().count().max(1);
    let _ = write!(out, "\n{margin} |\n{number} | {line}\n{margin} | {before}{}", "^".repeat(width));
}
