use super::*;

fn campaign(text: &str) -> Campaign {
    crate::campaign::read(text).expect("a campaign").0
}

fn started_by(event: &str, filter: &str, step: &str) -> Campaign {
    campaign(&format!("name: c\ntrigger: {{ event: {event}, where: {filter} }}\nsteps: [ {step} ]"))
}

const MAIL: &str = "{ email: { template: t } }";

fn overlap(first: &str, second: &str) -> bool {
    let (a, b) = (started_by("paid", first, MAIL), started_by("paid", second, MAIL));
    !overlaps(&[("a", &a), ("b", &b)]).0.is_empty()
}

#[test]
fn two_campaigns_that_mail_for_one_event_are_told() {
    let (a, b) = (
        started_by("paid", "[]", MAIL),
        started_by("paid", "[]", "{ repeat: { times: 2, steps: [ { email: { template: t } } ] } }"),
    );
    let problems = overlaps(&[("first", &a), ("second", &b)]).0;
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].code, "campaigns_overlap");
    assert!(problems[0].message.contains("`first` and `second`") && problems[0].message.contains("`paid`"));
}

#[test]
fn no_overlap_without_mail_or_on_other_events_sources_or_in_the_archive() {
    let a = started_by("paid", "[]", MAIL);
    let quiet = started_by("paid", "[]", "{ exit: done }");
    let other = started_by("left", "[]", MAIL);
    let mut elsewhere = a.clone();
    elsewhere.connection = Some("shop".to_owned());
    let mut here = a.clone();
    here.connection = Some("app".to_owned());
    let mut archived = a.clone();
    archived.status = Some(Status::Archived);
    for pair in [(&a, &quiet), (&a, &other), (&here, &elsewhere), (&a, &archived)] {
        assert!(overlaps(&[("a", pair.0), ("b", pair.1)]).0.is_empty());
    }
}

#[test]
fn conditions_that_exclude_one_another_do_not_overlap() {
    let apart = [
        ("[ { key: plan, value: free } ]", "[ { key: plan, value: [pro, team] } ]"),
        ("[ { key: plan, value: free } ]", "[ { key: plan, operator: is_not, value: free } ]"),
        ("[ { key: n, operator: gt, value: 50 } ]", "[ { key: n, operator: lte, value: 50 } ]"),
        ("[ { key: n, operator: lt, value: 50 } ]", "[ { key: n, value: 50 } ]"),
        ("[ { key: plan, operator: is_not_set } ]", "[ { key: plan, operator: is_set } ]"),
    ];
    for (a, b) in apart {
        assert!(!overlap(a, b) && !overlap(b, a), "{a} / {b}");
    }
    let together = [
        ("[ { key: plan, value: free } ]", "[ { key: plan, value: [free, pro] } ]"),
        ("[ { key: n, operator: gte, value: 50 } ]", "[ { key: n, operator: lte, value: 50 } ]"),
        ("[ { key: plan, value: free } ]", "[ { key: plan, value: pro, type: contact } ]"),
        ("[ { key: plan, value: free } ]", "[ { key: colour, value: red } ]"),
        ("[ { key: n, value: 1 } ]", "[ { key: n, value: \"1\" } ]"),
    ];
    for (a, b) in together {
        assert!(overlap(a, b) && overlap(b, a), "{a} / {b}");
    }
}

#[test]
fn names_that_are_spelled_differently_look_alike() {
    for pair in [
        ["user_signup", "UserSignedUp"],
        ["checkout_started", "Checkout Start"],
        ["order-completed", "orderComplete"],
        ["item_added", "items_added"],
        ["subscription_renewed", "subscripton_renewed"],
        ["formSubmitted", "form_submit"],
    ] {
        let problems = lookalikes(&pair).0;
        assert_eq!(problems.len(), 1, "{pair:?}");
        assert!(pair.iter().all(|name| problems[0].message.contains(name)), "{pair:?}");
    }
}

#[test]
fn different_events_do_not_look_alike() {
    let names = [
        "signup",
        "login",
        "logout",
        "page_view",
        "page_leave",
        "step_1_completed",
        "step_2_completed",
        "order_created",
        "order_cancelled",
        "invoice_paid",
        "invoice_failed",
        "$pageview",
        "$pageleave",
        "",
        "—",
    ];
    assert_eq!(lookalikes(&names).0, []);
    assert_eq!(lookalikes(&["paid", "paid"]).0, [], "the same name twice is one name");
}

#[test]
fn a_step_behind_an_exit_is_told_with_its_campaign() {
    let c = campaign("name: c\ntrigger: { event: paid }\nsteps: [ { exit: done }, { email: { template: t } } ]");
    let problems = lint(&[("welcome", &c)], &[]).0;
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].path, "welcome: steps[1]");
}
