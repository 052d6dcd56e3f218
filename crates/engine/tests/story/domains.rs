//! Mail waits for its domain's records, goes when they are found, signed, and stops again
//! when they are gone for good.

use hogwire_connectors::smtp::records::{Kind, Looked, Purpose, State};
use hogwire_engine::store::domains::Status;
use hogwire_model::Span;

use crate::world::{on_both, signup};

const WELCOME: &str = "
name: Welcome
status: active
trigger: { event: user_signed_up }
steps: [ { email: { template: welcome } } ]
";

#[test]
fn a_campaign_holds_until_its_domain_is_verified() {
    on_both("domains", |mut world| {
        world.settings.vouched_domains.clear();
        world.reopen();
        world.apply("welcome", WELCOME);
        world.receive(&signup("00000000-0000-4000-8000-000000000001", "u1", "ada@example.com", "free"));
        world.settle();
        assert!(world.mails().is_empty(), "held");
        let domain = world.engine.domain("shop.example").expect("taken up by itself");
        assert_eq!((domain.status, domain.senders), (Status::Pending, vec!["default".to_owned()]));
        let dkim = domain.records.iter().find(|record| record.purpose == Purpose::Dkim).expect("a record");
        assert_eq!(dkim.state, State::Missing, "{dkim:?}");

        world.dns.say(Kind::Txt, &dkim.host, Looked::Found(vec![dkim.value.clone()]));
        for _ in 0..2 {
            world.later(Span::minutes(2));
            world.settle();
        }
        let mails = world.mails();
        assert_eq!(mails.len(), 1, "sent");
        let bytes = String::from_utf8_lossy(&mails[0].bytes).into_owned();
        assert!(bytes.starts_with("DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=shop.example;"), "{bytes}");
        assert_eq!(bytes.matches("DKIM-Signature:").count(), 1, "the second key is not published");

        world.dns.say(Kind::Txt, &dkim.host, Looked::Failed("SERVFAIL".into()));
        world.later_days(1);
        world.settle();
        assert_eq!(world.engine.domain("shop.example").expect("there").status, Status::Verified, "silence is no proof");
        world.dns.say(Kind::Txt, &dkim.host, Looked::Nothing);
        for _ in 0..2 {
            world.later(Span::minutes(6));
            world.settle();
        }
        assert_eq!(world.engine.domain("shop.example").expect("there").status, Status::Failing);
        let mut second = signup("00000000-0000-4000-8000-000000000002", "u2", "bob@example.com", "free");
        second["event"]["timestamp"] = world.now.to_string().into();
        world.receive(&second);
        world.settle();
        assert_eq!(world.mails().len(), 1, "held again");
        let told = world.explain("welcome", "distinct_id:u2");
        assert!(told.contains("the sending domain is not verified"), "{told}");
        assert!(world.engine.remove_domain("shop.example", "ann", world.now).is_err(), "a sender needs it");
    });
}
