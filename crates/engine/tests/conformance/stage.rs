//! A store with two scripted ends: a mail server and a network that answer as told, and an
//! engine around them that remembers what it was asked.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use hogwire_connectors::http::{Request, Response};
use hogwire_engine::error::Result;
use hogwire_engine::outbox::hooks::{Ask, Engaged, Line, Rendered};
use hogwire_engine::outbox::{self, Hooks, Keys, NewMessage, Parts, Wanted};
use hogwire_engine::outside::{Disk, Entropy, Http, HttpAnswer, Mail, NoDns, Outside, Parcel, Reach, Wake};
use hogwire_engine::settings::{Connection, Sender, Settings};
use hogwire_engine::store::contacts::Stored;
use hogwire_engine::store::deliveries::Delivery;
use hogwire_engine::store::{Store, Tx, contact_keys, contacts, decisions, messages};
use hogwire_model::campaign::Settlement;
use hogwire_model::contact::consent::{Topic, TopicDefault, TopicKind};
use hogwire_model::contact::{Attributes, Contact, Key, KeyKind};
use hogwire_model::{Outcome, Span, Time};
use serde_json::Value;

pub fn noon() -> Time {
    Time::parse("2026-03-02T12:00:00Z").expect("a time")
}

pub struct Stage<'s> {
    pub store: &'s Store,
    pub settings: Settings,
    pub script: Script,
    pub mail: Arc<MailServer>,
    pub net: Arc<Net>,
    outside: Outside,
    keys: Keys,
}

#[derive(Default)]
pub struct Script {
    pub wanted: Mutex<HashMap<String, Wanted>>,
    pub settled: Mutex<Vec<(String, Settlement)>>,
    pub journal: Mutex<Vec<String>>,
    pub engaged: Mutex<Vec<&'static str>>,
    /// `{{ NAME }}` in webhooks.
    pub values: Mutex<HashMap<String, String>>,
}

type Sends = dyn FnMut(&Request) -> HttpAnswer + Send;

#[derive(Default)]
pub struct MailServer {
    pub got: Mutex<Vec<Parcel>>,
    pub says: Mutex<VecDeque<Outcome>>,
    /// The next batch is taken, and then we die before its answer.
    pub dies: Mutex<bool>,
    now: Mutex<Time>,
}

pub struct Net {
    pub got: Mutex<Vec<(Reach, Request)>>,
    pub says: Mutex<Box<Sends>>,
    now: Mutex<Time>,
}

struct Nothing;
struct Dice(Mutex<u64>);

impl<'s> Stage<'s> {
    pub fn new(store: &'s Store) -> Self {
        let mail = Arc::new(MailServer::default());
        let answer: Box<Sends> = Box::new(|_| answer(200, ""));
        let net = Arc::new(Net { got: Mutex::default(), says: Mutex::new(answer), now: Mutex::default() });
        let outside = Outside {
            http: net.clone(),
            mail: mail.clone(),
            dns: Arc::new(NoDns),
            disk: Arc::new(Nothing),
            entropy: Arc::new(Dice(Mutex::new(1))),
            wake: Arc::new(Nothing),
        };
        let keys = Keys { addresses: [1; 32], links: [2; 32] };
        Self { store, settings: settings(), script: Script::default(), mail, net, outside, keys }
    }

