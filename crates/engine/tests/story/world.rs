//! A small outside for the stories: mail that is kept, a network that says yes.

use std::collections::{BTreeMap, VecDeque};
use std::io::{Error, ErrorKind};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use hogwire_connectors::Shape;
use hogwire_connectors::http::{Request, Response};
use hogwire_connectors::smtp::records::{Kind, Looked, Question};
use hogwire_engine::campaigns::{Actor, Project, SourceFile};
use hogwire_engine::inbox::{Inbox, Record};
use hogwire_engine::outside::{Disk, Dns, Entropy, Http, HttpAnswer, Mail, Outside, Parcel, Reach, Wake};
use hogwire_engine::secrets::Keyring;
use hogwire_engine::settings::{Connection, Sender, Settings};
use hogwire_engine::store::{Store, coverage};
use hogwire_engine::{Engine, Work, tracking};
use hogwire_model::{Outcome, Span, Time};
use serde_json::{Value, json};

pub struct World {
    pub engine: Engine,
    pub mail: Arc<Mails>,
    pub net: Arc<Net>,
    pub dns: Arc<Zone>,
    pub now: Time,
    /// What the operator settled; in force from the next `reopen`.
    pub settings: Settings,
    outside: Outside,
    place: Place,
}

/// Name servers that say what they were told to, and nothing else.
#[derive(Default)]
pub struct Zone(Mutex<BTreeMap<(Kind, String), Looked>>);

impl Zone {
    pub fn say(&self, kind: Kind, name: &str, looked: Looked) {
        self.0.lock().expect("zone").insert((kind, name.to_owned()), looked);
    }
}

impl Dns for Zone {
    fn look(&self, questions: Vec<Question>) -> Vec<Looked> {
        let zone = self.0.lock().expect("zone");
        let one = |question: Question| zone.get(&(question.kind, question.name)).cloned();
        questions.into_iter().map(|question| one(question).unwrap_or(Looked::Nothing)).collect()
    }
}

/// Where the database is, so that it can be opened again.
enum Place {
    File(tempfile::TempDir),
    Schema { url: String, name: String, is_first: bool },
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Self::Schema { url, name, is_first: true } = self
            && let Ok(mut client) = postgres::Client::connect(url, postgres::NoTls)
        {
            let _ = client.batch_execute(&format!("DROP SCHEMA {name} CASCADE"));
        }
    }
}

/// Tells a story that is about the file of a SQLite installation.
pub fn on_sqlite(story: impl FnOnce(World)) {
    story(World::new(Place::File(tempfile::tempdir().expect("a folder"))));
}

/// Tells a story in a world on SQLite, and in one on PostgreSQL.
pub fn on_both(name: &str, story: impl Fn(World)) {
    story(World::new(Place::File(tempfile::tempdir().expect("a folder"))));
    match std::env::var("HOGWIRE_TEST_POSTGRES") {
        Ok(url) => story(World::new(schema(url, name, true))),
        Err(_) if std::env::var("HOGWIRE_TEST_SQLITE_ONLY").is_ok_and(|only| only == "1") => {}
        Err(_) => panic!(
            "this test needs PostgreSQL: `cargo x test` starts one and sets HOGWIRE_TEST_POSTGRES; \
             HOGWIRE_TEST_SQLITE_ONLY=1 leaves that half out"
        ),
    }
}

#[derive(Default)]
pub struct Mails {
    sent: Mutex<Vec<Parcel>>,
    dies: AtomicBool,
    clock: AtomicU64,
}

impl Mails {
    /// The next batch goes out, and the process dies before the answer is heard.
    pub fn die_next(&self) {
        self.dies.store(true, Ordering::SeqCst);
    }
}

impl Mail for Mails {
    fn send(&self, parcels: Vec<Parcel>) -> Vec<(Time, Outcome)> {
        let at = Time::from_millis(i64::try_from(self.clock.load(Ordering::SeqCst)).expect("a time"));
        let answers = parcels.iter().map(|_| (at, Outcome::Done("250 ok".to_owned()))).collect();
        self.sent.lock().expect("mails").extend(parcels);
        assert!(!self.dies.swap(false, Ordering::SeqCst), "the process dies here");
        answers
    }
}

/// A network that says what it was told to say, else yes, and remembers what it was asked.
#[derive(Default)]
pub struct Net {
    asked: Mutex<Vec<Request>>,
    answers: Mutex<VecDeque<Response>>,
    clock: AtomicI64,
}

impl Net {
    /// The next request gets this answer.
    pub fn will_answer(&self, status: u16, body: &Value) {
        let response = Response { status, headers: Vec::new(), body: body.to_string().into_bytes() };
        self.answers.lock().expect("answers").push_back(response);
    }

