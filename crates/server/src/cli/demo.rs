//! `hogwire demo`: the whole loop on one machine with nothing configured. A stand-in PostHog
//! that really POSTs webhooks, a mail server, a mailbox to look into, a year of a plausible
//! product's history, and a day of it lived in a minute.
//!
//! The server is the real one, booted as `serve` boots it, in a folder of its own. With
//! `--once` the story runs to its end and what happened is printed; a promise that broke
//! makes it exit with 1.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::Args;
use hogwire_connectors::Shape;
use hogwire_engine::campaigns::Actor;
use hogwire_engine::inbox::Record;
use hogwire_engine::{Engine, Work};
use hogwire_model::Span;
use hogwire_sim::serve::{self, Past, Places, Shared, Stage, Tally};
use serde_json::{Value, json};

use super::serve::asked_to_stop;
use super::{Screen, Stop};
use crate::adapters::clock::Clock;
use crate::boot::{self, Opened, Roles, Welcome};
use crate::config::{self, Config};

const SECRET: &str = "the demonstration's webhook secret";
const DAY: Span = Span::days(1);
const YEAR: Span = Span::days(365);
/// Records that are decided together while the year is read.
const AT_ONCE: usize = 1_000;
/// After its day the story may take this long to settle.
const SETTLE: Duration = Duration::from_secs(20);

#[derive(Args)]
pub struct Demo {
    /// Live the day, settle, print what happened and end.
    #[arg(long)]
    once: bool,
    /// How long the day takes, in seconds.
    #[arg(long, default_value_t = 60, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(5..=3600))]
    day: u64,
    /// The same number lives the same people.
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    seed: u64,
    /// Do not open a browser.
    #[arg(long)]
    no_open: bool,
}

/// The folder of one demonstration; it goes when the demonstration ends.
struct Place(PathBuf);

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Demo {
    pub fn run(self, screen: &Screen) -> Result<(), Stop> {
        let began = Instant::now();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("hw-net").build();
        let runtime = runtime.map_err(|error| Stop::failed(format!("the network cannot be started: {error}")))?;
        let place = Place(std::env::temp_dir().join(format!("hogwire-demo-{}", std::process::id())));
        std::fs::create_dir_all(&place.0)
            .map_err(|error| Stop::failed(format!("{} cannot be made: {error}", place.0.display())))?;
        let clock = Arc::new(Mutex::new(Clock::real()));
        let wall = clock.clone();
        let stage = Stage::new(self.seed, move || wall.lock().unwrap_or_else(PoisonError::into_inner).now());
        let places = runtime.block_on(stage.listen()).map_err(Stop::failed)?;
        let address = free_address().map_err(|error| Stop::failed(format!("no port is free: {error}")))?.to_string();
        stage.deliver_to(&format!("http://{address}/v1/webhooks/posthog"), SECRET);
        // The year is read at once, up to where the lived day begins.
        let yesterday = boot::open(settings(&place.0, &places, &address)?, runtime.handle(), Clock::real());
        let yesterday = yesterday.map_err(Stop::failed)?;
        let lived = begin(&yesterday.engine, &stage, &places).map_err(Stop::failed)?;
        drop(yesterday);
        let today = Clock::catching_up(DAY, Duration::from_secs(self.day));
        *clock.lock().unwrap_or_else(PoisonError::into_inner) = today;
        let opened = boot::open(settings(&place.0, &places, &address)?, runtime.handle(), today);
        let opened = opened.map_err(Stop::failed)?;
        let welcome = Welcome::prepare(&opened.engine, today.now()).map_err(Stop::failed)?;
        let story = Story { stage, places, address, lived, ready: began.elapsed(), welcome };
        let told = runtime.block_on(self.live(opened, &story, screen));
        runtime.shutdown_background();
        told
    }

    async fn live(&self, opened: Opened, story: &Story, screen: &Screen) -> Result<(), Stop> {
        let end = asked_to_stop()?;
        let engine = opened.engine.clone();
        let roles = Roles { api: true, worker: true, apply: false };
        let running = boot::start(opened, roles).await.map_err(Stop::failed)?;
        let over = Arc::new(AtomicBool::new(false));
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let server = tokio::spawn(running.serve(async move { drop(stopped.await) }));
        if !self.once {
            story.greet(screen);
            self.open(&story.console());
        }
        let day = Duration::from_secs(self.day);
        let began = Instant::now();
        let asked = over.clone();
        let ending = tokio::spawn(async move {
            end.await;
            asked.store(true, Ordering::Relaxed);
        });
        let once = self.once;
        let is_over = || over.load(Ordering::Relaxed) || (once && began.elapsed() >= day);
        story.stage.live(&story.address, is_over).await;
        let broken = story.settle(&engine, &over).await.map_err(Stop::failed)?;
        ending.abort();
        drop(stop);
        let _ = server.await;
        let tally = story.stage.tally();
        if self.once || !broken.is_empty() {
            screen.show(&story.json(&tally, &broken), || story.text(&tally, &broken));
        }
        if broken.is_empty() { Ok(()) } else { Err(Stop::told()) }
    }

    /// Only where there is a screen to open it on.
    fn open(&self, url: &str) {
        let screen = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
        if self.no_open || !(screen || cfg!(target_os = "macos")) {
            return;
        }
        let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
        let quiet = std::process::Stdio::null;
        let _ = std::process::Command::new(opener).arg(url).stdout(quiet()).stderr(quiet()).spawn();
    }
}

