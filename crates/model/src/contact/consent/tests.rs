use super::*;

fn suppressed(scope: SuppressionScope, reason: SuppressionReason) -> Suppression {
    Suppression { scope, reason, at: Time::from_millis(0) }
}

#[test]
fn who_may_be_written_to() {
    use ConsentState as C;
    use SuppressionReason as R;
    let news = Topic::new("news", TopicKind::Marketing, TopicDefault::Allowed);
    let opt_in = Topic::new("news", TopicKind::Marketing, TopicDefault::NeedsOptIn);
    let receipts = Topic::new("receipts", TopicKind::Transactional, TopicDefault::Allowed);
    let all = |reason| vec![suppressed(SuppressionScope::All, reason)];
    let topic = |name: &str| vec![suppressed(SuppressionScope::Topic(name.to_owned()), R::Unsubscribed)];
    for (topic, consent, suppressions, expected) in [
        (&news, C::Unknown, vec![], Ok(())),
        (&news, C::Denied, vec![], Err(Reason::ConsentDenied)),
        (&opt_in, C::Unknown, vec![], Err(Reason::NoConsent)),
        (&opt_in, C::Granted, vec![], Ok(())),
        (&receipts, C::Denied, vec![], Ok(())),
        (&receipts, C::Unknown, all(R::Unsubscribed), Ok(())),
        (&receipts, C::Unknown, all(R::HardBounce), Err(Reason::Suppressed(R::HardBounce))),
        (&receipts, C::Unknown, all(R::Complaint), Err(Reason::Suppressed(R::Complaint))),
        (&receipts, C::Unknown, all(R::Erased), Err(Reason::Suppressed(R::Erased))),
        (&news, C::Granted, all(R::Unsubscribed), Err(Reason::Suppressed(R::Unsubscribed))),
        (&news, C::Unknown, topic("news"), Err(Reason::Suppressed(R::Unsubscribed))),
        (&news, C::Unknown, topic("product"), Ok(())),
    ] {
        assert_eq!(may_send(topic, consent, &suppressions), expected, "{topic:?} {consent:?} {suppressions:?}");
    }
    let two = [suppressed(SuppressionScope::All, R::Complaint), suppressed(SuppressionScope::All, R::Unsubscribed)];
    assert_eq!(may_send(&news, C::Unknown, &two), Err(Reason::Suppressed(R::Complaint)));
}

#[test]
fn a_machine_never_turns_a_no_into_a_yes() {
    use ConsentState as C;
    for new in [C::Granted, C::Unknown] {
        assert!(!may_replace(C::Denied, new, Said::Machine));
        assert!(may_replace(C::Denied, new, Said::Human));
    }
    assert!(may_replace(C::Granted, C::Denied, Said::Machine));
    assert!(may_replace(C::Unknown, C::Granted, Said::Machine));
    assert!(!may_replace(C::Granted, C::Unknown, Said::Machine));
}

#[test]
fn of_two_words_a_no_stands_until_a_later_yes() {
    let word = |state, at| Consent {
        topic: "news".to_owned(),
        state,
        at: Time::from_millis(at),
        source: "api".to_owned(),
        text: String::new(),
    };
    use ConsentState as C;
    for (a, b, expected) in [
        (word(C::Denied, 10), word(C::Granted, 5), C::Denied),
        (word(C::Denied, 10), word(C::Granted, 20), C::Granted),
        (word(C::Denied, 10), word(C::Granted, 10), C::Denied),
        (word(C::Denied, 10), word(C::Unknown, 20), C::Denied),
        (word(C::Granted, 10), word(C::Unknown, 20), C::Granted),
    ] {
        assert_eq!(stronger(&a, &b).state, expected);
        assert_eq!(stronger(&b, &a).state, expected);
    }
}

#[test]
fn the_hash_needs_the_key_and_follows_the_spelling() {
    let hash = address_hash("ada@example.com", b"key");
    assert_eq!(hash.len(), 64);
    assert_eq!(address_hash(" Ada@Example.com", b"key"), hash);
    assert_ne!(address_hash("ada@example.com", b"other"), hash);
    // RFC 4231, test case 2, whose text is not an address and so is taken as it is.
    assert_eq!(
        address_hash("what do ya want for nothing?", b"Jefe"),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
}

#[test]
fn topics_have_defaults_and_know_their_words() {
    let topic: Topic = serde_json::from_str(r#"{ "kind": "marketing", "default": "needs_opt_in" }"#).expect("a topic");
    assert_eq!(topic.default, TopicDefault::NeedsOptIn);
    assert!(serde_json::from_str::<Topic>(r#"{ "kind": "promotional" }"#).is_err());
    for reason in SuppressionReason::ALL {
        assert_eq!(SuppressionReason::parse(reason.as_str()), Some(reason));
    }
    assert!(SuppressionReason::Unsubscribed.follows_the_contact());
    assert!(!SuppressionReason::HardBounce.follows_the_contact());
}
