//! Mail on a real socket: a server that says what the test tells it to.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use hogwire::adapters::clock::Clock;
use hogwire::adapters::smtp::{Post, Route};
use hogwire_engine::outside::{Mail as _, Parcel};
use hogwire_model::Outcome;
use tokio::runtime::Runtime;

/// What the server does with a recipient.
#[derive(Clone, Copy)]
enum Mood {
    Takes,
    RefusesRecipient,
    Defers,
    HangsUpAtData,
    HangsUpAfterMessage,
    ClosesIdle,
}

pub struct Sink {
    pub url: String,
    /// Mails that were taken: recipient and text.
    pub mails: Arc<Mutex<Vec<(String, String)>>>,
    pub connections: Arc<Mutex<usize>>,
}

impl Sink {
    pub fn new() -> Self {
        Self::with(Mood::Takes)
    }

    fn with(mood: Mood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("smtp://{}", listener.local_addr().expect("an address"));
        let (mails, connections) = (Arc::<Mutex<Vec<_>>>::default(), Arc::<Mutex<usize>>::default());
        let (kept, counted) = (mails.clone(), connections.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                *counted.lock().expect("counts") += 1;
                let kept = kept.clone();
                thread::spawn(move || drop(converse(&stream, mood, &kept)));
            }
        });
        Self { url, mails, connections }
    }
}

fn converse(stream: &TcpStream, mood: Mood, kept: &Mutex<Vec<(String, String)>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let say = |line: &str| (&*stream).write_all(format!("{line}\r\n").as_bytes());
    say("220 test")?;
    let mut recipient = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let verb: String = line.chars().take(4).collect::<String>().to_uppercase();
        match verb.as_str() {
            "EHLO" => say("250-test\r\n250 8BITMIME")?,
            "RCPT" => {
                recipient = line.trim().trim_start_matches("RCPT TO:<").trim_end_matches('>').to_owned();
                match mood {
                    Mood::RefusesRecipient => say("550 5.1.1 no such user")?,
                    Mood::Defers => say("451 4.2.1 try again later")?,
                    _ => say("250 ok")?,
                }
            }
            "DATA" => {
                if matches!(mood, Mood::HangsUpAtData) {
                    return Ok(());
                }
                say("354 go on")?;
                let mut text = String::new();
                loop {
                    let mut line = String::new();
                    if reader.read_line(&mut line)? == 0 || line == ".\r\n" {
                        break;
                    }
                    text.push_str(line.strip_prefix('.').unwrap_or(&line));
                }
                if matches!(mood, Mood::HangsUpAfterMessage) {
                    return Ok(());
                }
                kept.lock().expect("mails").push((recipient.clone(), text));
                say("250 2.0.0 queued as 1")?;
                if matches!(mood, Mood::ClosesIdle) {
                    return Ok(());
                }
            }
            "QUIT" => return say("221 bye"),
            _ => say("250 ok")?,
        }
    }
}

fn parcel(to: &str) -> Parcel {
    Parcel {
        sender: "default".to_owned(),
        envelope_from: "us@acme.test".to_owned(),
        to: to.to_owned(),
        bytes: b"Subject: hello\r\n\r\nA line.\r\n.A line with a dot.\r\n".to_vec(),
    }
}

fn send(sink: &Sink, parcels: Vec<Parcel>) -> (Vec<Outcome>, Post) {
    let runtime = Box::leak(Box::new(Runtime::new().expect("a runtime")));
    let routes = BTreeMap::from([("default".to_owned(), Route::parse(&sink.url).expect("a route"))]);
    let post = Post::new(runtime.handle().clone(), Clock::real(), routes);
    let outcomes = post.send(parcels).into_iter().map(|(_, outcome)| outcome).collect();
    (outcomes, post)
}

#[test]
fn many_mails_go_over_few_connections_each_once_and_whole() {
    let sink = Sink::new();
    let parcels = (0..100).map(|n| parcel(&format!("u{n}@b.test"))).collect();
    let (outcomes, post) = send(&sink, parcels);
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Done(said) if said.contains("queued"))));
    let mails = sink.mails.lock().expect("mails").clone();
    assert_eq!(mails.len(), 100);
    assert!(mails.iter().all(|(_, text)| text.contains("\r\n.A line with a dot.\r\n")), "dots are kept");
    assert!(*sink.connections.lock().expect("counts") <= 8);
    post.reach("default").expect("it greets");
}

#[test]
fn what_a_server_says_is_what_becomes_of_the_mail() {
    let only = |mood| send(&Sink::with(mood), vec![parcel("u@b.test")]).0.remove(0);
    assert!(matches!(only(Mood::RefusesRecipient), Outcome::Refused(why) if why.contains("5.1.1")));
    assert!(matches!(only(Mood::Defers), Outcome::Retry(_)));
    assert!(matches!(only(Mood::HangsUpAtData), Outcome::Retry(_)), "no byte of the mail was sent");
    assert!(matches!(only(Mood::HangsUpAfterMessage), Outcome::Unknown(_)), "nobody knows");
    let mut odd = parcel("not an address");
    odd.sender = "default".to_owned();
    let mut stranger = parcel("u@b.test");
    stranger.sender = "nobody".to_owned();
    let (outcomes, _) = send(&Sink::new(), vec![odd, stranger]);
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Refused(_))), "{outcomes:?}");
}

#[test]
fn a_connection_that_the_server_closed_meanwhile_is_opened_anew() {
    let sink = Sink::with(Mood::ClosesIdle);
    let (_, post) = send(&sink, vec![parcel("a@b.test")]);
    let outcome = post.send(vec![parcel("b@b.test")]).remove(0).1;
    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    assert_eq!(sink.mails.lock().expect("mails").len(), 2);
}

#[test]
fn a_server_that_is_not_there_is_tried_again_later() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("smtp://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let sink = Sink { url, mails: Arc::default(), connections: Arc::default() };
    let (outcomes, post) = send(&sink, vec![parcel("u@b.test")]);
    assert!(matches!(&outcomes[0], Outcome::Retry(_)), "{outcomes:?}");
    assert!(post.reach("default").expect_err("nobody is there").contains("cannot be reached"));
}

#[test]
fn encryption_is_asked_for_beyond_this_machine() {
    for good in [
        "smtps://u:p@mail.example",
        "smtp://mail.example",
        "smtp://127.0.0.1:25",
        "smtp://[::1]",
        "smtp://x.example?tls=none",
    ] {
        assert!(Route::parse(good).is_ok(), "{good}");
    }
    for bad in ["http://mail.example", "smtp://", "mail.example", "smtp://x?tls=perhaps"] {
        assert!(Route::parse(bad).is_err(), "{bad}");
    }
}