/// A demonstration that is ready to be lived.
struct Story {
    stage: Shared,
    places: Places,
    address: String,
    lived: Lived,
    ready: Duration,
    welcome: Option<Welcome>,
}

/// The year before.
struct Lived {
    events: usize,
    took: Duration,
}

impl Story {
    fn console(&self) -> String {
        format!("http://{}/console", self.address)
    }

    fn mailbox(&self) -> String {
        format!("http://{}/", self.places.mailbox)
    }

    fn greet(&self, screen: &Screen) {
        let sign_in =
            self.welcome.as_ref().map(|welcome| json!({ "email": welcome.email, "password": welcome.password }));
        let told = json!({ "console": self.console(), "mailbox": self.mailbox(), "sign_in": sign_in,
            "history_events": self.lived.events, "history_seconds": self.lived.took.as_secs_f64() });
        screen.show(&told, || {
            let mut text = format!(
                "A year of {} events is read ({:.1} s). A day of it is lived now, and then the demo goes on.\n\
                 Console: {}\nMailbox: {}",
                self.lived.events,
                self.lived.took.as_secs_f64(),
                self.console(),
                self.mailbox(),
            );
            if let Some(welcome) = &self.welcome {
                text.push_str(&format!("\nSign in as {} with the password {}", welcome.email, welcome.password));
            }
            text.push_str("\nEnd it with Ctrl+C; nothing of it stays.");
            text
        });
    }

    /// Waits until the promises hold and nothing is under way any more, for a while at most.
    /// Answers what is broken.
    async fn settle(&self, engine: &Arc<Engine>, over: &AtomicBool) -> hogwire_engine::Result<Vec<String>> {
        let began = Instant::now();
        loop {
            let round = Instant::now();
            let calm = || over.load(Ordering::Relaxed) || round.elapsed() >= Duration::from_millis(500);
            self.stage.calm(&self.address, calm).await;
            let (stage, asked) = (self.stage.clone(), engine.clone());
            let checked = tokio::task::spawn_blocking(move || stage.broken(&asked)).await;
            let broken = checked.unwrap_or_else(|_| Ok(vec!["the check itself failed".to_owned()]))?;
            let long_enough = began.elapsed() >= Duration::from_secs(3);
            if (broken.is_empty() && long_enough) || began.elapsed() >= SETTLE || over.load(Ordering::Relaxed) {
                return Ok(broken);
            }
        }
    }

