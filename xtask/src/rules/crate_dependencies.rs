//! A crate exists because one sentence forbids something. This keeps the sentences true.
//!
//! Reads the `[dependencies]` tables as text; what tests alone use is not looked at.

use super::{Rule, Violation};
use crate::tree::Tree;

pub const RULE: Rule = Rule {
    name: "crate-dependencies",
    sentence: "Model depends on no crate of ours, connectors on model, engine on both; SQL crates belong to engine, runtimes and sockets to server and sim.",
    check,
};

const SQL: &[&str] = &["postgres", "rusqlite", "sqlx", "tokio-postgres", "tokio-postgres-rustls"];
const OUTSIDE: &[&str] = &["axum", "getrandom", "hyper", "rand", "reqwest", "tokio"];

struct Sentence {
    manifest: &'static str,
    ours: &'static [&'static str],
    forbidden: &'static [&'static [&'static str]],
}

const SENTENCES: &[Sentence] = &[
    Sentence { manifest: "crates/connectors/Cargo.toml", ours: &["hogwire-model"], forbidden: &[SQL, OUTSIDE] },
    Sentence {
        manifest: "crates/engine/Cargo.toml",
        ours: &["hogwire-connectors", "hogwire-model"],
        forbidden: &[OUTSIDE],
    },
    Sentence { manifest: "crates/model/Cargo.toml", ours: &[], forbidden: &[SQL, OUTSIDE] },
    Sentence {
        manifest: "crates/server/Cargo.toml",
        ours: &["hogwire-connectors", "hogwire-engine", "hogwire-model", "hogwire-sim"],
        forbidden: &[SQL],
    },
    Sentence {
        manifest: "crates/sim/Cargo.toml",
        ours: &["hogwire-connectors", "hogwire-engine", "hogwire-model"],
        forbidden: &[],
    },
];

fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in &tree.manifests {
        let Some(sentence) = SENTENCES.iter().find(|sentence| sentence.manifest == path) else {
            found.push(Violation::new(path, 1, "a crate without a sentence: say in this rule what it may depend on"));
            continue;
        };
        for (name, line) in dependencies(text) {
            let stranger = is_ours(name) && !sentence.ours.contains(&name);
            if stranger || sentence.forbidden.iter().any(|list| list.contains(&name)) {
                found.push(Violation::new(path, line, format!("may not depend on `{name}`")));
            }
        }
    }
    found
}

fn is_ours(name: &str) -> bool {
    name == "hogwire" || name.starts_with("hogwire-")
}

/// Names in every table of dependencies that ends in the product, with their lines.
fn dependencies(text: &str) -> Vec<(&str, usize)> {
    let mut found = Vec::new();
    let mut inside = false;
    for (index, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or("").trim();
        if let Some(table) = line.strip_prefix('[') {
            let table = table.trim_end_matches(']');
            inside = table.ends_with("dependencies") && !table.ends_with("dev-dependencies");
        } else if inside && let Some((name, _)) = line.split_once(['.', '=', ' ']) {
            found.push((name.trim_matches('"'), index + 1));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forbidden_dependency_is_refused() {
        let cases = [
            ("crates/model/Cargo.toml", "[dependencies]\nserde = \"1\"\nhogwire-engine.workspace = true\n"),
            ("crates/model/Cargo.toml", "[dependencies]\ntokio = { version = \"1\" }\n"),
            ("crates/connectors/Cargo.toml", "[dependencies]\nreqwest.workspace = true\n"),
            ("crates/server/Cargo.toml", "[target.'cfg(unix)'.dependencies]\nrusqlite = \"0.41\"\n"),
            ("crates/engine/Cargo.toml", "[build-dependencies]\nhogwire-sim = { path = \"../sim\" }\n"),
            ("crates/new/Cargo.toml", "[dependencies]\n"),
        ];
        for (path, text) in cases {
            assert_eq!(check(&Tree::of_all(&[(path, text)])).len(), 1, "{path}: {text}");
        }
    }

    #[test]
    fn what_tests_use_is_their_own_affair() {
        let text = "[package]\nname = \"hogwire-engine\"\n[dependencies]\nrusqlite.workspace = true\n[dev-dependencies]\nrand = \"1\"\n";
        assert!(check(&Tree::of_all(&[("crates/engine/Cargo.toml", text)])).is_empty());
    }
}
