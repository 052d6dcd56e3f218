//! One Rust file: its syntax tree, its tokens in a row, and which of its lines are tests.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// A token with its line. Doc comments are left out: they are prose.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    Word(String),
    Text(String),
    Mark(char),
}

pub struct Source {
    /// From the workspace's folder, with `/`.
    pub path: String,
    pub text: String,
    pub syntax: syn::File,
    pub is_test: bool,
    tokens: Vec<(Token, usize)>,
    test_lines: Vec<(usize, usize)>,
}

impl Source {
    pub fn parse(path: &str, text: &str) -> Result<Source, String> {
        let syntax = syn::parse_file(text)
            .map_err(|error| format!("{path}:{}: does not parse: {error}", error.span().start().line))?;
        let stream: TokenStream = text.parse().map_err(|error| format!("{path}: {error}"))?;
        let mut tokens = Vec::new();
        flatten(stream, &mut tokens);
        let mut finder = TestLines::default();
        finder.visit_file(&syntax);
        let name = path.rsplit('/').next().unwrap_or(path);
        let is_test = path.contains("/tests/") || name == "tests.rs" || name.ends_with("_tests.rs");
        Ok(Source { path: path.to_owned(), text: text.to_owned(), syntax, is_test, tokens, test_lines: finder.lines })
    }

    pub fn in_test(&self, line: usize) -> bool {
        self.is_test || self.test_lines.iter().any(|(first, last)| (*first..=*last).contains(&line))
    }

    /// Identifiers outside tests, with their lines.
    pub fn words(&self) -> impl Iterator<Item = (&str, usize)> {
        self.tokens.iter().filter_map(|(token, line)| match token {
            Token::Word(word) if !self.in_test(*line) => Some((word.as_str(), *line)),
            _ => None,
        })
    }

    /// String literals outside tests, with their lines.
    pub fn texts(&self) -> impl Iterator<Item = (&str, usize)> {
        self.tokens.iter().filter_map(|(token, line)| match token {
            Token::Text(text) if !self.in_test(*line) => Some((text.as_str(), *line)),
            _ => None,
        })
    }

    /// Paths such as `a::b::c` outside tests, those of `use` written out in full.
    pub fn paths(&self) -> Vec<(Vec<String>, usize)> {
        let mut found = Vec::new();
        let mut current: Vec<String> = Vec::new();
        let mut marks = 0;
        let mut last_line = 0;
        for (token, line) in &self.tokens {
            match token {
                Token::Mark(':') => marks += 1,
                Token::Word(word) => {
                    if marks != 2 && !current.is_empty() {
                        found.push((std::mem::take(&mut current), last_line));
                    }
                    current.push(word.clone());
                    last_line = *line;
                    marks = 0;
                }
                _ => {
                    if !current.is_empty() {
                        found.push((std::mem::take(&mut current), last_line));
                    }
                    marks = 0;
                }
            }
        }
        let mut uses = Uses::default();
        uses.visit_file(&self.syntax);
        found.extend(uses.found);
        found.retain(|(path, line)| path.len() > 1 && !self.in_test(*line));
        found.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
        found.dedup();
        found
    }

    /// Where the files of `#[cfg(test)] mod name;` lie, without `.rs`.
    pub fn test_modules(&self) -> Vec<String> {
        let stem = self.path.trim_end_matches(".rs");
        let (folder, name) = stem.rsplit_once('/').unwrap_or(("", stem));
        let base = if matches!(name, "lib" | "main" | "mod") { folder } else { stem };
        self.syntax
            .items
            .iter()
            .filter_map(|item| match item {
                syn::Item::Mod(module) if module.content.is_none() && is_test_only(&module.attrs) => {
                    Some(format!("{base}/{}", module.ident))
                }
                _ => None,
            })
            .collect()
    }
}

