//! Every template of the corpus prints what the reference implementation prints for it, or
//! what the corpus gives a reason for.

use hogwire_model::Time;
use hogwire_model::template::{Escape, Liquid, Scope};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Corpus {
    context: Value,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    template: String,
    context: Option<Value>,
    /// What the reference prints; nothing where it refuses.
    expected: Option<String>,
    /// What ours prints instead, with the reason.
    ours: Option<String>,
    why: Option<String>,
}

#[test]
fn ours_prints_what_the_reference_prints() {
    let corpus: Corpus = serde_json::from_str(include_str!("liquid/corpus.json")).expect("a corpus");
    assert!(corpus.cases.len() >= 150, "the corpus has shrunk");
    let now = Time::parse("2026-03-02T22:30:00Z").expect("a time");
    let nobody = json!({});
    let mut wrong = Vec::new();
    for case in &corpus.cases {
        let scope = Scope::new(&nobody, case.context.as_ref().unwrap_or(&corpus.context), now);
        let scope = match case.context.as_ref().and_then(|context| context.get("Profile")) {
            Some(profile) => Scope::new(profile, &nobody, now),
            None => scope,
        };
        let ours = match Liquid::parse(&case.template, Escape::None) {
            Ok(liquid) => liquid.render(&scope).map(|rendered| rendered.text).map_err(|error| error.to_string()),
            Err(problem) => Err(format!("{problem:?}")),
        };
        assert_eq!(case.ours.is_some(), case.why.is_some(), "{}: a difference needs its reason", case.name);
        assert_ne!(
            case.ours,
            case.expected.clone().filter(|_| case.ours.is_some()).or(Some(String::from("\0"))),
            "{}: no difference",
            case.name
        );
        let wanted = case.ours.as_ref().or(case.expected.as_ref());
        if ours.as_ref().ok() != wanted {
            wrong.push(format!("{}: {}\n  ours   {ours:?}\n  wanted {wanted:?}", case.name, case.template));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), corpus.cases.len(), wrong.join("\n"));
}
