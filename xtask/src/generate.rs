//! `cargo x generate`: pages of `docs/reference` that are made from the code, and the check that they are
//! as fresh as the code.
//!
//! A page is a path and a function. The prose of a page is the head comment of the file that it
//! describes, so that there is one text to keep true.

use std::fs;
use std::io;
use std::path::Path;

use crate::run::root;
use crate::{Failure, Outcome, rules};

struct Page {
    path: &'static str,
    make: fn(&Path) -> io::Result<String>,
}

fn all() -> &'static [Page] {
    &[
        Page { path: "docs/reference/house-rules.md", make: house_rules },
        Page { path: "docs/reference/jobs.md", make: jobs },
        Page { path: "docs/reference/routes.md", make: routes },
        Page { path: "docs/reference/steps.md", make: steps },
    ]
}

pub fn write() -> Outcome {
    let root = root();
    for page in all() {
        let path = root.join(page.path);
        let written = path.parent().map_or(Ok(()), fs::create_dir_all);
        written.and_then(|()| fs::write(&path, (page.make)(&root)?)).map_err(|error| failed(page, &error))?;
        println!("wrote {}", page.path);
    }
    Ok(format!("{} pages", all().len()))
}

pub fn compare() -> Result<(), Failure> {
    println!("$ generated files");
    let root = root();
    for page in all() {
        let fresh = (page.make)(&root).map_err(|error| failed(page, &error))?;
        if fs::read_to_string(root.join(page.path)).ok() != Some(fresh) {
            return Err(Failure::Failed(format!("{} is stale; `cargo x generate` writes it", page.path)));
        }
    }
    Ok(())
}

fn failed(page: &Page, error: &io::Error) -> Failure {
    Failure::Failed(format!("{}: {error}", page.path))
}

const NOTICE: &str = "<!-- Made by `cargo x generate`; edit the code it names instead. -->";

fn house_rules(_: &Path) -> io::Result<String> {
    let mut text =
        format!("{NOTICE}\n\n# House rules\n\nChecked by `cargo x check`.\n\n| rule | what holds |\n|---|---|\n");
    for rule in rules::all() {
        text.push_str(&format!("| `{}` | {} |\n", rule.name, rule.sentence));
    }
    Ok(text)
}

fn jobs(root: &Path) -> io::Result<String> {
    let folder = "crates/engine/src/jobs";
    Ok(format!("{NOTICE}\n\n# Jobs\n\nWhat the engine does when it steps. One file each.\n{}", heads(root, folder)?))
}

fn steps(root: &Path) -> io::Result<String> {
    let folder = "crates/model/src/campaign/steps";
    Ok(format!("{NOTICE}\n\n# Campaign steps\n\nOne file each.\n{}", heads(root, folder)?))
}

fn routes(root: &Path) -> io::Result<String> {
    let mut found = Vec::new();
    for folder in ["crates/server/src/api", "crates/server/src/intake"] {
        for name in files(&root.join(folder))? {
            let source = fs::read_to_string(root.join(folder).join(&name))?;
            found.extend(
                routes_of(&source).into_iter().map(|(path, methods)| (path, methods, format!("{folder}/{name}"))),
            );
        }
    }
    found.sort();
    found.dedup();
    let mut text = format!(
        "{NOTICE}\n\n# Routes\n\nThe HTTP API. The console's pages are not listed.\n\n\
         | path | methods | file |\n|---|---|---|\n"
    );
    for (path, methods, file) in found {
        text.push_str(&format!("| `{path}` | {methods} | `{file}` |\n"));
    }
    Ok(text)
}

/// Paths and methods of every `.route("…", get(…).post(…))`.
fn routes_of(source: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for rest in source.split(".route(").skip(1) {
        let Some((path, rest)) = rest.trim_start().strip_prefix('"').and_then(|rest| rest.split_once('"')) else {
            continue;
        };
        let mut depth = 1;
        let end = rest.find(|letter| {
            depth += i32::from(letter == '(') - i32::from(letter == ')');
            depth == 0
        });
        let handlers = &rest[..end.unwrap_or(rest.len())];
        let methods = ["get", "post", "put", "patch", "delete"];
        let methods = methods.iter().filter(|method| {
            handlers
                .split(|letter: char| !letter.is_ascii_alphanumeric() && !matches!(letter, '_' | '('))
                .any(|word| word.strip_prefix(*method).is_some_and(|rest| rest.starts_with('(')))
        });
        let methods: Vec<String> = methods.map(|method| method.to_uppercase()).collect();
        found.push((path.to_owned(), methods.join(", ")));
    }
    found
}

/// A section for each file of a folder: its path and its head comment.
fn heads(root: &Path, folder: &str) -> io::Result<String> {
    let names = files(&root.join(folder))?;
    let mut text = String::new();
    for name in names {
        let source = fs::read_to_string(root.join(folder).join(&name))?;
        let title = name.trim_end_matches(".rs");
        text.push_str(&format!("\n## {title}\n\n{}\n\n`{folder}/{name}`\n", head_comment(&source)));
    }
    Ok(text)
}

/// Names of the Rust files of a folder that are about something of their own, sorted.
fn files(folder: &Path) -> io::Result<Vec<String>> {
    let names = fs::read_dir(folder)?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names
        .filter(|name| {
            name.ends_with(".rs") && !matches!(name.as_str(), "form.rs" | "mod.rs") && !name.ends_with("tests.rs")
        })
        .collect();
    names.sort();
    Ok(names)
}

fn head_comment(source: &str) -> String {
    let lines = source.lines().take_while(|line| line.starts_with("//!"));
    let lines: Vec<&str> = lines.map(|line| line.trim_start_matches("//!").trim()).collect();
    lines.join("\n").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_found_with_their_methods() {
        let source = r#"Router::new().route("/a/{id}", get(one).delete(f(remove))).route("/b",
            post(posthog::by_header)).route("/c", get(async || Redirect::to("/d")))"#;
        let found = routes_of(source);
        let expected = [("/a/{id}", "GET, DELETE"), ("/b", "POST"), ("/c", "GET")];
        assert_eq!(found, expected.map(|(path, methods)| (path.to_owned(), methods.to_owned())));
    }

    #[test]
    fn the_head_comment_ends_where_code_begins() {
        assert_eq!(head_comment("//! One.\n//!\n//! Two.\n\n//! not this\nuse a;\n"), "One.\n\nTwo.");
        assert_eq!(head_comment("use a;\n//! late\n"), "");
    }
}
