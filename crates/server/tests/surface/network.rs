//! Requests to the outside: what may be called, and what is told of what happened.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use hogwire::adapters::clock::Clock;
use hogwire::adapters::guard;
use hogwire::adapters::http::Web;
use hogwire_connectors::http::Request;
use hogwire_engine::outside::{Http as _, HttpAnswer, Reach};
use hogwire_model::Span;
use tokio::runtime::Runtime;
use url::Url;

/// Answers every connection with these bytes, and hangs up.
fn server(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut buffer = [0; 4_096];
            let _ = stream.read(&mut buffer);
            let _ = stream.write_all(answer);
        }
    });
    url
}

fn ask(private_too: bool, reach: Reach, requests: Vec<Request>) -> Vec<HttpAnswer> {
    let runtime = Runtime::new().expect("a runtime");
    let web = Web::new(runtime.handle().clone(), Clock::real(), private_too);
    web.send(reach, requests).into_iter().map(|(_, answer)| answer).collect()
}

#[test]
fn only_public_addresses_are_called_for_campaigns() {
    for url in [
        "https://127.0.0.1/",
        "https://0x7f.1/",
        "https://2130706433/",
        "https://127.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://10.1.2.3/",
        "https://192.168.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://100.64.0.1/",
        "https://[fd00:ec2::254]/",
        "https://[fe80::1]/",
        "https://[64:ff9b::a00:1]/",
        "https://[2002:a00:1::]/",
        "https://0.0.0.0/",
        "https://localhost/",
        "https://LOCALHOST./",
        "https://db.internal/",
        "https://printer/",
        "https://a.local/",
        "http://example.com/",
        "ftp://example.com/",
        "https://user:pw@example.com/",
        "https://example.com:22/",
        "https://１２７.０.０.１/",
        "https://224.0.0.1/",
        "https://255.255.255.255/",
    ] {
        let url = Url::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
        assert!(guard::check(&url, false).is_err(), "{url}");
    }
    for url in
        ["https://example.com/", "https://93.184.216.34/", "https://[2606:2800:220:1::1]/", "https://example.com:8443/"]
    {
        assert!(guard::check(&Url::parse(url).expect("a URL"), false).is_ok(), "{url}");
    }
    for url in ["https://169.254.169.254/", "https://[fe80::1]/", "https://0.0.0.0/"] {
        assert!(guard::check(&Url::parse(url).expect("a URL"), true).is_err(), "{url} never");
    }
    let url = server(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    let answers = ask(false, Reach::Guarded, vec![Request::new("POST", url.clone())]);
    assert!(matches!(&answers[0], HttpAnswer::Forbidden(_)));
    let answers = ask(true, Reach::Guarded, vec![Request::new("POST", url.clone())]);
    assert!(matches!(&answers[0], HttpAnswer::Response(response) if response.status == 200 && response.body == b"ok"));
    let answers = ask(false, Reach::Configured, vec![Request::new("POST", url)]);
    assert!(matches!(&answers[0], HttpAnswer::Response(response) if response.status == 200));
}

#[test]
fn redirects_are_not_followed_and_long_answers_are_cut() {
    let moved = server(b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n");
    let answers = ask(true, Reach::Guarded, vec![Request::new("GET", moved)]);
    assert!(matches!(&answers[0], HttpAnswer::Response(response) if response.status == 302));
    let mut long = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    long.resize(300_000, b'x');
    let answers = ask(true, Reach::Guarded, vec![Request::new("GET", server(long.leak()))]);
    assert!(matches!(&answers[0], HttpAnswer::Response(response) if response.body.len() == 64 << 10));
}

#[test]
fn not_sent_and_broken_are_told_apart_in_the_order_asked() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port");
    let closed_url = format!("http://{}/", closed.local_addr().expect("an address"));
    drop(closed);
    let silent_url = format!("http://{}/", silent.local_addr().expect("an address"));
    let fine = server(b"HTTP/1.1 204 No Content\r\n\r\n");
    let answers = ask(
        false,
        Reach::Configured,
        vec![
            Request::new("GET", silent_url).within(Span::millis(300)),
            Request::new("GET", closed_url),
            Request::new("GET", fine),
            Request::new("GET", "not a url"),
        ],
    );
    assert!(matches!(&answers[0], HttpAnswer::Broken(why) if why.contains("timed out")));
    assert!(matches!(&answers[1], HttpAnswer::NotSent(_)));
    assert!(matches!(&answers[2], HttpAnswer::Response(response) if response.status == 204));
    assert!(matches!(&answers[3], HttpAnswer::Forbidden(_)));
}