fn flatten(stream: TokenStream, into: &mut Vec<(Token, usize)>) {
    let mut rest = stream.into_iter().peekable();
    while let Some(tree) = rest.next() {
        let line = tree.span().start().line;
        match tree {
            TokenTree::Ident(word) => into.push((Token::Word(word.to_string()), line)),
            TokenTree::Literal(literal) => {
                if let Ok(text) = syn::parse_str::<syn::LitStr>(&literal.to_string()) {
                    into.push((Token::Text(text.value()), line));
                } else {
                    into.push((Token::Mark('0'), line));
                }
            }
            TokenTree::Punct(mark) if mark.as_char() == '#' && mark.spacing() == Spacing::Alone => {
                if rest.peek().is_some_and(is_doc) {
                    rest.next();
                } else if matches!(rest.peek(), Some(TokenTree::Punct(next)) if next.as_char() == '!') {
                    rest.next();
                    if rest.peek().is_some_and(is_doc) {
                        rest.next();
                    }
                } else {
                    into.push((Token::Mark('#'), line));
                }
            }
            TokenTree::Punct(mark) => into.push((Token::Mark(mark.as_char()), line)),
            TokenTree::Group(group) => {
                into.push((Token::Mark('('), line));
                flatten(group.stream(), into);
                into.push((Token::Mark(')'), line));
            }
        }
    }
}

fn is_doc(tree: &TokenTree) -> bool {
    match tree {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => {
            matches!(group.stream().into_iter().next(), Some(TokenTree::Ident(word)) if word == "doc")
        }
        _ => false,
    }
}

fn is_test_only(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let path = attribute.path();
        if path.segments.last().is_some_and(|segment| segment.ident == "test") {
            return true;
        }
        let syn::Meta::List(list) = &attribute.meta else {
            return false;
        };
        let inside = list.tokens.to_string();
        path.is_ident("cfg") && inside.contains("test") && !inside.contains("not")
    })
}

#[derive(Default)]
struct TestLines {
    lines: Vec<(usize, usize)>,
}

impl TestLines {
    fn note(&mut self, attributes: &[syn::Attribute], whole: &impl Spanned) {
        if is_test_only(attributes) {
            let span = whole.span();
            self.lines.push((span.start().line, span.end().line));
        }
    }
}

impl<'ast> Visit<'ast> for TestLines {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.note(&item.attrs, item);
        visit::visit_item_fn(self, item);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        self.note(&item.attrs, item);
        visit::visit_item_impl(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.note(&item.attrs, item);
        visit::visit_item_mod(self, item);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.note(&item.attrs, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.note(&item.attrs, item);
        visit::visit_impl_item_fn(self, item);
    }
}

#[derive(Default)]
struct Uses {
    found: Vec<(Vec<String>, usize)>,
}

impl<'ast> Visit<'ast> for Uses {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.expand(&item.tree, &mut Vec::new());
    }
}

impl Uses {
    fn expand(&mut self, tree: &syn::UseTree, before: &mut Vec<String>) {
        match tree {
            syn::UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.expand(&path.tree, before);
                before.pop();
            }
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.expand(item, before)),
            syn::UseTree::Name(name) => self.end(&name.ident, before),
            syn::UseTree::Rename(rename) => self.end(&rename.ident, before),
            syn::UseTree::Glob(glob) => self.found.push((before.clone(), glob.span().start().line)),
        }
    }

    fn end(&mut self, last: &syn::Ident, before: &[String]) {
        let mut whole = before.to_vec();
        whole.push(last.to_string());
        self.found.push((whole, last.span().start().line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::parse("crates/model/src/a.rs", text).expect("parses")
    }

    #[test]
    fn paths_are_seen_in_code_in_macros_and_in_nested_uses() {
        let source = source("use std::{env, io::{self, Read}};\nfn f() { println!(\"{}\", a::b::c()); }");
        let paths: Vec<String> = source.paths().iter().map(|(path, _)| path.join("::")).collect();
        assert!(paths.contains(&"std::env".to_owned()), "{paths:?}");
        assert!(paths.contains(&"std::io::Read".to_owned()), "{paths:?}");
        assert!(paths.contains(&"a::b::c".to_owned()), "{paths:?}");
    }

    #[test]
    fn doc_comments_are_no_text_and_tests_are_left_out() {
        let source = source(
            "//! head\n/// \"doc\"\nfn f() { g(\"kept\") }\n#[cfg(test)]\nmod tests {\n fn h() { g(\"gone\") }\n}\n",
        );
        assert_eq!(source.texts().map(|(text, _)| text).collect::<Vec<_>>(), ["kept"]);
    }
}
