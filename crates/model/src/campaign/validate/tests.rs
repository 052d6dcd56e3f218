use super::*;
use crate::campaign::stage::campaign;
use crate::problem::Severity;

const TEMPLATES: &[KnownTemplate<'static>] = &[("welcome", &[]), ("offer", &[])];

fn known() -> Known<'static> {
    Known {
        templates: TEMPLATES,
        senders: &["default", "sales"],
        topics: &["product"],
        events: &["began", "paid", "checkout_started"],
        attributes: &["plan", "renewal"],
    }
}

/// `error code @ path` of every problem.
fn told(text: &str) -> Vec<String> {
    let problems = validate(&campaign(text), &known()).0;
    let words = problems.iter().map(|p| {
        let kind = if p.severity == Severity::Error { "error" } else { "warning" };
        assert!(!p.message.is_empty() && !p.remedy.is_empty(), "{p:?}");
        format!("{kind} {} @ {}", p.code, p.path)
    });
    words.collect()
}

fn with(steps: &str) -> Vec<String> {
    told(&format!("name: c\ntrigger: {{ event: began }}\nsteps: {steps}"))
}

#[test]
fn a_sound_campaign_has_nothing_to_tell() {
    assert!(
        with("[ { email: { template: welcome, sender: sales, topic: product } }, { wait: 3d }, { exit: done } ]")
            .is_empty()
    );
}

#[test]
fn steps_that_cannot_work_are_errors() {
    for (steps, expected) in [
        ("[]", "error steps_missing @ steps"),
        ("[ { email: { template: welcme } } ]", "error template_missing @ steps[0].email.template"),
        ("[ { email: { template: welcome, sender: nobody } } ]", "error sender_missing @ steps[0].email.sender"),
        ("[ { email: { template: welcome, expires: 0s } } ]", "error span_not_positive @ steps[0].email.expires"),
        ("[ { exit: a }, { wait: 1d } ]", "error unreachable_step @ steps[1]"),
        (
            "[ { branch: [ { when: [], steps: [ { exit: a } ] } ], else: [ { exit: b } ] }, { wait: 1d } ]",
            "error unreachable_step @ steps[1]",
        ),
        (
            "[ { wait_for: { event: paid, timeout: 1h }, then: [ { exit: a }, { wait: 1d } ] } ]",
            "error unreachable_step @ steps[0].then[1]",
        ),
        ("[ { id: a, wait: 1d }, { id: a, wait: 2d } ]", "error step_id_taken @ steps[1]"),
        ("[ { id: 2.then.0, wait: 1d } ]", "error step_id_invalid @ steps[0]"),
        ("[ { wait: -1d } ]", "error span_not_positive @ steps[0].wait"),
        ("[ { wait: { window: { from: \"17:00\", to: \"09:00\" } } } ]", "error window_empty @ steps[0].wait.window"),
        ("[ { wait_for: { event: paid, timeout: 0s } } ]", "error span_not_positive @ steps[0].wait_for.timeout"),
        (
            "[ { wait_for: { event: paid, timeout: 1h, match: { a: trigger. } } } ]",
            "error match_names_nothing @ steps[0].wait_for.match.a",
        ),
        (
            "[ { wait_for: { event: paid, timeout: 1h, match: { a: \"\" } } } ]",
            "error match_names_nothing @ steps[0].wait_for.match.a",
        ),
        ("[ { branch: [] } ]", "error branch_empty @ steps[0].branch"),
        ("[ { split: { variants: [] } } ]", "error split_invalid @ steps[0].split"),
        ("[ { split: { variants: [ { name: a }, { name: a } ] } } ]", "error split_invalid @ steps[0].split"),
        ("[ { split: { holdout: 100, variants: [ { name: a } ] } } ]", "error split_invalid @ steps[0].split.holdout"),
        ("[ { split: { variants: [ { name: a, weight: -1 } ] } } ]", "error split_invalid @ steps[0].split"),
        ("[ { repeat: { times: 101, steps: [ { wait: 1d } ] } } ]", "error loop_unbounded @ steps[0].repeat.times"),
        ("[ { repeat: { times: 0, steps: [ { wait: 1d } ] } } ]", "error loop_unbounded @ steps[0].repeat.times"),
        (
            "[ { repeat: { times: 90, steps: [ { repeat: { times: 90, steps: [ { wait: 1d } ] } } ] } } ]",
            "error loop_unbounded @ steps",
        ),
        ("[ { repeat: { times: 2, steps: [] } } ]", "error loop_empty @ steps[0].repeat"),
        ("[ { webhook: { url: ftp://x } } ]", "error url_invalid @ steps[0].webhook.url"),
        ("[ { webhook: { method: FETCH, url: https://x } } ]", "error method_invalid @ steps[0].webhook.method"),
        ("[ { set_attribute: {} } ]", "error attribute_missing @ steps[0].set_attribute"),
        ("[ { posthog_event: { event: \"\" } } ]", "error event_missing @ steps[0].posthog_event"),
        ("[ { enroll: { campaign: \" \" } } ]", "error campaign_missing @ steps[0].enroll"),
        ("[ { add_to_list: vips } ]", "error not_available_yet @ steps[0].add_to_list"),
        ("[ { remove_from_list: vips } ]", "error not_available_yet @ steps[0].remove_from_list"),
        ("[ { digest: { every: 1d } } ]", "error not_available_yet @ steps[0].digest"),
        (
            "[ { repeat: { times: 2, steps: [ { wait: 1d }, { throttle: { per: 1d } } ] } } ]",
            "error not_available_yet @ steps[0].repeat.steps[1].throttle",
        ),
    ] {
        assert_eq!(with(steps), [expected], "{steps}");
    }
}

