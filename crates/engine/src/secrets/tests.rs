use super::*;

struct Counting;

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

#[test]
fn a_secret_opens_under_its_name_and_key_only() {
    let old = Keyring::parse(&"ab".repeat(32)).expect("a key");
    let sealed = old.seal("posthog", b"phx_1", &Counting).expect("sealed");
    assert_eq!(old.open("posthog", &sealed).expect("opened").as_slice(), b"phx_1");
    assert!(old.open("brevo", &sealed).is_err());
    let new = Keyring::parse(&format!("{},{}", "cd".repeat(32), "ab".repeat(32))).expect("two keys");
    assert_eq!(new.open("posthog", &sealed).expect("opened").as_slice(), b"phx_1");
    assert!(!new.is_current(&sealed));
    assert_eq!(new.derive(b"x"), old.derive(b"x"));
    assert!(!format!("{new:?}").contains("ab"));
}

#[test]
fn keys_that_are_not_64_hex_digits_are_refused() {
    for bad in ["", "abc", &"zz".repeat(32), &format!("{},", "ab".repeat(32))] {
        assert!(Keyring::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn derived_keys_outlive_every_key_of_the_installation() {
    let now = Time::from_millis(1);
    let store = crate::store::Store::memory().expect("a store");
    store.migrate(now).expect("migrated");
    let (old, new) = ("ab".repeat(32), "cd".repeat(32));
    let settle = |text: &str| {
        let ring = Keyring::parse(text).expect("keys");
        store.write(|tx| ring.settle_root(tx, &Counting, now)).map(|()| ring)
    };
    let first = settle(&old).expect("settled");
    let rotating = settle(&format!("{new},{old}")).expect("settled");
    assert_eq!(first.derive(b"addresses"), rotating.derive(b"addresses"));
    store
        .write(|tx| {
            let plain = rotating.open(ROOT, &sealed::get(tx, ROOT)?.expect("a root"))?;
            sealed::set(tx, ROOT, &rotating.seal(ROOT, &plain, &Counting)?, now)
        })
        .expect("sealed anew");
    assert_eq!(first.derive(b"addresses"), settle(&new).expect("settled").derive(b"addresses"));
    assert!(matches!(settle(&old), Err(Error::Sealed(_))), "the old key alone opens nothing");
}

#[test]
fn envelopes_that_were_meddled_with_do_not_open() {
    let ring = Keyring::parse(&"ab".repeat(32)).expect("a key");
    let sealed = ring.seal("x", b"plain", &Counting).expect("sealed");
    for at in 0..sealed.len() {
        let mut bytes = sealed.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let text = String::from_utf8(bytes).expect("ASCII");
        assert!(!matches!(ring.open("x", &text), Ok(plain) if plain.as_slice() != b"plain"), "{at}");
    }
    for bad in ["", "v1", "v1...", "v2.a.b.c", "v1.a.b.c.d"] {
        assert!(ring.open("x", bad).is_err(), "{bad}");
    }
}
