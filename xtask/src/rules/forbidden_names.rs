//! Names that say nothing are refused: they are where unrelated things gather.

use syn::visit::{self, Visit};

use super::{Rule, Violation, split_words};
use crate::tree::Tree;

pub const RULE: Rule = Rule {
    name: "forbidden-names",
    sentence: "No type is called Manager, Service, Helper, Util, Data, Info or Handler; no module common, utils, types or misc.",
    check,
};

const TYPES: &[&str] = &["data", "handler", "helper", "info", "manager", "service", "util", "utils"];
const MODULES: &[&str] = &["common", "helpers", "misc", "types", "util", "utils"];

fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for source in &tree.sources {
        let mut names = Names::default();
        names.visit_file(&source.syntax);
        for (name, line) in names.types {
            if split_words(&name).last().is_some_and(|word| TYPES.contains(&word.as_str())) {
                found.push(Violation::new(
                    &source.path,
                    line,
                    format!("the type `{name}` has a name that says nothing"),
                ));
            }
        }
        for (name, line) in names.modules {
            if MODULES.contains(&name.as_str()) {
                found.push(Violation::new(
                    &source.path,
                    line,
                    format!("the module `{name}` has a name that says nothing"),
                ));
            }
        }
    }
    found
}

#[derive(Default)]
struct Names {
    types: Vec<(String, usize)>,
    modules: Vec<(String, usize)>,
}

fn placed(name: &syn::Ident) -> (String, usize) {
    (name.to_string(), name.span().start().line)
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        self.types.push(placed(&item.ident));
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.modules.push(placed(&item.ident));
        visit::visit_item_mod(self, item);
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.types.push(placed(&item.ident));
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.types.push(placed(&item.ident));
        visit::visit_item_trait(self, item);
    }

    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        self.types.push(placed(&item.ident));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_names_are_refused() {
        for text in [
            "struct MailService;",
            "enum Data { A }",
            "trait EventHandler {}",
            "type ContactInfo = u8;",
            "mod utils {}",
        ] {
            assert_eq!(check(&Tree::of("crates/sim/src/a.rs", text)).len(), 1, "{text}");
        }
    }

    #[test]
    fn names_that_only_contain_one_are_fine() {
        let text = "struct Database; struct Informed; mod commonplace {} fn handler() {}";
        assert!(check(&Tree::of("crates/sim/src/a.rs", text)).is_empty());
    }
}
