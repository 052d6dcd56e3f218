//! The events that benchmarks are made of: PostHog's webhook body of about 2 KB.

use serde_json::json;

/// Twelve hex digits of the uuid count up, so that no event is another's duplicate.
pub fn uuid(number: u64) -> String {
    format!("0198c0de-0000-7000-8000-{number:012x}")
}

/// One event of a person. `visits` is the attribute that may change.
pub fn body(number: u64, person: u64, name: &str, visits: u64, at: &str) -> Vec<u8> {
    let id = format!("user_{person}");
    let link = format!("https://us.posthog.com/project/12345/events/{}/2026-03-02T09%3A00%3A00Z", uuid(number));
    let body = json!({
        "event": {
            "uuid": uuid(number),
            "event": name,
            "elements_chain": "",
            "distinct_id": id,
            "properties": {
                "$browser": "Firefox", "$browser_version": 140, "$os": "Linux", "$os_version": "6.1",
                "$device_type": "Desktop", "$current_url": "https://app.example.com/projects/17/settings?tab=billing",
                "$host": "app.example.com", "$pathname": "/projects/17/settings", "$screen_height": 1080,
                "$screen_width": 1920, "$viewport_height": 960, "$viewport_width": 1880, "$lib": "web",
                "$lib_version": "1.298.0", "$insert_id": "9f2c1b7a6d5e4c3b", "$time": 1772442000.123,
                "$referrer": "https://www.example.org/search?q=campaigns", "$referring_domain": "www.example.org",
                "$session_id": "0195f0a0-7c31-7d26-a5a1-0b4f3b0f9f11", "$window_id": "0195f0a0-7c31-7d26-a5a1-0b4f",
                "$user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
                "plan": "team", "seats": 12, "$ip": "203.0.113.7", "$geoip_country_code": "DE"
            },
            "timestamp": at,
            "captured_at": at,
            "url": link
        },
        "person": {
            "id": format!("0198c0de-1111-7000-8000-{person:012x}"),
            "properties": {
                "email": format!("person{person}@people.example"), "name": "Ada Example", "plan": "team",
                "visits": visits, "$initial_referrer": "https://www.example.org/", "company": "Example Works",
                "role": "engineer", "$geoip_city_name": "Berlin", "$geoip_time_zone": "Europe/Berlin",
                "signup_date": "2025-11-03", "seats": 12, "locale": "de-DE"
            },
            "name": format!("person{person}@people.example"),
            "url": format!("https://us.posthog.com/project/12345/person/{id}")
        }
    });
    body.to_string().into_bytes()
}
