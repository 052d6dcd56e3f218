//! `hogwire connect posthog`: lets this installation into PostHog's private API.
//!
//! The browser comes back to a port of this machine, or its URL is pasted where the browser
//! is elsewhere. The credential goes to the running server, wherever that is, and is never
//! printed. Setting up the webhook is not done here.

mod callback;

use clap::{Args, Subcommand};
use hogwire_connectors::http::{Request, Response};
use hogwire_connectors::posthog::oauth::{self, Attempt, Denied, Endpoints, Tokens};
use hogwire_engine::outside::{Entropy, Http as _, HttpAnswer, Reach};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::ask::{Api, part};
use super::{Common, Screen, Stop};
use crate::adapters::clock::Clock;
use crate::adapters::entropy::Dice;
use crate::adapters::http::Web;

#[derive(Subcommand)]
pub enum Connect {
    /// Let Hogwire read and set up a PostHog project, by OAuth.
    Posthog(Posthog),
}

#[derive(Args)]
pub struct Posthog {
    /// Print the URL, and paste back where the browser ended: for a machine without a browser.
    #[arg(long)]
    no_browser: bool,
    /// Say how to use a personal API key instead.
    #[arg(long)]
    personal_key: bool,
    /// The client to be known as: the URL of a metadata document, or a registered client's id.
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// The project's number, where the grant is for several.
    #[arg(long, value_name = "ID")]
    project: Option<i64>,
    /// Which connection, where there are several.
    #[arg(long, default_value = "posthog", value_name = "NAME")]
    connection: String,
}

/// What to tick for a personal key.
const KEY_SCOPES: [&str; 6] =
    ["person:read", "project:read", "query:read", "cohort:read", "feature_flag:read", "hog_function:write"];

fn denied(denied: &Denied) -> Stop {
    Stop::problem(json!({ "code": denied.code, "detail": denied.message, "remedy": denied.remedy }))
}

impl Connect {
    pub fn run(self, common: &Common, screen: &Screen) -> Result<(), Stop> {
        let Self::Posthog(command) = self;
        command.run(common, screen)
    }
}

