//! One life after another: start, load, kill.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hogwire_sim::seed::Dice;
use hogwire_sim::smtp;
use serde_json::json;

use super::Place;
use super::ledger::Ledger;

const SECRET: &str = "crash-secret";
/// How long a start may take before it counts as broken.
const START: Duration = Duration::from_secs(30);
/// How long the last life may take to work everything off.
const DRAIN: Duration = Duration::from_secs(150);
const SENDERS: usize = 4;
/// Between two signups of one sender.
const PACE: Duration = Duration::from_millis(20);

const CAMPAIGN: &str = "name: Welcome
status: active
trigger: { event: user_signed_up }
entry: { every: true }
steps: [ { email: { template: welcome } } ]
";
const TEMPLATE: &str = "---\nsubject: Welcome\n---\nHello.\n";

/// Lives and kills the program this often, and lets a last life work everything off.
pub async fn all(program: &Path, place: &Place, times: u32, dice: &mut Dice) -> Result<Arc<Ledger>, String> {
    let ledger = Arc::new(Ledger::default());
    let sink = tokio::net::TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
    let mail_port = sink.local_addr().map_err(|error| error.to_string())?.port();
    tokio::spawn(smtp::serve(sink, ledger.clone()));
    lay_folder(place.folder.path(), mail_port).map_err(|error| error.to_string())?;
    let port = free_port()?;
    let load =
        Arc::new(Load { ledger: ledger.clone(), port, next: AtomicU64::new(0), stopped: AtomicBool::new(false) });
    let client = reqwest_client()?;
    for n in 1..=times {
        let mut child = start(program, place, port)?;
        wait_until_ready(&client, port, &mut child).await?;
        load.stopped.store(false, Ordering::SeqCst);
        let tasks: Vec<_> = (0..SENDERS).map(|_| tokio::spawn(load.clone().send(client.clone()))).collect();
        tokio::time::sleep(Duration::from_millis(50 + dice.below(900))).await;
        child.end()?;
        load.stopped.store(true, Ordering::SeqCst);
        for task in tasks {
            task.await.map_err(|error| error.to_string())?;
        }
        if n % 10 == 0 {
            let (events, mails) = ledger.counts();
            println!("crash: killed {n} times, {events} events acknowledged, {mails} mails");
        }
    }
    let mut last = start(program, place, port)?;
    wait_until_ready(&client, port, &mut last).await?;
    let drained = drain(&ledger, place).await;
    last.end()?;
    drained.map(|()| ledger)
}

/// The running program. It never outlives this, whatever goes wrong here.
struct Life(Child);

impl Life {
    /// Ends it by SIGKILL.
    fn end(&mut self) -> Result<(), String> {
        self.0.kill().map_err(|error| format!("it could not be killed: {error}"))?;
        self.0.wait().map(|_| ()).map_err(|error| error.to_string())
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        // One that has ended already cannot be killed, and need not be.
        let _ = self.end();
    }
}

fn lay_folder(folder: &Path, mail_port: u16) -> std::io::Result<()> {
    std::fs::create_dir_all(folder.join("campaigns"))?;
    std::fs::create_dir_all(folder.join("templates"))?;
    std::fs::write(folder.join("campaigns/welcome.yaml"), CAMPAIGN)?;
    std::fs::write(folder.join("templates/welcome.md"), TEMPLATE)?;
    let settings = format!(
        "senders:\n  default: {{ smtp: \"smtp://127.0.0.1:{mail_port}\", from: \"Shop <hello@shop.test>\" }}\n\
         domains:\n  shop.test: {{ verify: false }}\n"
    );
    std::fs::write(folder.join("hogwire.yaml"), settings)
}

fn free_port() -> Result<u16, String> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    listener.local_addr().map(|address| address.port()).map_err(|error| error.to_string())
}

fn start(program: &Path, place: &Place, port: u16) -> Result<Life, String> {
    let mut command = Command::new(program);
    command
        .args(["serve", "--dir"])
        .arg(place.folder.path())
        .env("HOGWIRE_BIND", format!("127.0.0.1:{port}"))
        .env("API_PUBLIC_URL", format!("http://127.0.0.1:{port}"))
        .env("POSTHOG_WEBHOOK_SECRET", SECRET)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if let Some(url) = &place.url {
        command.env("HOGWIRE_DATABASE", url);
    }
    command.spawn().map(Life).map_err(|error| format!("{} cannot be started: {error}", program.display()))
}

fn reqwest_client() -> Result<reqwest::Client, String> {
    // A second call finds it installed, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let built = reqwest::Client::builder().timeout(Duration::from_secs(10)).build();
    built.map_err(|error| error.to_string())
}

async fn wait_until_ready(client: &reqwest::Client, port: u16, life: &mut Life) -> Result<(), String> {
    let begun = Instant::now();
    while begun.elapsed() < START {
        if let Ok(Some(status)) = life.0.try_wait() {
            return Err(format!("it ended at its start: {status}"));
        }
        let asked = client.get(format!("http://127.0.0.1:{port}/healthz")).send().await;
        if asked.is_ok_and(|answer| answer.status().is_success()) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Err("it did not become ready within 30 s".to_owned())
}

/// Waits until every promise holds in the database, or for as long as can be waited: what
/// does not hold then is told by the last judgement.
async fn drain(ledger: &Ledger, place: &Place) -> Result<(), String> {
    let begun = Instant::now();
    // PostgreSQL's client blocks, also when it is dropped: each look is taken off the runtime.
    let look = || tokio::task::block_in_place(|| place.open().map(|store| ledger.judge(&store).is_ok()));
    while begun.elapsed() < DRAIN && !look()? {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    Ok(())
}

/// Signups without end, each of a new person.
struct Load {
    ledger: Arc<Ledger>,
    port: u16,
    next: AtomicU64,
    stopped: AtomicBool,
}

impl Load {
    async fn send(self: Arc<Self>, client: reqwest::Client) {
        let url = format!("http://127.0.0.1:{}/v1/webhooks/posthog", self.port);
        while !self.stopped.load(Ordering::SeqCst) {
            let n = self.next.fetch_add(1, Ordering::SeqCst);
            let (uuid, address) = (format!("0198c0de-0000-7000-8000-{n:012x}"), format!("p{n}@shop.test"));
            let body = json!({
                "event": { "uuid": uuid, "event": "user_signed_up", "distinct_id": format!("u{n}"), "properties": {} },
                "person": { "id": format!("person-{n}"), "properties": { "email": address } }
            });
            let request = client.post(&url).header("x-posthog-webhook-secret", SECRET).body(body.to_string());
            match request.send().await {
                Ok(answer) if answer.status() == reqwest::StatusCode::ACCEPTED => self.ledger.promise(uuid, address),
                // Killed, or pushed back: nothing was promised.
                _ => {}
            }
            tokio::time::sleep(PACE).await;
        }
    }
}