    /// Bodies of what was asked of a URL.
    pub fn asked(&self, url: &str) -> Vec<String> {
        let asked = self.asked.lock().expect("requests");
        let bodies = asked.iter().filter(|request| request.url == url).map(|request| request.body.clone());
        bodies.map(|body| String::from_utf8(body).expect("text")).collect()
    }
}

impl Http for Net {
    fn send(&self, _: Reach, requests: Vec<Request>) -> Vec<(Time, HttpAnswer)> {
        self.asked.lock().expect("requests").extend(requests.iter().cloned());
        let yes = || Response { status: 200, ..Response::default() };
        let at = Time::from_millis(self.clock.load(Ordering::SeqCst));
        let mut answers = self.answers.lock().expect("answers");
        requests.iter().map(|_| (at, HttpAnswer::Response(answers.pop_front().unwrap_or_else(yes)))).collect()
    }
}

#[derive(Default)]
struct Memory(Mutex<BTreeMap<String, Vec<u8>>>);

impl Disk for Memory {
    fn list(&self) -> std::io::Result<Vec<String>> {
        Ok(self.0.lock().expect("disk").keys().cloned().collect())
    }

    fn create(&self, name: &str, size: u64) -> std::io::Result<()> {
        let size = usize::try_from(size).map_err(Error::other)?.min(1 << 20);
        self.0.lock().expect("disk").insert(name.to_owned(), vec![0; size]);
        Ok(())
    }

    fn write_sync(&self, name: &str, offset: u64, bytes: &[u8]) -> std::io::Result<()> {
        let mut files = self.0.lock().expect("disk");
        let file = files.get_mut(name).ok_or_else(|| Error::from(ErrorKind::NotFound))?;
        let start = usize::try_from(offset).map_err(Error::other)?;
        file.resize(file.len().max(start + bytes.len()), 0);
        file[start..start + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn read(&self, name: &str, offset: u64, length: usize) -> std::io::Result<Vec<u8>> {
        let files = self.0.lock().expect("disk");
        let file = files.get(name).ok_or_else(|| Error::from(ErrorKind::NotFound))?;
        let start = usize::try_from(offset).map_err(Error::other)?.min(file.len());
        Ok(file[start..start.saturating_add(length).min(file.len())].to_vec())
    }

    fn size(&self, name: &str) -> std::io::Result<u64> {
        let files = self.0.lock().expect("disk");
        files.get(name).map(|file| file.len() as u64).ok_or_else(|| Error::from(ErrorKind::NotFound))
    }

    fn remove(&self, name: &str) -> std::io::Result<()> {
        self.0.lock().expect("disk").remove(name);
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> std::io::Result<()> {
        let mut files = self.0.lock().expect("disk");
        let file = files.remove(from).ok_or_else(|| Error::from(ErrorKind::NotFound))?;
        files.insert(to.to_owned(), file);
        Ok(())
    }

    fn free(&self) -> Option<u64> {
        None
    }
}

/// Worlds throw different dice, as nodes do.
static WORLDS: AtomicU64 = AtomicU64::new(0);

struct Counter(AtomicU64);

impl Entropy for Counter {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let n = self.0.fetch_add(1, Ordering::SeqCst);
            let mut mixed = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            *byte = (mixed ^ (mixed >> 27)) as u8;
        }
    }
}

struct Quiet;

impl Wake for Quiet {
    fn wake(&self) {}
}

const TEMPLATE: &str = "---\nsubject: Welcome, {{ contact.name | default: 'you' }}\n---\nHello {{ contact.name }}, [start](https://app.example.com/start).\n";

fn schema(url: String, name: &str, is_first: bool) -> Place {
    Place::Schema { url, name: format!("s_{name}_{}", std::process::id()), is_first }
}

/// Tells a story of two nodes on one PostgreSQL. Without one, `on_both` says how to get it.
pub fn on_postgres(name: &str, story: impl Fn(World, World)) {
    if let Ok(url) = std::env::var("HOGWIRE_TEST_POSTGRES") {
        let first = World::new(schema(url.clone(), name, true));
        story(first, World::new(schema(url, name, false)));
    }
}

impl World {
    fn new(place: Place) -> Self {
        let now = Time::parse("2026-03-02T09:00:00Z").expect("a time");
        let mail = Arc::new(Mails::default());
        mail.clock.store(u64::try_from(now.millis()).expect("a time"), Ordering::SeqCst);
        let net = Arc::new(Net::default());
        net.clock.store(now.millis(), Ordering::SeqCst);
        let dns = Arc::new(Zone::default());
        let outside = Outside {
            http: net.clone(),
            mail: mail.clone(),
            dns: dns.clone(),
            disk: Arc::new(Memory::default()),
            entropy: Arc::new(Counter(AtomicU64::new(WORLDS.fetch_add(1, Ordering::SeqCst) << 40))),
            wake: Arc::new(Quiet),
        };
        let settings = settings();
        let engine = open(&outside, &place, &settings, now);
        Self { engine, mail, net, dns, now, settings, outside, place }
    }

