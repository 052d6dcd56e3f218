use proptest::prelude::*;

use super::*;

#[test]
fn addresses_come_to_one_spelling() {
    for (written, expected) in [
        (" Ada@Example.COM ", Some("ada@example.com")),
        ("ada+news@mail.example.com", Some("ada+news@mail.example.com")),
        ("ada@bücher.de", Some("ada@xn--bcher-kva.de")),
        ("ada@BÜCHER.de", Some("ada@xn--bcher-kva.de")),
        ("ada@example.com.", Some("ada@example.com")),
        ("o'neil@example.ie", Some("o'neil@example.ie")),
        ("Ada <ada@example.com>", None),
        ("ada@example.com, bob@example.com", None),
        ("ada@localhost", None),
        ("ada@[127.0.0.1]", None),
        ("ada", None),
        ("@example.com", None),
        ("ada@", None),
        ("ada@example..com", None),
        ("a da@example.com", None),
        ("ada@exam\u{0}ple.com", None),
        ("ada@example.com\r\nBcc: eve@example.com", None),
        ("", None),
    ] {
        assert_eq!(normalise_address(written).as_deref(), expected, "{written:?}");
    }
    let long = format!("{}@{}.com", "a".repeat(64), "b.".repeat(100));
    assert_eq!(normalise_address(&long), None);
}

#[test]
fn placeholders_are_recognised() {
    for address in [
        "test@example.com",
        "ada@mail.example.org",
        "noreply@shop.com",
        "no-reply+1@shop.com",
        "a@b.invalid",
        "a@b.test",
        "none",
    ] {
        assert!(is_placeholder_address(address), "{address}");
    }
    for address in ["ada@acme.com", "testa@acme.com", "ada@myexample.com", "ada@test.com"] {
        assert!(!is_placeholder_address(address), "{address}");
    }
}

#[test]
fn ids_that_name_nobody() {
    for id in [
        "",
        " ",
        "\t\n",
        "\"\"",
        "''",
        "anonymous",
        "Guest",
        "distinctid",
        "distinct_id",
        "id",
        "not_authenticated",
        "email",
        "undefined",
        "null",
        "NULL",
        "None",
        "0",
        "true",
        "False",
        "[object Object]",
        "NaN",
        "\"undefined\"",
    ] {
        assert!(is_illegal_id(id), "{id:?}");
    }
    for id in ["1", "user_1", "anonymous-1", "0190d3f1-cafe-7000-8000-000000000001", "ada@acme.com", "nullify"] {
        assert!(!is_illegal_id(id), "{id:?}");
    }
}

#[test]
fn values_are_cut_between_characters() {
    let long = "é".repeat(300);
    assert_eq!(cut(&long, MAX_VALUE).chars().count(), 200);
    assert_eq!(cut("short", MAX_VALUE), "short");
}

proptest! {
    #[test]
    fn normalising_twice_changes_nothing(text in "[a-zA-Zé.+_-]{1,12}@[a-zA-Zü-]{1,8}\\.(com|de|дом)") {
        if let Some(once) = normalise_address(&text) {
            let twice = normalise_address(&once);
            prop_assert_eq!(twice.as_deref(), Some(once.as_str()));
            prop_assert!(once.len() <= 254);
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,60}") {
        let _ = (normalise_address(&text), is_placeholder_address(&text), is_illegal_id(&text), cut(&text, 3));
    }
}
