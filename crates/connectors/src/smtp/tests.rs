use hogwire_model::Time;

use super::mime::{Kind, Mail, Malformed, Party, build};

fn mail() -> Mail<'static> {
    Mail {
        from: Party {
            name: "Shop",
            address: "hello@shop.example",
        },
        to: Party {
            name: "Ana",
            address: "ana@example.com",
        },
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
        from: Party {
            name: "Löwenzahn GmbH",
            address: "hallo@bücher.example",
        },
        to: Party {
            name: "李, 雷 \"x\"",
            address: "li@example.com",
        },
        reply_to: Some(Party {
            name: "",
            address: "help@shop.example",
        }),
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
        let kind = Kind::Marketing {
            unsubscribe,
            mailto: None,
            list: None,
        };
        text(&Mail { kind, ..mail() })
    };
    assert!(
        with("https://x.example/u/tok")
            .contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n")
    );
    let plain = with("http://x.example/u/tok");
    assert!(plain.contains("List-Unsubscribe: <http://x.example/u/tok>\r\n"));
    assert!(!plain.contains("List-Unsubscribe-Post"));
}

#[test]
fn lines_stay_short_and_end_in_crlf() {
    let long = "<td style=\"color:#123456\">ö</td>".repeat(2_000);
    let many: String = "🎉".repeat(300);
    let made = text(&Mail {
        html: &long,
        text: &long,
        subject: &many,
        ..mail()
    });
    for line in made.split("\r\n") {
        assert!(line.len() <= 998, "{} characters", line.len());
        assert!(!line.contains(['\r', '\n']), "a bare line end");
    }
    assert!(made.is_ascii());
    let one_word = "x".repeat(5_000);
    let made = text(&Mail {
        subject: &one_word,
        ..mail()
    });
    assert!(made.split("\r\n").all(|line| line.len() <= 998));
}

#[test]
fn nothing_can_add_a_header() {
    let inject = "x\r\nBcc: thief@example.net";
    let party = |name, address| Party { name, address };
    for (mail, what) in [
        (
            Mail {
                subject: inject,
                ..mail()
            },
            "subject",
        ),
        (
            Mail {
                from: party(inject, "a@example.com"),
                ..mail()
            },
            "from",
        ),
        (
            Mail {
                to: party(inject, "a@example.com"),
                ..mail()
            },
            "to",
        ),
        (
            Mail {
                to: party("", "a@example.com\r\nBcc: b@example.com"),
                ..mail()
            },
            "address",
        ),
        (
            Mail {
                message_id: "a@b>\r\nX: y",
                ..mail()
            },
            "id",
        ),
        (
            Mail {
                message_id: "a@b> <c@d",
                ..mail()
            },
            "two ids",
        ),
        (
            Mail {
                message_id: "",
                ..mail()
            },
            "no id",
        ),
        (
            Mail {
                feedback_id: Some(inject),
                ..mail()
            },
            "feedback",
        ),
        (
            Mail {
                more: &[("X-A", "b\nX-C: d")],
                ..mail()
            },
            "more",
        ),
        (
            Mail {
                more: &[("X-A: b\r\nX-C", "d")],
                ..mail()
            },
            "more's name",
        ),
        (
            Mail {
                kind: Kind::Marketing {
                    unsubscribe: "https://x.example/u> , <https://evil.example",
                    mailto: None,
                    list: None,
                },
                ..mail()
            },
            "link",
        ),
        (
            Mail {
                kind: Kind::Marketing {
                    unsubscribe: "javascript:alert(1)",
                    mailto: None,
                    list: None,
                },
                ..mail()
            },
            "no link",
        ),
        (
            Mail {
                kind: Kind::Marketing {
                    unsubscribe: "https://x.example/u",
                    mailto: None,
                    list: Some(("a\r\nb", "c>\r\n")),
                },
                ..mail()
            },
            "list",
        ),
    ] {
        assert!(build(&mail).is_err(), "{what}");
    }
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
        let to = Party {
            name: "",
            address: bad,
        };
        assert!(
            matches!(build(&Mail { to, ..mail() }), Err(Malformed::Address(_))),
            "{bad:?}"
        );
    }
}
