use hogwire_model::campaign::rehearsal::read;

use super::*;
use crate::campaigns::SourceFile;

const CAMPAIGN: &str = "
name: Welcome
trigger: { event: signed_up }
exit_on: [ { event: account_deleted } ]
steps:
  - email: { template: welcome }
  - wait: 2d
  - branch:
      - when: [ { key: plan, operator: exact, value: paid, type: contact } ]
        steps: [ { exit: paid } ]
    else: [ { email: { template: nudge } } ]
";
const TEMPLATE: &str = "---\nsubject: Hello\nfrom: Ada <ada@other.example>\n---\nHello.\n";

fn project(campaign: &str) -> Project {
    let file = |id: &str, kind: &str, text: &str| SourceFile { id: id.into(), kind: kind.into(), text: text.into() };
    Project {
        campaigns: vec![file("welcome", "yaml", campaign)],
        templates: vec![file("welcome", "md", TEMPLATE), file("nudge", "md", TEMPLATE)],
    }
}

fn played(campaign: &str, test: &str) -> Result<Rehearsed> {
    let rehearsal = read(&format!("campaign: welcome\n{test}")).expect("a test");
    rehearse(&project(campaign), &Settings::default(), &rehearsal)
}

#[track_caller]
fn passes(campaign: &str, test: &str) {
    let rehearsed = played(campaign, test).expect("a rehearsal");
    assert!(rehearsed.passed, "{rehearsed:#?}");
}

#[test]
fn both_ways_through_a_branch_are_rehearsed() {
    passes(
        CAMPAIGN,
        "contact: { email: ada@example.com, plan: free }
events: [ { at: 0s, event: signed_up } ]
expect:
  - { at: 0s, email: welcome }
  - { at: 47h, nothing: true }
  - { at: 2d, email: nudge }
  - { at: 2d, exit: completed }
  - { at: 30d, nothing: true }",
    );
    passes(
        CAMPAIGN,
        "contact: { email: ada@example.com, plan: free }
events:
  - { at: 0s, event: signed_up }
  - { at: 1d, event: upgraded, properties: { $set: { plan: paid } } }
expect: [ { at: 0s, email: welcome }, { at: 2d, exit: paid } ]",
    );
}

#[test]
fn what_came_instead_is_told() {
    let rehearsed = played(
        CAMPAIGN,
        "contact: { email: ada@example.com }
events: [ { at: 0s, event: signed_up }, { at: 1d, event: account_deleted } ]
expect:
  - { at: 0s, email: welcome }
  - { at: 12h, email: welcome }
  - { at: 1d, exit: exit_event }
  - { at: 2d, email: nudge }
  - { at: 0s, nothing: true }",
    );
    let rehearsed = rehearsed.expect("a rehearsal");
    assert!(!rehearsed.passed);
    let passed: Vec<bool> = rehearsed.verdicts.iter().map(|verdict| verdict.passed).collect();
    assert_eq!(passed, [true, false, false, true, false], "{rehearsed:#?}");
    assert!(rehearsed.verdicts[1].instead.contains("Sent"), "{rehearsed:#?}");
    assert!(rehearsed.verdicts[2].instead.contains("at 0s"), "{rehearsed:#?}");
    assert!(rehearsed.verdicts[4].instead.contains("account_deleted"), "{rehearsed:#?}");
}

#[test]
fn absence_inactivity_schedules_and_the_api_are_rehearsed() {
    let steps = "steps: [ { email: { template: welcome } } ]";
    passes(
        &format!("name: A\ntrigger: {{ without: {{ event: cart, then_not: order, within: 1d }} }}\n{steps}"),
        "contact: { email: ada@example.com }
events: [ { at: 1h, event: cart } ]
expect: [ { at: 24h, nothing: true }, { at: 25h, email: welcome } ]",
    );
    passes(
        &format!("name: A\ntrigger: {{ inactive: {{ event: visit, for: 7d }} }}\n{steps}"),
        "contact: { email: ada@example.com }
events: [ { at: 0s, event: visit }, { at: 2d, event: visit } ]
expect: [ { at: 8d, nothing: true }, { at: 9d, email: welcome } ]",
    );
    passes(
        &format!(
            "name: A\ntrigger: {{ schedule: {{ cron: '0 12 * * *', zone: UTC, audience: [ {{ key: email, operator: is_set, type: contact }} ] }} }}\n{steps}"
        ),
        "starts: 2026-03-02T09:00:00Z
contact: { email: ada@example.com }
expect: [ { at: 3h, email: welcome }, { at: 27h, email: welcome } ]",
    );
    passes(
        &format!("name: A\ntrigger: {{ api: true }}\n{steps}"),
        "contact: { email: ada@example.com }
events: [ { at: 1h, enroll: true } ]
expect: [ { at: 59m, nothing: true }, { at: 1h, email: welcome } ]",
    );
}

#[test]
fn a_campaign_that_cannot_run_is_refused_with_its_problems() {
    let test = "expect: [ { at: 0s, nothing: true } ]";
    let broken = CAMPAIGN.replace("template: nudge", "template: nudgee");
    assert!(matches!(played(&broken, test), Err(Error::Refused(problems)) if problems.has_errors()));
    assert!(matches!(played("name: A\n", test), Err(Error::Refused(_))));
    let rehearsal = read(&format!("campaign: other\n{test}")).expect("a test");
    assert!(matches!(rehearse(&project(CAMPAIGN), &Settings::default(), &rehearsal), Err(Error::Missing(_))));
}
