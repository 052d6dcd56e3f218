//! What lets us in: the order, the renewal, and what becomes of it when a key is a wrong one.

use hogwire_engine::credentials::{Brought, Kind};
use hogwire_engine::store::credentials::Status;
use hogwire_engine::{Error, Work};
use hogwire_model::Span;
use serde_json::json;

use crate::world::{World, on_both, on_postgres, on_sqlite};

const TOKENS: &str = "https://ph.example/oauth/token/";

fn brought(world: &World, token: &str, seconds: i64) -> Brought {
    Brought {
        access_token: token.to_owned(),
        refresh_token: Some("phr_1".to_owned()),
        expires_at: Some(world.now.plus(Span::seconds(seconds))),
        scopes: "person:read".to_owned(),
        projects: vec![7],
        client_id: Some("cli".to_owned()),
        token_endpoint: Some(TOKENS.to_owned()),
        ..Brought::default()
    }
}

fn keep(world: &World, token: &str, seconds: i64) {
    world.engine.keep_credential("posthog", brought(world, token, seconds), "test", world.now).expect("kept");
}

/// The token that would be sent now, and which credential it is of.
fn used(world: &World) -> Option<(String, Kind, String)> {
    let bearer = world.engine.bearer("posthog", world.now).expect("an answer");
    bearer.map(|bearer| (bearer.token.to_string(), bearer.kind, bearer.project))
}

fn token(world: &World) -> Option<String> {
    used(world).map(|(token, ..)| token)
}

#[test]
fn a_stored_grant_comes_before_the_personal_key_and_is_used_at_once() {
    on_both("credential_order", |mut world| {
        assert_eq!(used(&world), None);
        world.settings.connections.get_mut("posthog").expect("there").personal_key = Some("phx_1".to_owned());
        world.reopen();
        assert_eq!(used(&world), Some(("phx_1".to_owned(), Kind::PersonalKey, "@current".to_owned())));
        keep(&world, "pha_1", 3_600);
        assert_eq!(used(&world), Some(("pha_1".to_owned(), Kind::Oauth, "7".to_owned())));
        world.settings.connections.get_mut("posthog").expect("there").project = Some("12".to_owned());
        world.reopen();
        assert_eq!(used(&world).map(|(.., project)| project).as_deref(), Some("12"));
        assert!(world.engine.forget_credential("posthog", "test", world.now).expect("forgotten"));
        assert!(!world.engine.forget_credential("posthog", "test", world.now).expect("nothing there"));
        assert_eq!(token(&world).as_deref(), Some("phx_1"));
    });
}

#[test]
fn a_grant_is_renewed_a_minute_before_it_ends_and_keeps_what_the_answer_leaves_out() {
    on_both("credential_renewal", |mut world| {
        keep(&world, "pha_1", 3_600);
        world.settle();
        assert!(world.net.asked(TOKENS).is_empty());
        world.later(Span::seconds(3_541));
        world.net.will_answer(200, &json!({ "access_token": "pha_2", "expires_in": 600 }));
        world.settle();
        assert_eq!(world.net.asked(TOKENS), ["grant_type=refresh_token&refresh_token=phr_1&client_id=cli"]);
        assert_eq!(token(&world).as_deref(), Some("pha_2"));
        let row = world.engine.credential("posthog").expect("readable").expect("there");
        assert_eq!((row.scopes.as_str(), row.projects.as_slice()), ("person:read", &[7][..]));
        // The refresh token was kept; this answer brings a new one.
        world.later(Span::seconds(541));
        world.net.will_answer(
            200,
            &json!({ "access_token": "pha_3", "refresh_token": "phr_2", "expires_in": 600,
            "scope": "person:read query:read", "scoped_teams": [9] }),
        );
        world.settle();
        assert_eq!(used(&world), Some(("pha_3".to_owned(), Kind::Oauth, "9".to_owned())));
        world.later(Span::seconds(541));
        world.settle();
        assert!(world.net.asked(TOKENS)[2].contains("refresh_token=phr_2"));
    });
}

#[test]
fn an_hour_without_posthog_ends_in_one_try_a_minute_and_then_goes_on() {
    on_both("credential_outage", |mut world| {
        keep(&world, "pha_1", 60);
        for minute in 0..60 {
            world.net.will_answer(503, &json!("down"));
            world.settle();
            assert_eq!(world.net.asked(TOKENS).len(), minute + 1);
            world.later(Span::seconds(30));
            world.settle();
            assert_eq!(world.net.asked(TOKENS).len(), minute + 1, "not twice within a minute");
            world.later(Span::seconds(31));
        }
        assert_eq!(token(&world), None, "it has ended");
        let standing = world.engine.standing("posthog", world.now).expect("a standing");
        assert!(standing.problem.contains("503"), "{standing:?}");
        world.net.will_answer(200, &json!({ "access_token": "pha_2", "expires_in": 600 }));
        world.settle();
        assert_eq!(token(&world).as_deref(), Some("pha_2"));
    });
}