    /// The process ends and starts again with another key, and with a spare of the root or
    /// without. Answers why it did not start.
    pub fn reopen_with(&mut self, key: &str, spare: Option<&str>) -> Result<(), hogwire_engine::Error> {
        let keyring = Keyring::parse(key).expect("a key");
        let keyring = match spare {
            Some(spare) => keyring.with_spare(spare).expect("a root"),
            None => keyring,
        };
        self.engine = try_open(&self.outside, &self.place, &self.settings, keyring, self.now)?;
        Ok(())
    }

    /// The process ends and starts again on the same disk and database.
    pub fn reopen(&mut self) {
        self.engine = open(&self.outside, &self.place, &self.settings, self.now);
    }

    /// The database is replaced by a copy; the log and the journal beside it stay.
    pub fn put_back(&mut self, copy: &std::path::Path) {
        let Place::File(folder) = &mut self.place else { panic!("a file") };
        *folder = tempfile::tempdir().expect("a folder");
        std::fs::copy(copy, folder.path().join("hogwire.db")).expect("copied");
        self.reopen();
    }

    pub fn apply(&self, id: &str, text: &str) {
        let file =
            |id: &str, kind: &str, text: &str| SourceFile { id: id.into(), kind: kind.into(), text: text.into() };
        let project =
            Project { campaigns: vec![file(id, "yaml", text)], templates: vec![file("welcome", "md", TEMPLATE)] };
        let actor = Actor { name: "test", origin: "file" };
        let changes = self.engine.apply(&project, actor, false, self.now).expect("applied");
        assert!(changes.iter().all(|change| !change.problems.has_errors()), "{changes:?}");
    }

    pub fn receive(&self, body: &Value) {
        let body = body.to_string().into_bytes();
        let shape = hogwire_connectors::detect(&body);
        hogwire_connectors::check(shape, &body).expect("a good body");
        let record =
            Record { connection: "posthog", shape: Shape::as_str(shape), arrived: self.now, body: &body, lane_hint: 0 };
        self.engine.receive(&[record]).expect("received");
    }

    /// Does all work there is, now.
    pub fn settle(&self) {
        for _ in 0..20 {
            let did: usize = Work::ALL.iter().map(|work| self.engine.step(*work, self.now).expect("a step").did).sum();
            if did == 0 {
                return;
            }
        }
    }

    pub fn later_days(&mut self, days: i64) {
        self.later(Span::days(days));
    }

    /// Somebody compared with the source and found that nothing is missing.
    pub fn nothing_is_missing(&self) {
        self.settle();
        let closed = self.engine.store().write(|tx| coverage::close_gaps(tx, "posthog", self.now));
        closed.expect("closed");
    }

    pub fn later(&mut self, span: Span) {
        self.now = self.now.plus(span);
        self.net.clock.store(self.now.millis(), Ordering::SeqCst);
        self.mail.clock.store(u64::try_from(self.now.millis()).expect("a time"), Ordering::SeqCst);
    }

    pub fn mails(&self) -> Vec<Parcel> {
        self.mail.sent.lock().expect("mails").clone()
    }

    /// The reader of the first mail follows its unsubscribe link and says yes, no more of anything.
    pub fn unsubscribe(&self) {
        let text = String::from_utf8_lossy(&self.mails()[0].bytes).into_owned();
        let at = text.find("hogwire.example/u/").expect("a link") + "hogwire.example/u/".len();
        let token: String = text[at..].chars().take_while(char::is_ascii_alphanumeric).collect();
        let left = self
            .engine
            .with_parts(|parts| tracking::unsubscribe(parts, &token, tracking::Scope::Everything, "link", self.now));
        assert!(left.expect("unsubscribed"), "the link is known");
    }

    /// Whether a text stands in any file of the log, the journal among them, or in the table
    /// that takes its place.
    pub fn log_holds(&self, text: &str) -> bool {
        let holds = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        let disk = &self.outside.disk;
        let names = disk.list().expect("names");
        let mut files = names.iter().map(|name| {
            let size = usize::try_from(disk.size(name).expect("a size")).expect("a size");
            disk.read(name, 0, size).expect("bytes")
        });
        match &self.place {
            Place::File(_) => files.any(|bytes| holds(&bytes)),
            Place::Schema { url, name, .. } => {
                let mut client = postgres::Client::connect(url, postgres::NoTls).expect("connected");
                let rows = client.query(&format!("SELECT body FROM {name}.inbox"), &[]).expect("rows");
                files.any(|bytes| holds(&bytes)) || rows.iter().any(|row| holds(row.get::<_, &[u8]>(0)))
            }
        }
    }

