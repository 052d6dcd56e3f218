use super::*;

pub(super) const CHECKOUT: &str = r#"
name: Checkout recovery
goal: { event: checkout_completed, within: 3d }
trigger:
  event: checkout_started
  where:                                  # PostHog property filters; a list means and
    - { key: cart_value, operator: gt, value: 50, type: event }
entry: { once_per: 7d, max_age: 1h }      # once | once_per | every
exit_on: [ { event: checkout_completed, match: { order_id: trigger.order_id } } ]
steps:
  - wait_for: { event: checkout_completed, match: { order_id: trigger.order_id }, timeout: 24h }
    then: [ { exit: bought } ]
  - email: { template: recovery, sender: default, topic: product }
  - wait: { until: next weekday 09:00, zone: contact }
  - branch:
      - when: [ { key: plan, operator: exact, value: free, type: contact } ]
        steps: [ { email: { template: recovery-discount } } ]
    else: [ { set_attribute: { recovered: false } } ]
"#;

#[test]
fn the_documented_example_is_read_as_written() {
    let (campaign, notes) = read(CHECKOUT).expect("a campaign");
    assert!(notes.0.is_empty());
    assert_eq!(campaign.steps.len(), 4);
    let program = Program::compile(&campaign);
    let ids: Vec<_> = program.nodes().iter().map(|n| n.id.as_str()).collect();
    assert_eq!(ids, ["0", "0.then.0", "1", "2", "3", "3.when.0.0", "3.else.0"]);
    let names: Vec<_> = program.trigger_events().collect();
    assert_eq!(names, ["checkout_completed", "checkout_started"]);
}

#[test]
fn what_is_written_wrongly_is_told_at_its_place_and_all_at_once() {
    let text = "name: x
trigger: { evnt: paid }
entry: { once_pre: 7d }
steps:
  - email: { tempalte: a }
  - wait: someday
  - wait_for: { event: paid }
  - { email: { template: a }, exit: b }
  - { wait: 1d, then: [] }
  - { exit: b, else: [] }
  - {}
  - branch:
      - when: [ { key: a, operator: gtt, value: 1 } ]
        steps: [ { exti: x } ]
";
    let problems = read(text).expect_err("it is wrong").0;
    let told: Vec<_> = problems
        .iter()
        .map(|p| {
            format!(
                "{}:{} {}",
                p.place.map_or(0, |place| place.line),
                p.path,
                if p.remedy.is_empty() { &p.message } else { &p.remedy }
            )
        })
        .collect();
    let expected = [
        "2:trigger.evnt did you mean `event`?",
        "3:entry.once_pre did you mean `once_per`?",
        "5:steps[0].email.tempalte did you mean `template`?",
        "6:steps[1].wait expected a wait like `3d`, `entry + 2d` or { until: next weekday 09:00 }, and here is “someday”",
        "7:steps[2].wait_for add `timeout:`",
        "8:steps[3] a step does one thing, and here are `email` and `exit`: make them steps of their own",
        "9:steps[4] `then` belongs to a `wait_for` step",
        "10:steps[5] `else` belongs to a `wait_for` or `branch` step",
        "11:steps[6] a step is one of email, webhook, posthog_event, set_attribute, wait, wait_for, branch, split, repeat, enroll, exit",
    ];
    assert_eq!(told[..9], expected);
    assert!(told[9].starts_with("13:steps[7].branch[0].when") && told[9].contains("gt"), "{}", told[9]);
    assert_eq!(told[10..], ["14:steps[7].branch[0].steps[0].exti did you mean `exit`?"]);
}

#[test]
fn the_schema_describes_what_is_read() {
    let schema = json_schema();
    let text = schema.to_string();
    for key in ["trigger", "wait_for", "once_per", "max_late", "then_not", "posthog_event", "holdout"] {
        assert!(text.contains(&format!("\"{key}\"")), "{key}");
    }
    assert_eq!(schema["additionalProperties"], serde_json::json!(false));
    assert_eq!(schema["required"], serde_json::json!(["name", "trigger", "steps"]));
    let references: Vec<&str> =
        text.split("\"$ref\":\"#/$defs/").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    for name in references {
        assert!(schema["$defs"].get(name).is_some(), "{name} is described");
    }
}

#[test]
fn ids_and_labels_and_arrows_are_for_people() {
    let program = stage::steps(
        "[ { id: hello, email: { template: welcome } }, { split: { variants: [ { name: a, steps: [ { wait: 1d } ] }, { name: b } ] } }, { repeat: { times: 2, steps: [ { wait: 1h } ] } }, { exit: done } ]",
    );
    let nodes: Vec<_> = program.nodes().iter().map(|n| (n.id.as_str(), n.label.as_str())).collect();
    assert_eq!(
        nodes,
        [
            ("hello", "Email welcome"),
            ("1", "Split a / b"),
            ("1.split.a.0", "Wait 1d"),
            ("2", "Repeat 2 times"),
            ("2.repeat.0", "Wait 1h"),
            ("3", "Exit: done"),
        ]
    );
    let arrows: Vec<_> = program.edges().into_iter().map(|e| (e.from, e.to, e.label)).collect();
    let arrow = |from, to: usize, label: &str| (from, Some(to), label.to_owned());
    assert_eq!(
        arrows,
        [
            arrow(0, 1, ""),
            arrow(1, 2, "a"),
            arrow(1, 3, "b"),
            arrow(2, 3, ""),
            arrow(3, 4, "2 times"),
            arrow(3, 5, "then"),
            arrow(4, 3, ""),
        ]
    );
    assert_eq!(program.index_of("1.split.a.0"), Some(2));
    assert_eq!(program.index_of("nowhere"), None);
}

#[test]
fn codes_are_words_that_are_read_back() {
    for code in Code::ALL {
        assert_eq!(Code::parse(code.as_str()), Some(*code));
        assert_eq!(serde_json::to_value(code).expect("a word"), serde_json::json!(code.as_str()));
    }
    assert_eq!(Code::parse("nonsense"), None);
}