#[test]
fn a_grant_that_was_taken_back_is_told_and_the_personal_key_serves() {
    on_both("credential_revoked", |mut world| {
        world.settings.connections.get_mut("posthog").expect("there").personal_key = Some("phx_1".to_owned());
        world.reopen();
        keep(&world, "pha_1", 3_600);
        let bearer = world.engine.bearer("posthog", world.now).expect("an answer").expect("a bearer");
        // Between two calls PostHog says 401.
        world.engine.bearer_refused("posthog", &bearer, world.now).expect("noted");
        assert_eq!(token(&world).as_deref(), Some("phx_1"));
        world.net.will_answer(400, &json!({ "error": "invalid_grant" }));
        world.settle();
        let row = world.engine.credential("posthog").expect("readable").expect("there");
        assert_eq!(row.status, Status::Refused);
        assert!(row.problem.contains("invalid_grant"), "{}", row.problem);
        world.later_days(1);
        world.settle();
        assert_eq!(world.net.asked(TOKENS).len(), 1, "what is final is not asked again");
        // An old refusal says nothing about a new grant.
        keep(&world, "pha_2", 3_600);
        world.engine.bearer_refused("posthog", &bearer, world.now).expect("noted");
        assert_eq!(token(&world).as_deref(), Some("pha_2"));
    });
}

#[test]
fn a_grant_goes_to_no_host_but_the_one_that_gave_it() {
    on_sqlite(|mut world| {
        for (host, endpoint) in [("https://evil.example", TOKENS), ("https://ph.example", "https://evil.example/t")] {
            let grant = Brought {
                host: Some(host.to_owned()),
                token_endpoint: Some(endpoint.to_owned()),
                ..brought(&world, "pha_1", 60)
            };
            let kept = world.engine.keep_credential("posthog", grant, "test", world.now);
            assert!(matches!(kept, Err(Error::Refused(_))), "{host} {endpoint}");
        }
        keep(&world, "pha_1", 3_600);
        world.settings.connections.get_mut("posthog").expect("there").app_host = "https://other.example".to_owned();
        world.reopen();
        assert_eq!(token(&world), None);
        let standing = world.engine.standing("posthog", world.now).expect("a standing");
        assert!(standing.problem.contains("https://ph.example"), "{standing:?}");
    });
}

#[test]
fn two_nodes_renew_once() {
    on_postgres("credential_nodes", |mut first, mut second| {
        keep(&first, "pha_1", 3_600);
        for world in [&mut first, &mut second] {
            world.later(Span::seconds(3_541));
            world.net.will_answer(200, &json!({ "access_token": "pha_2", "expires_in": 3_600 }));
        }
        std::thread::scope(|threads| {
            for world in [&first, &second] {
                threads.spawn(move || {
                    for _ in 0..50 {
                        match world.engine.step(Work::Tend, world.now) {
                            Ok(_) | Err(Error::Busy(_)) => {}
                            Err(error) => panic!("{error}"),
                        }
                    }
                });
            }
        });
        assert_eq!(first.net.asked(TOKENS).len() + second.net.asked(TOKENS).len(), 1);
        assert_eq!((token(&first).as_deref(), token(&second).as_deref()), (Some("pha_2"), Some("pha_2")));
    });
}

#[test]
fn a_wrong_key_turns_off_credentials_and_nothing_else() {
    on_both("wrong_key", |mut world| {
        world.settings.connections.get_mut("posthog").expect("there").webhook_secret = None;
        world.reopen();
        keep(&world, "pha_1", 3_600);
        let spare = world.engine.keyring().spare().expect("a root").to_string();
        let (before, wrong) = (world.engine.keyring().derive(b"addresses"), "cd".repeat(32));
        assert!(matches!(world.reopen_with(&wrong, None), Err(Error::Sealed(_))), "opt-outs would be forgotten");
        let other = "ef".repeat(32);
        assert!(matches!(world.reopen_with(&wrong, Some(&other)), Err(Error::Sealed(_))), "this is another root");
        world.reopen_with(&wrong, Some(&spare)).expect("it starts");
        assert_eq!(world.engine.keyring().derive(b"addresses"), before);
        assert!(matches!(world.engine.credential("posthog"), Err(Error::Sealed(_))));
        assert_eq!(token(&world), None);
        assert!(world.engine.standing("posthog", world.now).expect("a standing").problem.contains("cannot be opened"));
        world.apply("welcome", crate::WELCOME);
        world.receive(&crate::signup("e1", "u1", "ada@shop.example", "pro"));
        world.settle();
        assert_eq!(world.mails().len(), 1, "campaigns go on");
        assert!(world.engine.locked_secrets().expect("a list").contains(&"credential/posthog".to_owned()));

        // The way back: away with it, connect again.
        assert!(world.engine.forget_credential("posthog", "test", world.now).expect("forgotten"));
        assert_eq!(world.engine.credential("posthog").expect("readable"), None);
        keep(&world, "pha_2", 3_600);
        assert_eq!(token(&world).as_deref(), Some("pha_2"));
        let secret = world.engine.settled_webhook_secret("posthog", world.now).expect("minted");
        assert_eq!(world.engine.webhook_secret("posthog").expect("readable"), Some(secret));
        let rotated = world.engine.rotate_secrets("test", world.now).expect("rotated");
        assert!(rotated.locked.iter().all(|name| name.starts_with("webhook_token/")), "{rotated:?}");
        world.reopen_with(&wrong, None).expect("the root is sealed with this key now");
    });
}

#[test]
fn rotation_seals_everything_with_the_new_key() {
    on_both("rotation", |mut world| {
        keep(&world, "pha_1", 3_600);
        let (old, new) = ("ab".repeat(32), "cd".repeat(32));
        world.reopen_with(&format!("{new},{old}"), None).expect("both keys");
        let rotated = world.engine.rotate_secrets("test", world.now).expect("rotated");
        assert!(rotated.changed >= 3 && rotated.locked.is_empty(), "{rotated:?}");
        world.reopen_with(&new, None).expect("the new key alone");
        assert_eq!(token(&world).as_deref(), Some("pha_1"));
    });
}