impl Posthog {
    fn run(self, common: &Common, screen: &Screen) -> Result<(), Stop> {
        let api = Api::open(common)?;
        let known = api.get(&format!("/v1/admin/analytics/connect-info?connection={}", part(&self.connection)))?;
        let app = known["privateHost"].as_str().unwrap_or_default().to_owned();
        if self.personal_key {
            screen.show(&json!({ "host": app, "scopes": KEY_SCOPES }), || by_key(&app));
            return Ok(());
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(|error| Stop::failed(format!("the network cannot be started: {error}")))?;
        let web = Web::new(runtime.handle().clone(), Clock::real(), false);
        let discovered = fetch(&web, oauth::discovery(&app))?;
        let endpoints = oauth::read_discovery(&app, &discovered).map_err(|why| denied(&why))?;
        let waiting = if self.no_browser { None } else { Some(callback::Waiting::bind(&runtime)?) };
        let dice: &dyn Entropy = &Dice;
        let attempt = Attempt {
            client_id: self.client(&web, &endpoints, &known)?,
            redirect: oauth::redirect(waiting.as_ref().map_or(oauth::PORTS[0], callback::Waiting::port)),
            state: dice.token(),
            verifier: format!("{}{}", dice.token(), dice.token()),
        };
        let code = self.code(&runtime, &attempt, &endpoints, waiting, screen)?;
        let answer = fetch(&web, attempt.exchange(&endpoints, &code))?;
        let tokens = oauth::read_tokens(&answer).map_err(|why| denied(&why))?;
        self.keep(&api, screen, &attempt, &endpoints, &tokens)
    }

    /// Named on the command line, by the document served here, registered before, or now.
    fn client(&self, web: &Web, endpoints: &Endpoints, known: &Value) -> Result<String, Stop> {
        let of = |name: &str| known[name].as_str().map(str::to_owned);
        let held = self.client_id.clone();
        let held = held.or_else(|| of("clientId").filter(|_| endpoints.takes_documents));
        if let Some(client) = held.or_else(|| of("registeredClient")) {
            return Ok(client);
        }
        let Some(endpoint) = &endpoints.register else {
            return Err(Stop::problem(json!({
                "code": "no_client",
                "detail": "This PostHog registers no clients, and it cannot fetch our document from here.",
                "remedy": "Set API_PUBLIC_URL to a public https address, or use a personal API key: `--personal-key`.",
            })));
        };
        oauth::read_registration(&fetch(web, oauth::register(endpoint))?).map_err(|why| denied(&why))
    }

    fn code(
        &self,
        runtime: &Runtime,
        attempt: &Attempt,
        endpoints: &Endpoints,
        waiting: Option<callback::Waiting>,
        screen: &Screen,
    ) -> Result<String, Stop> {
        let url = attempt.url(endpoints).map_err(|why| denied(&why))?;
        // On standard error, so that `--json` stays one document.
        eprintln!("Open this in a browser and press Authorize:\n\n{url}\n");
        match waiting {
            Some(waiting) => {
                open(&url);
                screen.say("Waiting for the browser…");
                waiting.code(runtime, attempt, endpoints)
            }
            None => {
                eprintln!("Then paste the URL at which the browser ended (it shows an error; that is fine):");
                let mut line = String::new();
                let read = std::io::stdin().read_line(&mut line);
                read.map_err(|error| Stop::failed(format!("nothing could be read: {error}")))?;
                attempt.code(endpoints, &line).map_err(|why| denied(&why))
            }
        }
    }

    fn keep(
        &self,
        api: &Api,
        screen: &Screen,
        attempt: &Attempt,
        endpoints: &Endpoints,
        tokens: &Tokens,
    ) -> Result<(), Stop> {
        let teams = tokens.scoped_teams.clone().unwrap_or_default();
        if let Some(project) = self.project.filter(|project| !teams.is_empty() && !teams.contains(project)) {
            return Err(Stop::problem(json!({
                "code": "other_project",
                "detail": format!("The grant is for project {teams:?} and not for {project}; nothing was stored."),
                "remedy": "Run it again and choose that project in the browser.",
            })));
        }
        let body = json!({
            "access_token": tokens.access_token, "refresh_token": tokens.refresh_token,
            "expires_in": tokens.expires_in, "scope": tokens.scope, "scoped_teams": teams,
            "client_id": attempt.client_id, "token_endpoint": endpoints.token, "project_id": self.project,
        });
        let kept = api.put(&format!("/v1/admin/provider-credentials/{}", part(&self.connection)), &body)?;
        let missing = tokens.scope.as_deref().map(oauth::missing).unwrap_or_default();
        let told = json!({ "credential": kept, "missing_scopes": missing });
        screen.show(&told, || {
            let mut text =
                format!("Connected {}. The credential is stored, sealed, and renewed by itself.", self.connection);
            if !missing.is_empty() {
                text.push_str(&format!("\nNot granted: {}. What needs them stays off.", missing.join(", ")));
            }
            text
        });
        Ok(())
    }
}

/// One request, and its answer or why there is none.
fn fetch(web: &Web, request: Request) -> Result<Response, Stop> {
    let url = request.url.clone();
    match web.send(Reach::Configured, vec![request]).pop() {
        Some((_, HttpAnswer::Response(response))) => Ok(response),
        Some((_, HttpAnswer::NotSent(why) | HttpAnswer::Broken(why) | HttpAnswer::Forbidden(why))) => Err(
            Stop::failed(format!("{url} cannot be reached: {why}\n  = Check POSTHOG_HOST and this machine's network.")),
        ),
        None => Err(Stop::failed(format!("{url} was not asked"))),
    }
}

fn by_key(app: &str) -> String {
    format!(
        "1. In PostHog ({app}/settings/user-api-keys) make a personal API key, scoped to this project, with:\n   {}\n\
         2. Set POSTHOG_PERSONAL_API_KEY to it, and POSTHOG_PROJECT_ID to the project's number, on every node.\n\
         3. Start again. A stored OAuth credential, where there is one, comes first.",
        KEY_SCOPES.join(", ")
    )
}

/// Only where there is a screen to open it on.
fn open(url: &str) {
    let screen = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
    if !(screen || cfg!(target_os = "macos")) {
        return;
    }
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let quiet = std::process::Stdio::null;
    let _ = std::process::Command::new(opener).arg(url).stdout(quiet()).stderr(quiet()).spawn();
}