    pub fn parts(&self) -> Parts<'_> {
        Parts {
            store: self.store,
            outside: &self.outside,
            settings: &self.settings,
            keys: &self.keys,
            hooks: &self.script,
        }
    }

    pub fn entropy(&self) -> &dyn Entropy {
        &*self.outside.entropy
    }

    /// A known user with an address, known to the connection by a name of their own.
    pub fn contact(&self, id: &str) -> String {
        let address = format!("{id}@example.com");
        let stored = Stored {
            contact: Contact {
                id: id.to_owned(),
                identified: true,
                address: Some(address.clone()),
                address_from_event: false,
                attributes: Attributes::default(),
                created_at: noon(),
                seen_at: noon(),
            },
            name: Some("Ada".to_owned()),
            zone: None,
        };
        let key = Key { connection: "posthog".to_owned(), kind: KeyKind::Visitor, value: format!("user-{id}") };
        self.store
            .write(|tx| {
                contacts::save(tx, &mut [&stored], noon())?;
                contact_keys::add(tx, &[(&key, id)], noon())
            })
            .expect("a contact");
        address
    }

    pub fn change(&self, id: &str, change: impl FnOnce(&mut Stored)) {
        self.store
            .write(|tx| {
                let mut stored = contacts::find(tx, id)?.expect("a contact");
                change(&mut stored);
                contacts::save(tx, &mut [&stored], noon())
            })
            .expect("saved");
    }

    /// Queues a message for a contact made by `contact`; its enrollment is `run-CONTACT`.
    pub fn queue(&self, contact: &str, with: impl FnOnce(&mut NewMessage<'_>)) -> String {
        let (run, address) = (format!("run-{contact}"), format!("{contact}@example.com"));
        let mut new = NewMessage {
            contact_id: contact,
            campaign_id: "welcome",
            version: 1,
            enrollment_id: &run,
            step: "0",
            template: "hello",
            topic: "product",
            sender: "default",
            address: &address,
            expires: None,
            due: noon(),
            priority: 50,
            test: false,
        };
        with(&mut new);
        self.store.write(|tx| outbox::queue_message(tx, &new, self.entropy(), noon())).expect("queued")
    }

    /// One step of the mail job.
    pub fn send(&self, now: Time) -> outbox::Did {
        *self.mail.now.lock().expect("lock") = now;
        outbox::send::step(&self.parts(), now).expect("a step")
    }

    pub fn deliver(&self, now: Time) -> outbox::Did {
        *self.net.now.lock().expect("lock") = now;
        outbox::deliver::step(&self.parts(), now).expect("a step")
    }

    /// The step whose process dies between the mail server's taking and its answer.
    pub fn send_and_die(&self, now: Time) {
        *self.mail.dies.lock().expect("lock") = true;
        let died = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.send(now)));
        assert!(died.is_err(), "it was to die");
    }

    /// Leases go by the database's clock, which on PostgreSQL no test can move.
    pub fn let_leases_end(&self) {
        let ended = self.store.write(|tx| {
            tx.execute("UPDATE messages SET lease_until = 0", &[])?;
            tx.execute("UPDATE deliveries SET lease_until = 0", &[])
        });
        ended.expect("ended");
    }

    pub fn read<T>(&self, read: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> T {
        let mut tx = self.store.read().expect("a snapshot");
        read(&mut tx).expect("an answer")
    }

    pub fn message(&self, id: &str) -> messages::Message {
        self.read(|tx| messages::find(tx, id)).expect("a message")
    }

    pub fn status(&self, id: &str) -> &'static str {
        self.message(id).status.as_str()
    }

    /// To whom mail went, in order.
    pub fn recipients(&self) -> Vec<String> {
        self.mail.got.lock().expect("lock").iter().map(|parcel| parcel.to.clone()).collect()
    }

    pub fn last_mail(&self) -> String {
        let got = self.mail.got.lock().expect("lock");
        // Soft line breaks of quoted-printable are undone, so that links read whole.
        String::from_utf8_lossy(&got.last().expect("a mail").bytes).replace("=\r\n", "").replace("=3D", "=")
    }

    /// The token in the last mail's links.
    pub fn token(&self) -> String {
        let mail = self.last_mail();
        let at = mail.find("/u/").expect("an unsubscribe link") + 3;
        mail[at..at + 26].to_owned()
    }

    pub fn settled(&self) -> Vec<(String, Settlement)> {
        self.script.settled.lock().expect("lock").clone()
    }

    pub fn codes(&self, contact: &str) -> Vec<&'static str> {
        let ids = [contact.to_owned()];
        let told = self.read(|tx| decisions::about(tx, &ids, None, Time::default(), 100));
        told.iter().map(|told| told.decision.code.as_str()).collect()
    }
}

pub fn answer(status: u16, body: &str) -> HttpAnswer {
    HttpAnswer::Response(Response { status, headers: Vec::new(), body: body.as_bytes().to_vec() })
}

pub fn minutes(n: i64) -> Time {
    noon().plus(Span::minutes(n))
}

fn settings() -> Settings {
    let connection = Connection {
        connector: "posthog".to_owned(),
        ingestion_host: "https://eu.i.posthog.com".to_owned(),
        app_host: "https://eu.posthog.com".to_owned(),
        project_token: Some("phc_test".to_owned()),
        personal_key: None,
        project: None,
        capture: true,
        test_mode: false,
        starts_active: true,
        webhook_secret: None,
        mapping: hogwire_model::mapping::Mapping::default(),
    };
    let sender = |per_hour| Sender {
        from: "Acme <hello@acme.test>".to_owned(),
        relay: None,
        per_second: None,
        per_hour,
        per_day: None,
    };
    let topic = |kind| Topic::new("", kind, TopicDefault::Allowed);
    Settings {
        connections: [("posthog".to_owned(), connection)].into(),
        senders: [("default".to_owned(), sender(None)), ("slow".to_owned(), sender(Some(2)))].into(),
        vouched_domains: vec!["acme.test".to_owned()],
        topics: [
            ("product".to_owned(), topic(TopicKind::Marketing)),
            ("news".to_owned(), topic(TopicKind::Marketing)),
            ("receipts".to_owned(), topic(TopicKind::Transactional)),
        ]
        .into(),
        public_url: "https://go.acme.test".to_owned(),
        ..Settings::default()
    }
}

