use hogwire_model::Time;

use super::mime::{Kind, Mail, Malformed, Party, build};

fn mail() -> Mail<'static> {
    Mail {
        from: Party { name: "Shop", address: "hello@shop.example" },
        to: Party { name: "Ana", address: "ana@example.com" },
        reply_to: None,
        subject: "Your cart",
        text: "Hello Ana,\nyour cart waits.",
        html: "<p>Hello Ana,</p>",
        message_id: "01jd.abc@shop.example",
        date: Time::from_millis(1_772_442_927_123),
        kind: Kind::Marketing {
            unsubscribe: "https://go.shop.example/u/tok",
            mailto: Some("unsub+tok@shop.example"),
            list: Some(("Product news", "product.shop.example")),
        },
        feedback_id: Some("recovery:product:marketing:shop"),
        more: &[],
    }
}

fn text(mail: &Mail<'_>) -> String {
    String::from_utf8(build(mail).expect("a mail")).expect("mail on the wire is ASCII")
}

#[test]
fn marketing_mail_on_the_wire() {
    let made = text(&mail());
    assert_eq!(made, text(&mail()), "the same mail has the same bytes");
    insta::assert_snapshot!("marketing", made.replace("\r\n", "\n"));
}

#[test]
fn transactional_mail_in_other_scripts() {
    let made = text(&Mail {
        from: Party { name: "Löwenzahn GmbH", address: "hallo@bücher.example" },
        to: Party { name: "李, 雷 \"x\"", address: "li@example.com" },
        reply_to: Some(Party { name: "", address: "help@shop.example" }),
        subject: "Größe – 你好 🎉",
        text: "Grüße\r\nZeile zwei\rZeile drei",
        html: "",
        kind: Kind::Transactional,
        feedback_id: None,
        more: &[("X-Hogwire-Intended-For", "ana@example.com")],
        ..mail()
    });
    insta::assert_snapshot!("transactional", made.replace("\r\n", "\n"));
}

#[test]
fn one_click_is_offered_over_https_alone() {
    let with = |unsubscribe| {
        let kind = Kind::Marketing { unsubscribe, mailto: None, list: None };
        text(&Mail { kind, ..mail() })
    };
    assert!(with("https://x.example/u/tok").contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"));
    let plain = with("http://x.example/u/tok");
    assert!(plain.contains("List-Unsubscribe: <http://x.example/u/tok>\r\n"));
    assert!(!plain.contains("List-Unsubscribe-Post"));
}

#[test]
fn lines_stay_short_and_end_in_crlf() {
    let long = "<td style=\"color:#123456\">ö</td>".repeat(2_000);
    let many: String = "🎉".repeat(300);
    let made = text(&Mail { html: &long, text: &long, subject: &many, ..mail() });
    for line in made.split("\r\n") {
        assert!(line.len() <= 998, "{} characters", line.len());
        assert!(!line.contains(['\r', '\n']), "a bare line end");
    }
    assert!(made.is_ascii());
    let one_word = "x".repeat(5_000);
    let made = text(&Mail { subject: &one_word, ..mail() });
    assert!(made.split("\r\n").all(|line| line.len() <= 998));
}

const INJECTION: &str = "x\r\nBcc: thief@example.net";

/// Is the mail refused once `change` was made to it?
fn refused(change: fn(&mut Mail<'static>)) -> bool {
    let mut mail = mail();
    change(&mut mail);
    build(&mail).is_err()
}

fn marketing(unsubscribe: &'static str) -> Kind<'static> {
    Kind::Marketing { unsubscribe, mailto: None, list: None }
}

#[test]
fn nothing_can_add_a_header() {
    assert!(!refused(|_| ()));
    assert!(refused(|mail| mail.subject = INJECTION));
    assert!(refused(|mail| mail.from.name = INJECTION));
    assert!(refused(|mail| mail.to.name = INJECTION));
    assert!(refused(|mail| mail.to.address = "a@example.com\r\nBcc: b@example.com"));
    assert!(refused(|mail| mail.message_id = "a@b>\r\nX: y"));
    assert!(refused(|mail| mail.message_id = "a@b> <c@d"));
    assert!(refused(|mail| mail.message_id = ""));
    assert!(refused(|mail| mail.feedback_id = Some(INJECTION)));
    assert!(refused(|mail| mail.more = &[("X-A", INJECTION)]));
    assert!(refused(|mail| mail.more = &[("X-A: b\r\nX-C", "d")]));
}

#[test]
fn a_link_to_unsubscribe_is_one_link() {
    let two = "https://x.example/u> , <https://evil.example";
    assert!(refused(|mail| mail.kind = marketing("javascript:alert(1)")));
    assert!(build(&Mail { kind: marketing(two), ..mail() }).is_err());
    assert!(refused(|mail| {
        mail.kind =
            Kind::Marketing { unsubscribe: "https://x.example/u", mailto: None, list: Some(("a\r\nb", "c>\r\n")) };
    }));
}

#[test]
fn addresses_that_no_server_takes_are_refused() {
    for bad in [
        "",
        "ana",
        "@example.com",
        "ana@",
        "a b@example.com",
        "ana@exa mple.com",
        "añа@example.com",
        "ana@example.com, bob@example.com",
    ] {
        let to = Party { name: "", address: bad };
        assert!(matches!(build(&Mail { to, ..mail() }), Err(Malformed::Address(_))), "{bad:?}");
    }
}