    fn json(&self, tally: &Tally, broken: &[String]) -> Value {
        json!({
            "history": { "events": self.lived.events, "seconds": self.lived.took.as_secs_f64() },
            "ready_seconds": self.ready.as_secs_f64(),
            "people": tally.people,
            "events": tally.events,
            "mails": tally.mails,
            "captured": tally.captured.iter().cloned().collect::<BTreeMap<String, usize>>(),
            "opt_outs": tally.opt_outs,
            "webhooks": tally.leads,
            "broken": broken,
        })
    }

    fn text(&self, tally: &Tally, broken: &[String]) -> String {
        let mut text = format!(
            "{} people, {} events by webhook, {} mails, {} opt-outs, {} webhooks of campaigns",
            tally.people, tally.events, tally.mails, tally.opt_outs, tally.leads
        );
        for (name, n) in &tally.captured {
            text.push_str(&format!("\n{n:>6} {name} back in PostHog"));
        }
        match broken {
            [] => text.push_str("\nEvery promise held."),
            _ => text.push_str(&format!("\nBroken: {}", broken.join("\nBroken: "))),
        }
        text
    }
}

/// Settings that need nothing but this machine.
fn settings(dir: &Path, places: &Places, address: &str) -> Result<Config, Stop> {
    let yaml = format!(
        "server: {{ bind: \"{address}\", public_url: \"http://{address}\" }}\n\
         connectors: {{ posthog: {{ host: \"http://{}\", project_token: phc_sim, project_id: \"1\", destination: true }} }}\n\
         senders: {{ default: {{ smtp: \"smtp://{}\", from: Shop <hello@shop.sim> }} }}\n\
         domains: {{ shop.sim: {{ verify: false }} }}\n\
         topics:\n  product: {{ kind: marketing, title: Product news }}\n  offers: {{ kind: marketing, title: Offers }}\n\
         policies: {{ link_hosts: [app.sim], allow_private_webhooks: true }}\n\
         telemetry: {{ log: error }}\n",
        places.posthog, places.smtp
    );
    let environment = BTreeMap::from([("POSTHOG_WEBHOOK_SECRET".to_owned(), SECRET.to_owned())]);
    let mut config = config::from_text(dir, &yaml, environment).map_err(Stop::failed)?;
    // A second of the lived day is half an hour: no silence of that kind is a hole.
    config.settings.policies.bridged_silence = Span::hours(3);
    Ok(config)
}

/// The usual port where it is free, else any.
fn free_address() -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:8420").or_else(|_| TcpListener::bind("127.0.0.1:0"))?;
    listener.local_addr()
}

/// The year before is read as events that start nothing, because no campaign is there yet;
/// then the campaigns begin.
fn begin(engine: &Engine, stage: &Shared, places: &Places) -> hogwire_engine::Result<Lived> {
    let began = Instant::now();
    let now = stage.now().minus(DAY);
    let past = stage.past(now.minus(YEAR), now);
    for group in past.chunks(AT_ONCE) {
        read(engine, group)?;
    }
    let lived = Lived { events: past.len(), took: began.elapsed() };
    engine.apply(&serve::project(places), Actor { name: "demo", origin: "file" }, false, now)?;
    Ok(lived)
}

fn read(engine: &Engine, group: &[Past]) -> hogwire_engine::Result<()> {
    let record = |past: &'_ Past| Shape::as_str(hogwire_connectors::detect(&past.body));
    let records: Vec<Record<'_>> = group
        .iter()
        .map(|past| Record {
            connection: "posthog",
            shape: record(past),
            arrived: past.arrived,
            body: &past.body,
            lane_hint: 0,
        })
        .collect();
    engine.receive(&records)?;
    let Some(last) = group.last() else { return Ok(()) };
    while engine.step(Work::Decide, last.arrived)?.did > 0 {}
    Ok(())
}
