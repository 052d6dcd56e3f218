//! Vendors' words stop at the connectors: beyond them a thing has our name (see GLOSSARY.md).
//!
//! String literals are exempt, since they are what people type and what comes over the wire.

use super::{Rule, Violation, split_words};
use crate::tree::Tree;

pub const RULE: Rule = Rule {
    name: "vendor-words",
    sentence: "In model and engine no identifier is a vendor's word, such as `distinct_id` or `person`.",
    check,
};

const WORDS: &[(&[&str], &str)] = &[
    (&["distinct", "id"], "a contact's key of kind visitor"),
    (&["distinct", "ids"], "a contact's keys of kind visitor"),
    (&["group", "identify"], "an account's attributes"),
    (&["group", "type", "index"], "an account's kind"),
    (&["hog", "function"], "a connection's destination"),
    (&["hog", "functions"], "a connection's destinations"),
    (&["list", "ids"], "lists"),
    (&["person"], "contact"),
    (&["persons"], "contacts"),
    (&["team", "id"], "a connection's project"),
];

fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for source in tree.product(&["crates/model/src/", "crates/engine/src/"]) {
        for (word, line) in source.words() {
            let parts = split_words(word);
            let vendors = WORDS
                .iter()
                .find(|(wanted, _)| parts.windows(wanted.len()).any(|window| window.iter().eq(wanted.iter())));
            if let Some((_, ours)) = vendors {
                let message = format!("`{word}` is a vendor's word; ours: {ours}");
                found.push(Violation::new(&source.path, line, message));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vendors_word_in_any_case_is_refused() {
        for text in
            ["struct Person;", "fn f(distinct_id: &str) {}", "enum A { HogFunction }", "const LIST_IDS: u8 = 1;"]
        {
            assert_eq!(check(&Tree::of("crates/model/src/a.rs", text)).len(), 1, "{text}");
        }
    }

    #[test]
    fn strings_connectors_and_words_that_only_contain_one_are_fine() {
        let text = "fn personal() -> &'static str { \"distinct_id\" }";
        assert!(check(&Tree::of("crates/model/src/a.rs", text)).is_empty());
        assert!(check(&Tree::of("crates/connectors/src/a.rs", "struct Person;")).is_empty());
    }
}
