use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hogwire_model::Time;

use super::*;

fn counting() -> impl Fn(&mut [u8]) {
    let count = std::cell::Cell::new(0_u64);
    move |bytes: &mut [u8]| {
        for chunk in bytes.chunks_mut(32) {
            count.set(count.get() + 1);
            let digest = Sha256::digest(count.get().to_be_bytes());
            chunk.copy_from_slice(&digest[..chunk.len()]);
        }
    }
}

/// The key of RFC 8463, Appendix A.
const SECRET: &str = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";

#[test]
fn the_key_of_the_rfc_has_the_public_half_of_the_rfc() {
    let seed = STANDARD.decode(SECRET).expect("base64");
    let pair = make_ed25519(&|bytes| bytes.copy_from_slice(&seed)).expect("a key");
    let text = public_text(pair.algorithm, &pair.public);
    assert_eq!(text, "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
}

#[test]
fn the_body_of_the_rfc_has_the_hash_of_the_rfc() {
    let body = b"Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";
    let hash = STANDARD.encode(Sha256::digest(relaxed_body(body)));
    assert_eq!(hash, "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=");
}

#[test]
fn bodies_are_relaxed_as_the_rfc_says() {
    for (body, relaxed) in [
        (&b""[..], &b""[..]),
        (b"\r\n\r\n", b""),
        (b" C \r\nD \t E\r\n\r\n\r\n", b" C\r\nD E\r\n"),
        (b"a\r\n\r\nb", b"a\r\n\r\nb\r\n"),
    ] {
        assert_eq!(relaxed_body(body), relaxed, "{:?}", String::from_utf8_lossy(body));
    }
    assert_eq!(relaxed_header("SubJect ", " Hello \r\n\t there "), "subject:Hello there");
}

#[test]
fn a_made_rsa_key_signs_and_every_header_is_signed_once_more_than_it_is_there() {
    let pair = make_rsa(&counting()).expect("a key");
    let key = Key::read(Algorithm::Rsa, "hw1", &pair.secret).expect("read again");
    let mail = b"From: a@shop.example\r\nSubject: Hi\r\nList-Unsubscribe: <https://x/u/1>\r\n\r\nHello\r\n";
    let signed = sign(mail, "shop.example", &[&key], Time::from_millis(1_800_000_000_000)).expect("signed");
    let text = String::from_utf8(signed).expect("text");
    assert!(
        text.starts_with("DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=shop.example;\r\n s=hw1;"),
        "{text}"
    );
    for name in ["List-Unsubscribe", "List-Unsubscribe-Post", "Message-ID", "Content-Type"] {
        assert!(text.contains(&format!("{name}:")), "{name} is in one piece: {text}");
    }
    let flat: String = text.split_once("\r\nFrom:").expect("the mail").0.split_whitespace().collect();
    assert!(flat.contains("h=From:From:To:Subject:Subject:Date:"), "{flat}");
    assert!(flat.contains("List-Unsubscribe:List-Unsubscribe:List-Unsubscribe-Post:"), "{flat}");
    assert!(text.lines().all(|line| line.len() <= 100), "{text}");
    assert!(text.ends_with(std::str::from_utf8(mail).expect("text")));
}

#[test]
fn a_key_that_is_none_is_refused() {
    assert!(Key::read(Algorithm::Rsa, "x", b"not a key").is_err());
    assert!(Key::read(Algorithm::Ed25519, "x", b"short").is_err());
}
