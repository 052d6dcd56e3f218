use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;

struct One(Option<Value>);

impl Facts for One {
    fn property(&self, _: Scope, _: &str) -> Option<Value> {
        self.0.clone()
    }
}

struct Many(BTreeMap<(Scope, &'static str), Value>);

impl Facts for Many {
    fn property(&self, scope: Scope, key: &str) -> Option<Value> {
        self.0.get(&(scope, key)).cloned()
    }
}

fn now() -> Time {
    Time::parse("2026-03-31T12:00:00Z").expect("a time")
}

fn filter(operator: &str, value: Value) -> Filter {
    let written = json!({ "key": "k", "operator": operator, "value": value });
    Filter::read(&written, "").unwrap_or_else(|problems| panic!("{written}: {problems:?}"))
}

fn holds(operator: &str, wanted: Value, found: Value) -> bool {
    filter(operator, wanted).matches(&One(Some(found)), now())
}

#[test]
fn operators_on_values() {
    for (operator, wanted, found, expected) in [
        ("exact", json!("pro"), json!("pro"), true),
        ("exact", json!("pro"), json!("Pro"), false),
        ("exact", json!(["free", "pro"]), json!("pro"), true),
        ("exact", json!("10"), json!(10), true),
        ("exact", json!(10), json!("10.0"), true),
        ("exact", json!("01234"), json!("1234"), false),
        ("exact", json!("true"), json!(true), true),
        ("exact", json!(true), json!("True"), true),
        ("exact", json!(true), json!("yes"), false),
        ("exact", json!(9_007_199_254_740_993_i64), json!(9_007_199_254_740_992_i64), false),
        ("exact", json!("b"), json!(["a", "b"]), true),
        ("exact", json!(""), json!(""), true),
        ("is_not", json!(["free", "pro"]), json!("pro"), false),
        ("is_not", json!("free"), json!("pro"), true),
        ("in", json!(["a", 2]), json!(2), true),
        ("not_in", json!(["a", 2]), json!("2"), false),
        ("icontains", json!("CORP"), json!("Acme corp."), true),
        ("icontains", json!("é"), json!("CAFÉ"), true),
        ("icontains", json!(5), json!(152), true),
        ("not_icontains", json!("corp"), json!("Acme"), true),
        ("icontains_multi", json!(["x", "acme"]), json!("Acme"), true),
        ("not_icontains_multi", json!(["x", "acme"]), json!("Acme"), false),
        ("regex", json!("^a.c$"), json!("abc"), true),
        ("regex", json!("^a.c$"), json!("ABC"), false),
        ("regex", json!("(?i)^a.c$"), json!("ABC"), true),
        ("regex", json!("b"), json!({ "a": "b" }), true),
        ("not_regex", json!("^a"), json!("ba"), true),
        ("gt", json!(50), json!("72.5"), true),
        ("gt", json!("9"), json!("10"), true),
        ("gt", json!(50), json!(50), false),
        ("gt", json!(50), json!("many"), false),
        ("gt", json!(0), json!(true), false),
        ("gt", json!("2026-01-01"), json!("2026-02-01"), true),
        ("gte", json!(50), json!(50), true),
        ("lt", json!(50), json!(-1), true),
        ("lte", json!("50"), json!(50.0), true),
        ("min", json!(50), json!(50), true),
        ("max", json!(50), json!(51), false),
        ("between", json!([1, 10]), json!("10"), true),
        ("between", json!([1, 10]), json!(11), false),
        ("not_between", json!([1, 10]), json!(11), true),
        ("not_between", json!([1, 10]), json!("text"), true),
        ("is_set", Value::Null, json!(""), true),
        ("is_not_set", Value::Null, json!(0), false),
    ] {
        assert_eq!(holds(operator, wanted.clone(), found.clone()), expected, "{found} {operator} {wanted}");
    }
}

#[test]
fn dates_are_compared_by_day_or_instant() {
    for (operator, wanted, found, expected) in [
        ("is_date_exact", "2026-03-02", "2026-03-02T23:59:59Z", true),
        ("is_date_exact", "2026-03-02", "2026-03-03T00:00:00Z", false),
        ("is_date_exact", "2026-03-02T10:00:00Z", "2026-03-02T11:00:00.250+01:00", true),
        ("is_date_exact", "-1d", "2026-03-30T01:00:00Z", true),
        ("is_date_before", "2026-03-02", "2026-03-01T23:59:59Z", true),
        ("is_date_before", "2026-03-02", "2026-03-02T00:00:00Z", false),
        ("is_date_after", "2026-03-02", "2026-03-02T23:00:00Z", false),
        ("is_date_after", "2026-03-02", "2026-03-03", true),
        ("is_date_after", "-7d", "2026-03-24T12:00:01Z", true),
        ("is_date_after", "7d", "2026-03-24T11:59:59Z", false),
        ("is_date_before", "-1m", "2026-02-28T11:00:00Z", true),
        ("is_date_before", "-1y", "2025-04-01", false),
        ("is_date_after", "-30M", "2026-03-31T11:45:00Z", true),
        ("is_date_before", "+2h", "2026-03-31T13:59:00Z", true),
        ("is_date_after", "-7d", "soon", false),
    ] {
        assert_eq!(holds(operator, json!(wanted), json!(found)), expected, "{found} {operator} {wanted}");
    }
    assert!(holds("is_date_exact", json!("2026-03-02"), json!(1_772_409_600)), "seconds");
    assert!(holds("is_date_exact", json!("2026-03-02"), json!(1_772_409_600_000_i64)), "milliseconds");
}

#[test]
fn versions() {
    for (operator, wanted, found, expected) in [
        ("semver_eq", "1.2.3", "v1.2.3-beta", true),
        ("semver_neq", "1.2", "1.2.0", false),
        ("semver_gt", "1.9.0", "1.10.0", true),
        ("semver_gte", "1.9", "1.9.0", true),
        ("semver_lt", "2", "1.99.99", true),
        ("semver_lte", "2", "2.0.1", false),
        ("semver_tilde", "1.2.3", "1.2.9", true),
        ("semver_tilde", "1.2.3", "1.3.0", false),
        ("semver_caret", "1.2.3", "1.9.0", true),
        ("semver_caret", "0.2.3", "0.3.0", false),
        ("semver_wildcard", "1.2.*", "1.2.77", true),
        ("semver_wildcard", "1.*", "2.0.0", false),
        ("semver_gt", "1.0.0", "none", false),
    ] {
        assert_eq!(holds(operator, json!(wanted), json!(found)), expected, "{found} {operator} {wanted}");
    }
}

#[test]
fn an_absent_property_meets_only_the_negated_operators() {
    for (operator, wanted, expected) in [
        ("exact", json!("a"), false),
        ("is_not", json!("a"), true),
        ("not_in", json!(["a"]), true),
        ("icontains", json!("a"), false),
        ("not_icontains", json!("a"), true),
        ("not_regex", json!("a"), true),
        ("lt", json!(1), false),
        ("not_between", json!([1, 2]), false),
        ("is_date_before", json!("2030-01-01"), false),
        ("is_set", Value::Null, false),
        ("is_not_set", Value::Null, true),
    ] {
        let filter = filter(operator, wanted);
        assert_eq!(filter.matches(&One(None), now()), expected, "{operator}");
        assert_eq!(filter.matches(&One(Some(Value::Null)), now()), expected, "{operator} of null");
    }
}

/// Conditions, where the problem lies, and what its sentence says.
const REFUSED: [(&str, &str, &str); 20] = [
    (r#"[{"key":"a","operator":"exakt","value":1}]"#, "where[0].operator", "did you mean `exact`"),
    (r#"[{"key":"a","operator":"flag_evaluates_to","value":true}]"#, "where[0].operator", "cannot do yet"),
    (r#"[{"key":"a","operator":"is_cleaned_path_exact","value":"/"}]"#, "where[0].operator", "`regex`"),
    (r#"[{"key":"a","value":1,"type":"cohort"}]"#, "where[0].type", "not available yet"),
    (r#"[{"key":"a","value":1,"type":"persn"}]"#, "where[0].type", "did you mean `person`"),
    (r#"[{"key":"a","valeu":1}]"#, "where[0]", "did you mean `value`"),
    (r#"[{"value":1}]"#, "where[0].key", "`key`"),
    (r#"[{"key":"a"}]"#, "where[0].value", "is_not_set"),
    (r#"[{"key":"a","operator":"regex","value":"("}]"#, "where[0].value", "not a regular expression"),
    (r#"[{"key":"a","operator":"regex","value":"(a{1000}){1000}"}]"#, "where[0].value", "not a regular"),
    (r#"[{"key":"a","operator":"gt","value":[1,2]}]"#, "where[0].value", "one value"),
    (r#"[{"key":"a","operator":"gt","value":true}]"#, "where[0].value", "no order"),
    (r#"[{"key":"a","operator":"between","value":[2,1]}]"#, "where[0].value", "lower number first"),
    (r#"[{"key":"a","operator":"is_date_after","value":"soon"}]"#, "where[0].value", "-7d"),
    (r#"[{"key":"a","operator":"semver_gt","value":"x"}]"#, "where[0].value", "version"),
    (r#"[{"key":"a","value":{}}]"#, "where[0].value", "takes text"),
    (r#"[{"key":"a","value":1,"negation":true}]"#, "where[0]", "is_not"),
    (r#"[{"type":"NOT","values":[]}]"#, "where[0]", "AND or OR"),
    (r#"{"type":"OR","values":[]}"#, "where", "never hold"),
    (r#""all""#, "where", "a list"),
];

#[test]
fn what_cannot_be_asked_is_refused_with_a_sentence() {
    for (written, path, part) in REFUSED {
        let value: Value = serde_json::from_str(written).expect("json");
        let problems = Filters::read(&value, "where").expect_err(written).0;
        assert_eq!(problems[0].path, path, "{written}");
        let message = &problems[0].message;
        assert!(message.contains(part), "{written}: {message}");
    }
}

#[test]
fn every_problem_is_named_at_once() {
    let written = json!([{ "key": "a", "operator": "gtt", "value": 1 }, { "type": "OR", "values": [{ "key": "" }] }]);
    let problems = Filters::read(&written, "").expect_err("two mistakes").0;
    let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(paths, ["[0].operator", "[1].values[0].key"]);
}

#[test]
fn depth_and_number_are_bounded() {
    let mut nested = json!([{ "key": "a", "value": 1 }]);
    for _ in 0..100 {
        nested = json!({ "type": "AND", "values": [nested] });
    }
    assert!(Filters::read(&nested, "").is_err());
    let many = Value::Array(vec![json!({ "key": "a", "value": 1 }); MAX_CONDITIONS + 1]);
    assert!(Filters::read(&many, "").is_err());
}

#[test]
fn groups_nest_and_the_first_failure_is_told() {
    let written = json!([
        { "key": "plan", "operator": "exact", "value": "free", "type": "person" },
        { "type": "or", "values": [
            { "key": "cart_value", "operator": "gt", "value": 50 },
            [{ "key": "vip", "value": true, "type": "contact" }, { "key": "opened", "value": "welcome", "type": "message" }]
        ] }
    ]);
    let filters: Filters = serde_json::from_value(written).expect("conditions");
    let mut facts = Many(BTreeMap::from([
        ((Scope::Contact, "plan"), json!("free")),
        ((Scope::Contact, "vip"), json!("true")),
        ((Scope::Message, "opened"), json!(["recovery", "welcome"])),
    ]));
    assert!(filters.matches(&facts, now()));
    assert_eq!(filters.why_not(&facts, now()), None);
    facts.0.remove(&(Scope::Message, "opened"));
    let mismatch = filters.why_not(&facts, now()).expect("a reason");
    assert_eq!(
        serde_json::to_value(mismatch).expect("json"),
        json!({ "type": "event", "key": "cart_value", "operator": "gt", "wanted": 50, "found": null })
    );
    assert_eq!(filters.keys(Scope::Contact).into_iter().collect::<Vec<_>>(), ["plan", "vip"]);
    assert!(filters.keys(Scope::Account).is_empty());
}

#[test]
fn writing_and_reading_again_changes_nothing() {
    let written = json!({ "type": "OR", "values": [
        { "key": "a", "operator": "is_set", "value": "ignored", "label": null },
        { "type": "AND", "values": [{ "key": "b", "value": [1, "2"], "type": "group" }] }
    ] });
    let filters: Filters = serde_json::from_value(written).expect("conditions");
    let again = serde_json::to_value(&filters).expect("json");
    assert_eq!(
        again,
        json!({ "type": "OR", "values": [
            { "key": "a", "operator": "is_set", "type": "event" },
            [{ "key": "b", "value": [1, "2"], "operator": "exact", "type": "account" }]
        ] })
    );
    assert_eq!(serde_json::from_value::<Filters>(again).expect("conditions"), filters);
}

#[test]
fn every_operator_is_in_the_schema_and_has_one_name() {
    let schema = serde_json::to_string(&schemars::schema_for!(Filters)).expect("json");
    for (operator, name) in Operator::ALL {
        assert!(schema.contains(&format!("\"{name}\"")), "{name}");
        assert_eq!(Operator::parse(name), Ok(operator));
        assert_eq!(operator.as_str(), name);
    }
}
