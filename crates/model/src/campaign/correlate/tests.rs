use serde_json::json;

use super::*;
use crate::campaign::stage::event;

fn matching(value: Value) -> Match {
    serde_json::from_value(value).expect("a match")
}

#[test]
fn this_orders_event_is_told_from_another_orders() {
    let trigger = json!({ "order_id": 17, "cart": { "id": "c-1" }, "blank": "", "none": null, "a.b": true });
    let order = matching(json!({ "order_id": "trigger.order_id" }));
    for (properties, expected) in [
        (r#"{"order_id":17}"#, true),
        (r#"{"order_id":"17"}"#, true),
        (r#"{"order_id":17.0}"#, true),
        (r#"{"order_id":" 17"}"#, true),
        (r#"{"order_id":18}"#, false),
        (r#"{"order_id":null}"#, false),
        (r#"{"order_id":true}"#, false),
        (r#"{}"#, false),
    ] {
        let came = event("paid", "2026-03-02T00:00:00Z", properties);
        assert_eq!(corresponds(&order, &came, &trigger), expected, "{properties}");
    }
    let came = event("paid", "2026-03-02T00:00:00Z", r#"{"cart_id":"c-1","kind":"web","flag":"true"}"#);
    for (wanted, expected) in [
        (json!({ "cart_id": "trigger.cart.id" }), true),
        (json!({ "cart_id": "trigger.cart.id", "kind": "web" }), true),
        (json!({ "kind": "app" }), false),
        (json!({ "flag": "trigger.a.b" }), true),
        (json!({ "kind": "trigger.blank" }), false),
        (json!({ "kind": "trigger.none" }), false),
        (json!({ "kind": "trigger.missing" }), false),
        (json!({}), true),
    ] {
        assert_eq!(corresponds(&matching(wanted.clone()), &came, &trigger), expected, "{wanted}");
    }
}
