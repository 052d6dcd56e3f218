use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

use super::*;

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Shop {
    name: String,
    #[serde(default)]
    open: bool,
    #[serde(default)]
    shelves: Vec<Shelf>,
    #[serde(default)]
    kind: Option<Kind>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Shelf {
    label: String,
    height: u8,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Corner,
    Market,
}

fn faults(text: &str) -> Vec<(String, usize, usize, String)> {
    let problems = read::<Shop>(text).expect_err("a fault").0;
    let told = problems.into_iter();
    told.map(|p| {
        let place = p.place.expect("a place");
        let said = if p.remedy.is_empty() { p.message } else { format!("{}; {}", p.message, p.remedy) };
        (p.path, place.line, place.column, said)
    })
    .collect()
}

#[test]
fn every_fault_is_told_with_its_place_and_cure() {
    let text = "nmae: x\nopen: perhaps\nkind: cornr\nshelves:\n  - { label: a, height: 300 }\n  - { label: b, hieght: 3 }\n  - { label: c, height: 1 }\n  - label: d\n";
    let told = faults(text);
    let expected = [
        ("nmae", 1, 1, "`nmae` is not a key here; did you mean `name`?"),
        ("open", 2, 7, "expected a boolean, and here is “perhaps”"),
        ("kind", 3, 7, "`cornr` is not known here; did you mean `corner`?"),
        ("shelves[0].height", 5, 25, "expected a whole number from 0 to 255, and here is the number 300"),
        ("shelves[1].hieght", 6, 17, "`hieght` is not a key here; did you mean `height`?"),
        ("shelves[3]", 8, 5, "`height` is missing; add `height:`"),
    ];
    let expected: Vec<_> = expected.map(|(p, l, c, m)| (p.to_owned(), l, c, m.to_owned())).into();
    assert_eq!(told, expected);
}

#[test]
fn yaml_that_cannot_be_read_says_where() {
    for text in ["name: [a", "name: a\nname: b", "name: \"a", "\tname: a\n- x", "a: b: c"] {
        let problems = read::<Shop>(text).expect_err(text).0;
        assert_eq!(problems.len(), 1, "{text}");
        assert_eq!(problems[0].code, "unreadable_document", "{text}");
        assert!(problems[0].place.is_some(), "{text}: {problems:?}");
    }
}

#[test]
fn json_is_read_like_yaml() {
    let shop: Shop = read(r#"{"name":"x","open":true,"kind":"market"}"#).expect("a shop");
    assert_eq!(shop, Shop { name: "x".to_owned(), open: true, shelves: vec![], kind: Some(Kind::Market) });
}

#[test]
fn texts_that_look_like_something_else_stay_texts() {
    let value: Value = read("a: NO\nb: on\nc: 09:00\nd: 2026-03-01\ne: 1e3\nf: ~\ng: 007x\nh: y").expect("a map");
    assert_eq!(
        value,
        json!({ "a": "NO", "b": "on", "c": "09:00", "d": "2026-03-01", "e": 1000.0, "f": null, "g": "007x", "h": "y" })
    );
    let shop: Shop = read("name: 2024").expect("a shop");
    assert_eq!(shop.name, "2024");
}

#[test]
fn what_is_too_large_or_too_deep_is_refused() {
    let large = format!("name: {}", "x".repeat(10 << 20));
    assert_eq!(read::<Shop>(&large).expect_err("too large").0[0].code, "document_too_large");
    let sound = format!("{}{}", "[".repeat(MOST_DEPTH - 1), "]".repeat(MOST_DEPTH - 1));
    assert!(read::<Value>(&sound).is_ok());
    let deep = format!("name: {}", "[".repeat(100_000));
    assert_eq!(read::<Shop>(&deep).expect_err("too deep").0[0].code, "unreadable_document");
    let maps: String = (0..200).map(|n| format!("{}a:\n", " ".repeat(n))).collect();
    assert!(read::<Value>(&maps).is_err());
    let mut laughs = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (n, name) in ["b", "c", "d", "e", "f", "g", "h"].iter().enumerate() {
        let before = ["a", "b", "c", "d", "e", "f", "g"][n];
        let uses = vec![format!("*{before}"); 10].join(", ");
        laughs.push_str(&format!("{name}: &{name} [{uses}]\n"));
    }
    assert!(read::<Value>(&laughs).is_err());
}

#[test]
fn at_most_a_page_of_faults_is_told() {
    let text: String = (0..500).map(|n| format!("key_{n}: x\n")).collect();
    assert!(faults(&text).len() <= 30);
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[ a-z0-9:{}\\[\\],&*!|>'\"#%@`\\-\\n\\t~?]{0,200}") {
        let _ = read::<Shop>(&text);
        let _ = read::<Value>(&text);
    }
}
