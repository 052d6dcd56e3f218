//! A registry is a sorted list: two people who add to it do not collide, and a reader finds.
//!
//! Looks at what a function `all()` lists, and at the lines that follow a comment `// sorted` up to the
//! next empty line or closing bracket.

use quote::ToTokens;

use super::{Rule, Violation};
use crate::source::Source;
use crate::tree::Tree;

pub const RULE: Rule = Rule {
    name: "sorted-registries",
    sentence: "What `fn all()` lists is sorted, and so are lines under `// sorted`.",
    check,
};

fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for source in &tree.sources {
        for item in &source.syntax.items {
            if let syn::Item::Fn(function) = item
                && function.sig.ident == "all"
                && function.sig.inputs.is_empty()
            {
                let line = function.sig.ident.span().start().line;
                report(source, line, &elements(&function.block), &mut found);
            }
        }
        marked(source, &mut found);
    }
    found
}

fn report(source: &Source, line: usize, list: &[String], found: &mut Vec<Violation>) {
    if let Some(pair) = list.windows(2).find(|pair| pair[0] > pair[1]) {
        let message = format!("not sorted: `{}` stands before `{}`", pair[0], pair[1]);
        found.push(Violation::new(&source.path, line, message));
    }
}

/// The elements of the list that the function ends in; none where it does not end in a list.
fn elements(body: &syn::Block) -> Vec<String> {
    let Some(syn::Stmt::Expr(mut last, _)) = body.stmts.last().cloned() else {
        return Vec::new();
    };
    while let syn::Expr::Reference(reference) = last {
        last = *reference.expr;
    }
    match last {
        syn::Expr::Array(array) => array.elems.iter().map(|element| element.to_token_stream().to_string()).collect(),
        syn::Expr::Macro(call) if call.mac.path.is_ident("vec") => {
            let parser = syn::punctuated::Punctuated::<syn::Expr, syn::Token![,]>::parse_terminated;
            let list = call.mac.parse_body_with(parser).unwrap_or_default();
            list.iter().map(|element| element.to_token_stream().to_string()).collect()
        }
        _ => Vec::new(),
    }
}

fn marked(source: &Source, found: &mut Vec<Violation>) {
    let mut lines = source.text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        if line.trim() != "// sorted" {
            continue;
        }
        let list: Vec<String> = lines
            .by_ref()
            .map(|(_, line)| line.trim().trim_start_matches("pub(crate) ").trim_start_matches("pub ").to_owned())
            .take_while(|line| !line.is_empty() && !line.starts_with(['}', ']', ')']))
            .filter(|line| !line.starts_with("//") && !line.starts_with('#'))
            .collect();
        report(source, index + 1, &list, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> usize {
        check(&Tree::of("crates/engine/src/jobs/mod.rs", text)).len()
    }

    #[test]
    fn an_unsorted_registry_is_refused() {
        assert_eq!(count("pub fn all() -> &'static [Job] { &[sync::JOB, advance::JOB] }"), 1);
        assert_eq!(count("fn all() -> Vec<Job> { vec![b(), a()] }"), 1);
        assert_eq!(count("// sorted\nmod b;\npub mod a;\n"), 1);
    }

    #[test]
    fn a_sorted_one_is_fine() {
        assert_eq!(count("pub fn all() -> &'static [Job] { &[advance::JOB, sync::JOB] }"), 0);
        assert_eq!(count("// sorted\nmod a;\n// why\nmod b;\n\nmod a2;\n"), 0);
        assert_eq!(count("fn all() -> Vec<u8> { read() }\nmod z;\nmod a;\n"), 0);
    }
}
