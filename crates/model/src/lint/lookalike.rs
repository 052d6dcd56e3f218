//! Names of events that people would take for one another.

use std::collections::BTreeMap;

use crate::{Problem, Problems};

/// The most names that are compared letter by letter.
const MOST_COMPARED: usize = 1_000;

/// Groups of names that differ in spelling only (`user_signup`, `UserSignedUp`), and
/// pairs that differ in one letter.
pub fn lookalikes(events: &[&str]) -> Problems {
    let mut groups: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for name in events {
        let names = groups.entry(essence(name)).or_default();
        if !names.contains(name) {
            names.push(name);
        }
    }
    let mut problems = Vec::new();
    for (essence, names) in &mut groups {
        names.sort_unstable();
        if names.len() > 1 && !essence.is_empty() {
            problems.push(alike(names));
        }
    }
    let keys: Vec<_> = groups.iter().take(MOST_COMPARED).collect();
    for (n, (first, first_names)) in keys.iter().enumerate() {
        for (second, second_names) in keys.iter().skip(n + 1) {
            if one_slip(first, second) {
                problems.push(alike(&[first_names[0], second_names[0]]));
            }
        }
    }
    Problems(problems)
}

fn alike(names: &[&str]) -> Problem {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    Problem::warning(
        "events_look_alike",
        names[0],
        format!("the events {} look like one", quoted.join(" and ")),
        "send one name, or make sure that each campaign names the right one",
    )
}

/// One letter apart, long enough to be a slip, and not merely numbered.
fn one_slip(a: &str, b: &str) -> bool {
    let digits = |text: &str| -> String { text.chars().filter(char::is_ascii_digit).collect() };
    a.len().min(b.len()) >= 8
        && a.len().abs_diff(b.len()) <= 1
        && digits(a) == digits(b)
        && strsim::damerau_levenshtein(a, b) == 1
}

/// What is left of a name without case, separators and endings.
fn essence(name: &str) -> String {
    words(name).iter().map(|word| stem(word)).collect()
}

fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before: Option<char> = None;
    for c in name.chars() {
        let starts = c.is_uppercase() && before.is_some_and(char::is_lowercase);
        if (starts || !c.is_alphanumeric()) && words.last().is_some_and(|w| !w.is_empty()) {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        before = Some(c);
    }
    words
}

/// Takes the plural and the tense off an English word, roughly.
fn stem(word: &str) -> &str {
    if !word.is_ascii() {
        return word;
    }
    let mut stem = word;
    if stem.len() > 3 && stem.ends_with('s') && !stem.ends_with("ss") {
        stem = &stem[..stem.len() - 1];
    }
    for (ending, least) in [("ing", 6), ("ed", 5)] {
        if stem.len() >= least && stem.ends_with(ending) {
            stem = &stem[..stem.len() - ending.len()];
            let bytes = stem.as_bytes();
            let doubled = bytes.len() > 3 && bytes[bytes.len() - 1] == bytes[bytes.len() - 2];
            if doubled && !stem.ends_with("ss") && !stem.ends_with("ll") {
                stem = &stem[..stem.len() - 1];
            }
            break;
        }
    }
    stem.strip_suffix('e').filter(|s| s.len() > 2).unwrap_or(stem)
}
