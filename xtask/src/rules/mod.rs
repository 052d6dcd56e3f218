//! House rules as code: one file a rule, each a name, a sentence and a function over the tree.
//!
//! A rule reports what it sees and changes nothing. Where a rule is wrong about a place, the rule is
//! mended: there is no comment that switches one off.

use crate::tree::Tree;

// sorted
mod below_the_adapters;
mod crate_dependencies;
mod file_length;
mod forbidden_names;
mod function_length;
mod head_comment;
mod one_sleep;
mod sorted_registries;
mod sql_in_store;
mod vendor_words;

pub struct Rule {
    pub name: &'static str,
    /// What must hold, for a reader.
    pub sentence: &'static str,
    pub check: fn(&Tree) -> Vec<Violation>,
}

#[derive(Debug, PartialEq)]
pub struct Violation {
    pub path: String,
    pub line: usize,
    pub message: String,
}

impl Violation {
    pub fn new(path: &str, line: usize, message: impl Into<String>) -> Violation {
        Violation { path: path.to_owned(), line, message: message.into() }
    }
}

pub fn all() -> &'static [&'static Rule] {
    &[
        &below_the_adapters::RULE,
        &crate_dependencies::RULE,
        &file_length::RULE,
        &forbidden_names::RULE,
        &function_length::RULE,
        &head_comment::RULE,
        &one_sleep::RULE,
        &sorted_registries::RULE,
        &sql_in_store::RULE,
        &vendor_words::RULE,
    ]
}

/// `DistinctId`, `distinct_id` and `DISTINCT_ID` are the words distinct, id.
fn split_words(identifier: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut previous_lower = false;
    let mut open = false;
    for letter in identifier.chars() {
        if letter == '_' {
            open = false;
            continue;
        }
        if !open || (letter.is_uppercase() && previous_lower) {
            words.push(String::new());
        }
        open = true;
        previous_lower = letter.is_lowercase() || letter.is_ascii_digit();
        if let Some(word) = words.last_mut() {
            word.extend(letter.to_lowercase());
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_fall_into_words() {
        assert_eq!(split_words("DistinctId"), ["distinct", "id"]);
        assert_eq!(split_words("_listIds"), ["list", "ids"]);
        assert_eq!(split_words("HOG_FUNCTION"), ["hog", "function"]);
    }

    #[test]
    fn every_rule_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> = all().iter().map(|rule| rule.name).collect();
        assert_eq!(names.len(), all().len());
    }
}
