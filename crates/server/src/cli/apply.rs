//! `hogwire plan` and `hogwire apply`: the difference between the files and what runs, and
//! making it none.

use hogwire_engine::campaigns::{Change, What};
use hogwire_model::problem::Severity;

/// One change as a line for people.
pub fn line(change: &Change) -> String {
    let what = match change.what {
        What::Created => "created",
        What::Updated => "updated",
        What::Unchanged => "unchanged",
        What::Left => "left: a newer version was made elsewhere; use --force or `hogwire pull`",
        What::Refused => "refused",
        What::NotActivated => "stored, but not activated",
    };
    let mut text = format!("{} {}: {what}", change.resource, change.id);
    if change.version > 0 {
        text.push_str(&format!(" (version {})", change.version));
    }
    for problem in &change.problems.0 {
        let word = if problem.severity == Severity::Error { "error" } else { "warning" };
        let at = problem.place.map_or_else(String::new, |place| format!("{}:{}: ", place.line, place.column));
        text.push_str(&format!("\n  {word}: {at}{}", problem.message));
        if !problem.remedy.is_empty() {
            text.push_str(&format!(" ({})", problem.remedy));
        }
    }
    text
}

/// Says it in the log, where the server applies a folder at its start.
pub fn log(change: &Change) {
    match change.what {
        What::Unchanged => {}
        What::Refused | What::NotActivated | What::Left => tracing::warn!("{}", line(change)),
        What::Created | What::Updated => tracing::info!("{}", line(change)),
    }
}