    /// Whether a text stands in any row of any table, but the inbox.
    pub fn database_holds(&self, text: &str) -> bool {
        match &self.place {
            Place::File(folder) => {
                let copy = folder.path().join("looked-at.db");
                // What is written anew holds rows alone, and no space that was given up.
                let held = rusqlite::Connection::open(folder.path().join("hogwire.db")).expect("opened");
                held.execute("VACUUM INTO ?1", [copy.to_str()]).expect("a copy");
                let bytes = std::fs::read(&copy).expect("bytes");
                std::fs::remove_file(&copy).expect("removed");
                bytes.windows(text.len()).any(|window| window == text.as_bytes())
            }
            Place::Schema { url, name, .. } => {
                let mut client = postgres::Client::connect(url, postgres::NoTls).expect("connected");
                let tables =
                    "SELECT tablename::text FROM pg_tables WHERE schemaname = $1 AND tablename NOT LIKE 'inbox%'";
                let tables = client.query(tables, &[name]).expect("tables");
                tables.iter().any(|table| {
                    let table: String = table.get(0);
                    let sql = format!("SELECT 1 FROM {name}.{table} t WHERE t::text LIKE $1 LIMIT 1");
                    !client.query(&sql, &[&format!("%{text}%")]).expect("rows").is_empty()
                })
            }
        }
    }

    /// Every event that was captured, of this name.
    pub fn captured(&self, name: &str) -> Vec<Value> {
        let requests = self.net.asked.lock().expect("requests");
        let bodies = requests.iter().filter_map(|request| serde_json::from_slice::<Value>(&request.body).ok());
        let events = bodies.flat_map(|body| body["batch"].as_array().cloned().unwrap_or_default());
        events.filter(|event| event["event"] == name).collect()
    }

    pub fn explain(&self, campaign: &str, contact: &str) -> String {
        match self.engine.explain(campaign, contact, self.now) {
            Ok(explained) => serde_json::to_string_pretty(&explained).expect("JSON"),
            Err(error) => error.to_string(),
        }
    }
}

fn open(outside: &Outside, place: &Place, settings: &Settings, now: Time) -> Engine {
    let keyring = Keyring::parse(&"ab".repeat(32)).expect("a key");
    try_open(outside, place, settings, keyring, now).expect("an engine")
}

fn try_open(
    outside: &Outside,
    place: &Place,
    settings: &Settings,
    keyring: Keyring,
    now: Time,
) -> Result<Engine, hogwire_engine::Error> {
    let (store, inbox) = match place {
        Place::File(folder) => {
            let store = Store::sqlite(&folder.path().join("hogwire.db")).expect("a store");
            (store, Inbox::log(outside.disk.clone()).expect("an inbox"))
        }
        Place::Schema { url, name, .. } => (Store::postgres(url, name).expect("a store"), Inbox::table()),
    };
    Engine::open(store, inbox, settings.clone(), outside.clone(), keyring, now)
}

fn settings() -> Settings {
    let connection = Connection {
        connector: "posthog".into(),
        ingestion_host: "https://ph.example".into(),
        app_host: "https://ph.example".into(),
        project_token: Some("phc_x".into()),
        personal_key: None,
        project: None,
        capture: true,
        test_mode: false,
        starts_active: true,
        webhook_secret: Some("s3cr3t".into()),
        mapping: hogwire_model::mapping::Mapping::default(),
    };
    let sender = Sender {
        from: "Shop <hello@shop.example>".into(),
        relay: None,
        per_second: None,
        per_hour: None,
        per_day: None,
    };
    Settings {
        connections: [("posthog".to_owned(), connection)].into(),
        senders: [("default".to_owned(), sender)].into(),
        vouched_domains: vec!["shop.example".into()],
        public_url: "https://hogwire.example".into(),
        ..Settings::default()
    }
}

/// PostHog's own webhook body for a signup.
pub fn signup(uuid: &str, id: &str, address: &str, plan: &str) -> Value {
    let name = if address.starts_with("ada") { "Ada" } else { "Someone" };
    json!({
        "event": { "uuid": uuid, "event": "user_signed_up", "distinct_id": id, "properties": { "plan": plan }, "timestamp": "2026-03-02T08:59:59Z" },
        "person": { "id": format!("person-{id}"), "properties": { "email": address, "name": name, "plan": plan } }
    })
}

/// An event in the flat capture form.
pub fn event(uuid: &str, id: &str, name: &str, at: &Time, properties: Value) -> Value {
    json!({ "uuid": uuid, "event": name, "distinct_id": id, "timestamp": at.to_string(), "properties": properties })
}