#[test]
fn doubts_are_warnings() {
    for (steps, expected) in [
        ("[ { email: { template: welcome, topic: news } } ]", "warning topic_unknown @ steps[0].email.topic"),
        ("[ { wait_for: { event: pade, timeout: 1h } } ]", "warning event_not_seen @ steps[0].wait_for.event"),
        ("[ { wait: contact.renewl - 3d } ]", "warning attribute_unknown @ steps[0].wait.until"),
        (
            "[ { repeat: { times: 2, steps: [ { posthog_event: { event: a } } ] } } ]",
            "warning loop_without_wait @ steps[0].repeat",
        ),
    ] {
        assert_eq!(with(steps), [expected], "{steps}");
    }
}

#[test]
fn the_head_is_looked_at_too() {
    for (head, expected) in [
        ("name: \" \"\ntrigger: { event: began }", "error name_missing @ name"),
        ("name: c\npriority: 101\ntrigger: { event: began }", "error priority_out_of_range @ priority"),
        ("name: c\ntrigger: { event: chekout_started }", "warning event_not_seen @ trigger.event"),
        ("name: c\ntrigger: { event: began }\nentry: { once_per: 0d }", "error span_not_positive @ entry.once_per"),
        (
            "name: c\ntrigger: { event: began }\ngoal: { event: paid, within: -1d }",
            "error span_not_positive @ goal.within",
        ),
        ("name: c\ntrigger: { event: began }\nexit_on: [ { event: \"\" } ]", "error event_missing @ exit_on[0].event"),
        ("name: c\ntrigger: { api: true }\nexit_on: [ { event: paid, match: { a: trigger.a } } ]", ""),
        (
            "name: c\ntrigger: { inactive: { for: 3d } }\nexit_on: [ { event: paid, match: { a: trigger.a } } ]",
            "error match_names_nothing @ exit_on[0].match.a",
        ),
        (
            "name: c\ntrigger: { nth: { event: paid, count: 0, within: 3d } }",
            "error count_out_of_range @ trigger.nth.count",
        ),
        (
            "name: c\ntrigger: { without: { event: paid, then_not: paid, within: 3d } }",
            "error never_fires @ trigger.without.then_not",
        ),
        ("name: c\ntrigger: { entered: { segment: trials } }", "error not_available_yet @ trigger"),
        (
            "name: c\ntrigger: { date: { attribute: renewal, audience: vips } }",
            "error not_available_yet @ trigger.date.audience",
        ),
        (
            "name: c\ntrigger: { schedule: { cron: \"never\", audience: [] } }",
            "error schedule_invalid @ trigger.schedule.cron",
        ),
    ] {
        let expected: Vec<&str> = Some(expected).into_iter().filter(|text| !text.is_empty()).collect();
        assert_eq!(told(&format!("{head}\nsteps: [ {{ exit: x }} ]")), expected, "{head}");
    }
}

#[test]
fn an_unknown_variable_warns_and_refuses_when_strict() {
    let variables = ["contact.plan", "contact.nickname", "event.total", "anything"].map(str::to_owned);
    let templates: &[KnownTemplate<'_>] = &[("welcome", &variables)];
    let known = Known { templates, ..known() };
    for (strict, severity) in [(false, Severity::Warning), (true, Severity::Error)] {
        let text = format!(
            "name: c\nstrict: {strict}\ntrigger: {{ event: began }}\nsteps: [ {{ email: {{ template: welcome }} }} ]"
        );
        let problems = validate(&campaign(&text), &known).0;
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!((problems[0].code.as_str(), problems[0].severity), ("variable_unknown", severity));
        assert!(problems[0].message.contains("contact.nickname"));
    }
}

#[test]
fn near_names_are_suggested() {
    let problems = validate(
        &campaign("name: c\ntrigger: { event: chekout_started }\nsteps: [ { email: { template: welcom } } ]"),
        &known(),
    );
    let remedies: Vec<_> = problems.0.iter().map(|p| p.remedy.as_str()).collect();
    assert_eq!(remedies, ["did you mean `checkout_started`?", "did you mean `welcome`?"]);
}

#[test]
fn a_campaign_of_too_many_steps_is_refused() {
    let many = vec!["{ wait: 1d }"; MOST_STEPS + 1].join(", ");
    assert_eq!(with(&format!("[ {many} ]")), ["error too_many_steps @ steps"]);
}
