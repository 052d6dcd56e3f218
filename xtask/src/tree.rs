//! The project's text as the rules see it: Rust sources read once, and the manifests beside them.
//!
//! Rules get a `Tree` and never touch the disk, so each can be tested with a few lines of invented code.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use crate::source::Source;

#[derive(Default)]
pub struct Tree {
    pub sources: Vec<Source>,
    /// Path and text of each `Cargo.toml` below `crates`.
    pub manifests: Vec<(String, String)>,
}

impl Tree {
    /// Reads all of `crates` and `xtask`. A source that does not parse is an error: nothing else could be
    /// said of it.
    pub fn read(root: &Path) -> io::Result<Tree> {
        let mut tree = Tree::default();
        for folder in ["crates", "xtask"] {
            visit(root, &root.join(folder), &mut |path, text| {
                if path.ends_with(".rs") {
                    tree.sources.push(Source::parse(path, text).map_err(io::Error::other)?);
                } else if path.ends_with("/Cargo.toml") && path.starts_with("crates/") {
                    tree.manifests.push((path.to_owned(), text.to_owned()));
                }
                Ok(())
            })?;
        }
        tree.mark_test_files();
        Ok(tree)
    }

    /// Product code of these folders: tests are left out.
    pub fn product<'a>(&'a self, folders: &'a [&str]) -> impl Iterator<Item = &'a Source> {
        self.sources
            .iter()
            .filter(move |source| !source.is_test && folders.iter().any(|folder| source.path.starts_with(folder)))
    }

    /// A file that another declares as `#[cfg(test)] mod name;` is a test, and so is all beneath it.
    fn mark_test_files(&mut self) {
        let declared: BTreeSet<String> = self.sources.iter().flat_map(Source::test_modules).collect();
        for source in &mut self.sources {
            let stem = source.path.trim_end_matches(".rs");
            let within = declared.iter().any(|module| stem == module || stem.starts_with(&format!("{module}/")));
            source.is_test |= within;
        }
    }
}

fn visit(root: &Path, folder: &Path, see: &mut dyn FnMut(&str, &str) -> io::Result<()>) -> io::Result<()> {
    let mut entries: Vec<_> = std::fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let name = entry.file_name();
        if entry.file_type()?.is_dir() {
            if name != "target" && name != "node_modules" {
                visit(root, &path, see)?;
            }
        } else if name == "Cargo.toml" || path.extension().is_some_and(|extension| extension == "rs") {
            let shown = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            see(&shown, &std::fs::read_to_string(&path)?)?;
        }
    }
    Ok(())
}

#[cfg(test)]
impl Tree {
    /// A tree of one invented file.
    pub fn of(path: &str, text: &str) -> Tree {
        Tree::of_all(&[(path, text)])
    }

    pub fn of_all(files: &[(&str, &str)]) -> Tree {
        let mut tree = Tree::default();
        for (path, text) in files {
            if path.ends_with(".rs") {
                tree.sources.push(Source::parse(path, text).expect("the invented code parses"));
            } else {
                tree.manifests.push(((*path).to_owned(), (*text).to_owned()));
            }
        }
        tree.mark_test_files();
        tree
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_declared_for_tests_makes_its_file_a_test() {
        let tree = Tree::of_all(&[
            ("crates/model/src/lib.rs", "#[cfg(test)]\nmod laws;\nmod event;\n"),
            ("crates/model/src/laws.rs", "fn f() {}"),
            ("crates/model/src/laws/more.rs", "fn f() {}"),
            ("crates/model/src/event.rs", "#[cfg(test)] mod tests;"),
            ("crates/model/src/event/tests.rs", "fn f() {}"),
        ]);
        let product: Vec<&str> = tree.product(&["crates/model"]).map(|source| source.path.as_str()).collect();
        assert_eq!(product, ["crates/model/src/lib.rs", "crates/model/src/event.rs"]);
    }
}
