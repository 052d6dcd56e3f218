//! What holds for all conditions, whatever the values.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

struct One(Option<Value>);

impl Facts for One {
    fn property(&self, _: Scope, _: &str) -> Option<Value> {
        self.0.clone()
    }
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::from),
        (-3_i64..12).prop_map(Value::from),
        any::<f64>().prop_map(Value::from).prop_filter("json has no NaN", |value| !value.is_null()),
        "[a-cA-C0-9 .:T-]{0,6}".prop_map(Value::from),
        "\\PC{0,6}".prop_map(Value::from),
        Just(json!("2026-03-02")),
        Just(json!("1.2.3")),
    ]
}

fn found() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => scalar(),
        1 => prop::collection::vec(scalar(), 0..3).prop_map(Value::from),
        1 => scalar().prop_map(|value| json!({ "a": value })),
    ]
}

fn leaf() -> impl Strategy<Value = Filter> {
    let operator = prop::sample::select(Operator::ALL.map(|(_, name)| name).to_vec());
    (operator, scalar()).prop_filter_map("not every value suits every operator", |(operator, value)| {
        Filter::read(&json!({ "key": "k", "operator": operator, "value": value }), "").ok()
    })
}

fn parts() -> impl Strategy<Value = Vec<Part>> {
    let part = leaf().prop_map(Part::Filter).prop_recursive(3, 12, 4, |inner| {
        (any::<bool>(), prop::collection::vec(inner, 1..4))
            .prop_map(|(all, parts)| Part::Group(if all { Filters::all(parts) } else { Filters::any(parts) }))
    });
    prop::collection::vec(part, 1..4)
}

const PAIRS: [(&str, &str); 7] = [
    ("exact", "is_not"),
    ("in", "not_in"),
    ("icontains", "not_icontains"),
    ("icontains_multi", "not_icontains_multi"),
    ("regex", "not_regex"),
    ("semver_eq", "semver_neq"),
    ("is_set", "is_not_set"),
];

proptest! {
    #[test]
    fn negated_operators_are_complements(pair in 0..PAIRS.len(), wanted in scalar(), found in prop::option::of(found())) {
        let (plain, negated) = PAIRS[pair];
        let read = |operator| Filter::read(&json!({ "key": "k", "operator": operator, "value": wanted }), "");
        if let (Ok(plain), Ok(negated)) = (read(plain), read(negated)) {
            let now = Time::from_millis(0);
            prop_assert_ne!(plain.holds(found.as_ref(), now), negated.holds(found.as_ref(), now));
        }
    }

    #[test]
    fn a_range_and_its_outside_are_complements_of_a_set_property(low in -5..5, width in 0..5, found in found()) {
        let read = |operator: &str| {
            Filter::read(&json!({ "key": "k", "operator": operator, "value": [low, low + width] }), "").expect("a range")
        };
        let now = Time::from_millis(0);
        prop_assert_ne!(read("between").holds(Some(&found), now), read("not_between").holds(Some(&found), now));
    }

    #[test]
    fn and_means_all_and_or_means_any(parts in parts(), found in prop::option::of(found())) {
        let (facts, now) = (One(found), Time::from_millis(1_772_409_600_000));
        let each: Vec<bool> = parts.iter().map(|part| part.matches(&facts, now)).collect();
        prop_assert_eq!(Filters::all(parts.clone()).matches(&facts, now), each.iter().all(|one| *one));
        prop_assert_eq!(Filters::any(parts).matches(&facts, now), each.iter().any(|one| *one));
    }

    #[test]
    fn a_reason_is_given_exactly_when_it_fails(parts in parts(), found in prop::option::of(found())) {
        let (facts, now) = (One(found), Time::from_millis(1_772_409_600_000));
        for filters in [Filters::all(parts.clone()), Filters::any(parts)] {
            prop_assert_eq!(filters.matches(&facts, now), filters.why_not(&facts, now).is_none());
        }
    }

    #[test]
    fn conditions_survive_writing(parts in parts()) {
        let filters = Filters::any(parts);
        let written = serde_json::to_value(&filters).expect("json");
        prop_assert_eq!(Filters::read(&written, "").expect("conditions"), filters);
    }

    #[test]
    fn nothing_makes_reading_or_asking_panic(key in "\\PC{0,8}", operator in "[a-z_]{0,12}", value in found(), found in found()) {
        let written = json!([{ "key": key, "operator": operator, "value": value }]);
        if let Ok(filters) = Filters::read(&written, "") {
            let _ = filters.matches(&One(Some(found)), Time::from_millis(i64::MAX));
        }
    }
}
