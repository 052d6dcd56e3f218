use super::*;

const APP: &str = "https://eu.posthog.com";
const RECORDED: &str = include_str!("../fixtures/oauth_discovery.json");

fn answer(status: u16, body: &str) -> Response {
    Response { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
}

fn attempt() -> Attempt {
    Attempt {
        client_id: "cli_1".into(),
        redirect: redirect(8423),
        state: "st_1".into(),
        verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".into(),
    }
}

fn endpoints() -> Endpoints {
    read_discovery(APP, &answer(200, RECORDED)).expect("discovered")
}

#[test]
fn the_challenge_is_that_of_the_rfc() {
    // RFC 7636, appendix B.
    assert_eq!(challenge(&attempt().verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

#[test]
fn discovery_stays_on_the_host_that_was_meant() {
    assert_eq!(endpoints().token, "https://eu.posthog.com/oauth/token/");
    assert_eq!(
        discovery("https://e.example.com/ph/").url,
        "https://e.example.com/.well-known/oauth-authorization-server/ph"
    );
    let code = |body: &str| read_discovery(APP, &answer(200, body)).expect_err("refused").code;
    for (from, to) in [
        ("https://eu.posthog.com/oauth/token/", "https://evil.example/oauth/token/"),
        ("https://eu.posthog.com/oauth/token/", "http://eu.posthog.com/oauth/token/"),
        ("https://eu.posthog.com/oauth/token/", "https://eu.posthog.com.evil.example/oauth/token/"),
        ("https://eu.posthog.com/oauth/token/", "https://eu.posthog.com@evil.example/oauth/token/"),
        ("https://eu.posthog.com/oauth/authorize/", "javascript:alert(1)"),
        ("https://eu.posthog.com/oauth/register/", "https://eu.posthog.com:8443/oauth/register/"),
        ("\"issuer\": \"https://eu.posthog.com\"", "\"issuer\": \"https://other.example\""),
    ] {
        assert!(RECORDED.contains(from), "{from}");
        assert_eq!(code(&RECORDED.replace(from, to)), "foreign_endpoint", "{to}");
    }
    assert!(meant(APP, "https://oauth.posthog.com/oauth/token/").is_ok());
    assert!(meant("https://ph.example.com", "https://eu.posthog.com/oauth/token/").is_err());
    assert_eq!(code(&RECORDED.replace("S256", "plain")), "pkce_unsupported");
    assert_eq!(read_discovery(APP, &answer(404, "")).expect_err("none").code, "oauth_unsupported");
    assert_eq!(read_discovery(APP, &answer(302, "")).expect_err("none").code, "discovery_failed");
}

#[test]
fn an_answer_to_another_attempt_is_refused() {
    let (attempt, endpoints) = (attempt(), endpoints());
    let code = |url: &str| attempt.code(&endpoints, url).map_err(|denied| denied.code);
    assert_eq!(code("http://127.0.0.1:8423/callback?code=c1&state=st_1"), Ok("c1".into()));
    assert_eq!(code("/callback?code=c1&state=st_1"), Ok("c1".into()));
    assert_eq!(code("http://127.0.0.1:8423/callback?code=c1&state=st_1&iss=https://eu.posthog.com"), Ok("c1".into()));
    for (url, expected) in [
        ("http://127.0.0.1:8423/callback?code=c1&state=other", "state_mismatch"),
        ("http://127.0.0.1:8423/callback?code=c1", "state_mismatch"),
        ("http://127.0.0.1:8423/callback?code=c1&state=st_1&state=other", "state_mismatch"),
        ("http://127.0.0.1:8424/callback?code=c1&state=st_1", "bad_callback"),
        ("http://evil.example/callback?code=c1&state=st_1", "bad_callback"),
        ("http://127.0.0.1:8423/else?code=c1&state=st_1", "bad_callback"),
        ("http://127.0.0.1:8423/callback?state=st_1", "bad_callback"),
        ("http://127.0.0.1:8423/callback?code=c1&state=st_1&iss=https://us.posthog.com", "issuer_mismatch"),
        ("http://127.0.0.1:8423/callback?error=access_denied&state=st_1", "access_denied"),
    ] {
        assert_eq!(code(url), Err(expected), "{url}");
    }
}

#[test]
fn requests_carry_what_the_flow_needs_and_nothing_secret_in_the_url() {
    let (attempt, endpoints) = (attempt(), endpoints());
    let url = attempt.url(&endpoints).expect("a URL");
    assert!(url.starts_with("https://eu.posthog.com/oauth/authorize/?response_type=code&client_id=cli_1"), "{url}");
    assert!(url.contains("code_challenge_method=S256") && url.contains("required_access_level=project"), "{url}");
    assert!(!url.contains(&attempt.verifier), "{url}");
    let exchange = attempt.exchange(&endpoints, "c 1");
    let body = String::from_utf8(exchange.body).expect("text");
    assert!(body.contains("code=c+1&redirect_uri=http%3A%2F%2F127.0.0.1%3A8423%2Fcallback"), "{body}");
    assert!(!exchange.url.contains("c+1"));
}

#[test]
fn tokens_are_read_and_never_printed() {
    let tokens = read_tokens(&answer(200, include_str!("../fixtures/oauth_token_response.json"))).expect("tokens");
    assert_eq!((tokens.expires_in, tokens.scoped_teams.as_deref()), (Some(3600), Some(&[12345][..])));
    assert!(!format!("{tokens:?}").contains("pha_"));
    let denied = |status, body: &str| read_tokens(&answer(status, body)).expect_err("denied");
    assert!(denied(400, r#"{"error":"invalid_grant"}"#).is_final);
    assert!(denied(401, r#"{"error":"invalid_client"}"#).is_final);
    assert!(!denied(400, r#"{"error":"invalid_request"}"#).is_final);
    assert!(!denied(503, "down").is_final && !denied(400, "<html>").is_final && !denied(200, "{}").is_final);
}

#[test]
fn what_was_not_granted_is_named() {
    assert!(missing("*").is_empty() && missing(&SCOPES.join(" ")).is_empty());
    let without = SCOPES.join(" ").replace("hog_function:write", "").replace("person:read ", "");
    assert_eq!(missing(&without), ["hog_function:write"], "person:write holds person:read");
    assert_eq!(missing("openid").len(), SCOPES.len());
}

#[test]
fn the_document_names_itself_and_its_scopes_the_way_posthog_reads_them() {
    let id = format!("https://hub.example{DOCUMENT_PATH}");
    let document = document(&id);
    assert_eq!(document["client_id"], id.as_str());
    assert_eq!(document["client_uri"], "https://hub.example");
    assert_eq!(document["com.posthog"]["scopes"].as_array().map(Vec::len), Some(13));
    assert_eq!(document["redirect_uris"][2], "http://127.0.0.1:8425/callback");
    assert!(document.to_string().len() < 5_000, "PostHog reads no more than 5 KB");
}

#[test]
fn a_client_is_registered_or_the_reason_is_told() {
    assert_eq!(read_registration(&answer(201, r#"{"client_id":"abc"}"#)).as_deref(), Ok("abc"));
    assert!(read_registration(&answer(201, "{}")).is_err());
    let denied = read_registration(&answer(429, r#"{"error":"too_many"}"#)).expect_err("denied");
    assert!(denied.message.contains("429 too_many"), "{denied}");
}