impl Mail for MailServer {
    fn send(&self, parcels: Vec<Parcel>) -> Vec<(Time, Outcome)> {
        let answers = parcels
            .iter()
            .map(|_| {
                let next = self.says.lock().expect("lock").pop_front();
                (*self.now.lock().expect("lock"), next.unwrap_or(Outcome::Done("250 ok".to_owned())))
            })
            .collect();
        self.got.lock().expect("lock").extend(parcels);
        assert!(!std::mem::take(&mut *self.dies.lock().expect("lock")), "died here, as the script says");
        answers
    }
}

impl Http for Net {
    fn send(&self, reach: Reach, requests: Vec<Request>) -> Vec<(Time, HttpAnswer)> {
        let now = *self.now.lock().expect("lock");
        let mut says = self.says.lock().expect("lock");
        let answers = requests.iter().map(|request| (now, says(request))).collect();
        self.got.lock().expect("lock").extend(requests.into_iter().map(|request| (reach, request)));
        answers
    }
}

impl Hooks for Script {
    fn wanted(&self, _: &mut Tx<'_>, enrollment_id: &str, _: Time) -> Result<Wanted> {
        Ok(self.wanted.lock().expect("lock").get(enrollment_id).copied().unwrap_or(Wanted::Yes))
    }

    fn settled(&self, _: &mut Tx<'_>, enrollment_id: &str, settlement: Settlement, _: Time) -> Result<()> {
        self.settled.lock().expect("lock").push((enrollment_id.to_owned(), settlement));
        Ok(())
    }

    fn template_topic(&self, _: &mut Tx<'_>, template: &str) -> Result<Option<String>> {
        Ok((template == "receipt").then(|| "receipts".to_owned()))
    }

    fn render(&self, _: &mut Tx<'_>, ask: &Ask<'_>) -> Result<std::result::Result<Rendered, String>> {
        if ask.message.template == "broken" {
            return Ok(Err("line 3 says {{ nothing }}".to_owned()));
        }
        let html = format!(
            "<body><a href=\"https://shop.test/?a=1&amp;b=2\">Shop</a> <a href=\"{}\">Stop</a></body>",
            ask.unsubscribe_url
        );
        let plain = format!("Shop: https://shop.test/\nStop: {}", ask.unsubscribe_url);
        Ok(Ok(Rendered { subject: "Hello".to_owned(), html, plain, from: None }))
    }

    fn fill(&self, _: &mut Tx<'_>, _: &Delivery, value: Value, _: Time) -> Result<std::result::Result<Value, String>> {
        let mut text = value.to_string();
        for (name, known) in self.values.lock().expect("lock").iter() {
            text = text.replace(&format!("{{{{ {name} }}}}"), known);
        }
        if text.contains("{{ wrong }}") {
            return Ok(Err("wrong is not known".to_owned()));
        }
        Ok(Ok(serde_json::from_str(&text).expect("json")))
    }

    fn fill_secret(
        &self,
        tx: &mut Tx<'_>,
        delivery: &Delivery,
        value: Value,
        now: Time,
    ) -> Result<std::result::Result<Value, String>> {
        self.fill(tx, delivery, value, now)
    }

    fn webhook_secrets(&self, _: &mut Tx<'_>, _: Time) -> Result<Vec<String>> {
        Ok(vec!["whsec_c2VjcmV0c2VjcmV0c2VjcmV0".to_owned()])
    }

    fn verified(&self, _: &mut Tx<'_>, domain: &str) -> Result<bool> {
        Ok(domain == "proven.test")
    }

    fn signers(&self, _: &mut Tx<'_>, _: &str) -> Result<Arc<[hogwire_connectors::smtp::dkim::Key]>> {
        Ok(Arc::new([]))
    }

    fn journal(&self, lines: &[Line<'_>], _: Time) -> Result<()> {
        self.journal.lock().expect("lock").extend(lines.iter().map(|line| format!("{line:?}")));
        Ok(())
    }

    fn engaged(&self, _: &mut Tx<'_>, engaged: &Engaged<'_>, _: Time) -> Result<()> {
        self.engaged.lock().expect("lock").push(engaged.kind);
        Ok(())
    }
}

impl Entropy for Dice {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.0.lock().expect("lock");
        for byte in bytes {
            // Knuth's MMIX generator: enough to make ids differ.
            *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (*state >> 33) as u8;
        }
    }
}

impl Wake for Nothing {
    fn wake(&self) {}
}

impl Disk for Nothing {
    fn list(&self) -> std::io::Result<Vec<String>> {
        Ok(Vec::new())
    }
    fn create(&self, _: &str, _: u64) -> std::io::Result<()> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
    fn write_sync(&self, _: &str, _: u64, _: &[u8]) -> std::io::Result<()> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
    fn read(&self, _: &str, _: u64, _: usize) -> std::io::Result<Vec<u8>> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
    fn size(&self, _: &str) -> std::io::Result<u64> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
    fn remove(&self, _: &str) -> std::io::Result<()> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
    fn rename(&self, _: &str, _: &str) -> std::io::Result<()> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
    fn free(&self) -> Option<u64> {
        None
    }
}
