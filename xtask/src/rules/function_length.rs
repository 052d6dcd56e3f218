//! A function fits on a screen: 70 lines from its name to its closing brace.

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::{Rule, Violation};
use crate::tree::Tree;

pub const RULE: Rule =
    Rule { name: "function-length", sentence: "A function has at most 70 lines; tests are exempt.", check };

const CAP: usize = 70;

fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for source in tree.sources.iter().filter(|source| !source.is_test) {
        let mut long = Long::default();
        long.visit_file(&source.syntax);
        for (name, line, length) in long.found {
            if !source.in_test(line) {
                let message = format!("`{name}` has {length} lines, the cap is {CAP}");
                found.push(Violation::new(&source.path, line, message));
            }
        }
    }
    found
}

#[derive(Default)]
struct Long {
    found: Vec<(String, usize, usize)>,
}

impl Long {
    fn measure(&mut self, signature: &syn::Signature, body: &syn::Block) {
        let (first, last) = (signature.span().start().line, body.span().end().line);
        let length = last + 1 - first;
        if length > CAP {
            self.found.push((signature.ident.to_string(), first, length));
        }
    }
}

impl<'ast> Visit<'ast> for Long {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.measure(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.measure(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(body) = &item.default {
            self.measure(&item.sig, body);
        }
        visit::visit_trait_item_fn(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_or_method_above_the_cap_is_refused() {
        let body = "\n    f();".repeat(69);
        let long = format!("struct A;\nimpl A {{\nfn long() {{{body}\n}}\n}}\nfn short() {{}}\n");
        let found = check(&Tree::of("crates/engine/src/a.rs", &long));
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].line, 3);
        assert!(check(&Tree::of("crates/engine/src/a/tests.rs", &long)).is_empty());
    }

    #[test]
    fn seventy_lines_are_fine() {
        let text = format!("fn f() {{{}\n}}\n", "\n    f();".repeat(68));
        assert!(check(&Tree::of("crates/engine/src/a.rs", &text)).is_empty());
    }
}
