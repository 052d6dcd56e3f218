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
