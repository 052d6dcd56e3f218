use super::*;

const KEY: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA";

fn keys() -> Vec<Published> {
    vec![
        Published { algorithm: Algorithm::Rsa, selector: "hw1".into(), public: KEY.into() },
        Published {
            algorithm: Algorithm::Ed25519,
            selector: "hw1e".into(),
            public: "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=".into(),
        },
    ]
}

/// What the records become in a zone.
fn seen(relay: Option<&str>, zone: &[(&str, Kind, &[&str])]) -> Vec<Record> {
    let domain = "news.shop.example";
    let records = wanted(domain, &keys(), relay);
    let answers: Vec<(Question, Looked)> = questions(domain, &records)
        .into_iter()
        .map(|question| {
            let held = zone.iter().find(|(name, kind, _)| *name == question.name && *kind == question.kind);
            let looked = match held {
                Some((_, _, ["timeout"])) => Looked::Failed("timeout".into()),
                Some((_, _, texts)) => Looked::Found(texts.iter().map(|text| (*text).to_owned()).collect()),
                None => Looked::Nothing,
            };
            (question, looked)
        })
        .collect();
    judged(domain, records, &answers)
}

fn of(records: &[Record], purpose: Purpose) -> &Record {
    records.iter().find(|record| record.purpose == purpose).expect("a record")
}

#[test]
fn a_zone_that_says_everything_is_right() {
    let rsa = format!("v=DKIM1; k=rsa; p={} {}", &KEY[..20], &KEY[20..]);
    let records = seen(
        Some("smtp-relay.brevo.com"),
        &[
            ("hw1._domainkey.news.shop.example", Kind::Txt, &[&rsa]),
            (
                "hw1e._domainkey.news.shop.example",
                Kind::Txt,
                &["v=DKIM1;k=ed25519;p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="],
            ),
            ("news.shop.example", Kind::Txt, &["google-site-verification=x", "v=spf1 include:spf.brevo.com -all"]),
            ("_dmarc.shop.example", Kind::Txt, &["v=DMARC1; p=reject; sp=quarantine"]),
            ("news.shop.example", Kind::Mx, &["mx.shop.example"]),
        ],
    );
    assert!(records.iter().all(|record| record.state == State::Right), "{records:#?}");
    assert!(of(&records, Purpose::Dmarc).says.contains("`quarantine`"), "{records:#?}");
    assert!(of(&records, Purpose::Dmarc).says.contains("inherited from shop.example"), "{records:#?}");
}

#[test]
fn an_empty_zone_holds_mail_up_by_one_record_only() {
    let records = seen(Some("mail.shop.example"), &[]);
    assert!(records.iter().all(|record| record.state == State::Missing), "{records:#?}");
    let needed: Vec<_> = records.iter().filter(|record| record.needed).map(|record| record.purpose).collect();
    assert_eq!(needed, [Purpose::Dkim]);
    assert_eq!(of(&records, Purpose::Spf).value, "v=spf1 a:mail.shop.example ~all");
    assert_eq!(of(&records, Purpose::Spf).name, "@");
    assert_eq!(of(&records, Purpose::Dkim).name, "hw1._domainkey");
}

#[test]
fn what_is_wrong_is_said() {
    let cut = format!("v=DKIM1; k=rsa; p={}", &KEY[..30]);
    let cases: [(&str, Kind, &[&str], Purpose, &str); 8] = [
        ("hw1._domainkey.news.shop.example", Kind::Txt, &[&cut], Purpose::Dkim, "cut short"),
        ("hw1._domainkey.news.shop.example", Kind::Txt, &["v=DKIM1; p="], Purpose::Dkim, "revoked"),
        ("hw1._domainkey.news.shop.example", Kind::Txt, &["v=DKIM1; p=AAAA"], Purpose::Dkim, "Another key"),
        (
            "hw1._domainkey.news.shop.example.news.shop.example",
            Kind::Txt,
            &["x"],
            Purpose::Dkim,
            "Type `hw1._domainkey`",
        ),
        ("news.shop.example", Kind::Txt, &["v=spf1 -all", "v=spf1 mx -all"], Purpose::Spf, "several"),
        ("news.shop.example", Kind::Txt, &["v=spf1 mx +all"], Purpose::Spf, "anybody"),
        ("news.shop.example", Kind::Txt, &["v=spf1 mx -all"], Purpose::Spf, "Add `include:amazonses.com`"),
        ("_dmarc.news.shop.example", Kind::Txt, &["v=DMARC1; p=maybe"], Purpose::Dmarc, "no policy"),
    ];
    for (name, kind, texts, purpose, said) in cases {
        let records = seen(Some("email-smtp.eu-west-1.amazonaws.com"), &[(name, kind, texts)]);
        let record = of(&records, purpose);
        assert_eq!(record.state, State::Wrong, "{record:?}");
        assert!(record.says.contains(said), "{record:?}");
    }
}

#[test]
fn silence_is_no_verdict() {
    let records = seen(None, &[("hw1._domainkey.news.shop.example", Kind::Txt, &["timeout"])]);
    assert_eq!(of(&records, Purpose::Dkim).state, State::Unknown);
    assert_eq!(of(&records, Purpose::Spf).value, "v=spf1 a mx ~all");
}
