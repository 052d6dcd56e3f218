//! A server in a folder of its own, asked without sockets.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{Request, StatusCode};
use axum::response::Response;
use hogwire::adapters::clock::Clock;
use hogwire::api;
use hogwire::app::Shared;
use hogwire::boot::{self, Roles};
use hogwire::config;
use hogwire_engine::views::events::{Line, Search};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Handle;
use tower::ServiceExt as _;

pub const SECRET: &str = "a secret that only PostHog knows";
pub const ADMIN: &str = "an admin key for tests";

pub struct World {
    pub app: Shared,
    router: Router,
    _running: boot::Running,
    _folder: TempDir,
}

/// What came back.
pub struct Answer {
    pub status: StatusCode,
    pub headers: axum::http::HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }

    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

impl World {
    pub async fn new() -> Self {
        Self::with("").await
    }

    /// With these lines in `hogwire.yaml`.
    pub async fn with(yaml: &str) -> Self {
        Self::project(yaml, &[]).await
    }

    /// With files beside `hogwire.yaml`, applied as `serve` does.
    pub async fn project(yaml: &str, files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        }
        let environment = BTreeMap::from(
            [("POSTHOG_WEBHOOK_SECRET", SECRET), ("ADMIN_API_KEY", ADMIN)]
                .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        let config = config::from_text(folder.path(), yaml, environment).unwrap_or_else(|bad| panic!("{bad}"));
        let opened = boot::open(config, &Handle::current(), Clock::real()).unwrap_or_else(|bad| panic!("{bad}"));
        let roles = Roles { api: false, worker: true, apply: true };
        let running = boot::start(opened, roles).await.unwrap_or_else(|bad| panic!("{bad}"));
        let app = running.app.clone();
        Self { router: api::router(&app), app, _running: running, _folder: folder }
    }

    pub async fn ask(&self, request: Request<Body>) -> Answer {
        let response: Response = self.router.clone().oneshot(request).await.expect("never fails");
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 1 << 26).await.expect("a body");
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// Sends a body to PostHog's webhook with the right secret.
    pub async fn webhook(&self, body: impl Into<Body>) -> Answer {
        self.ask(post("/v1/webhooks/posthog").header("x-posthog-webhook-secret", SECRET).body(body.into()).expect("ok"))
            .await
    }

    /// Sends a body with a fresh key of scope `ingest`.
    pub async fn ingest(&self, route: &str, body: impl Into<Body>) -> Answer {
        let key = self.key("ingest");
        self.ask(post(route).header("authorization", format!("Bearer {key}")).body(body.into()).expect("ok")).await
    }

    pub fn key(&self, scopes: &str) -> String {
        self.app.engine.make_api_key("test", scopes, "test", self.app.now()).expect("a key").0
    }

    /// The event log once it holds so many events; what it holds after a while otherwise.
    pub async fn events(&self, wanted: usize) -> Vec<Line> {
        let began = Instant::now();
        loop {
            let search = Search { limit: Some(500), ..Search::default() };
            let events = self.app.engine.events(&search).expect("a page").items;
            if events.len() >= wanted || began.elapsed() > Duration::from_secs(10) {
                return events;
            }
            tokio::task::yield_now().await;
        }
    }
}

pub fn post(route: &str) -> axum::http::request::Builder {
    Request::builder().method("POST").uri(route)
}

pub fn get(route: &str) -> Request<Body> {
    Request::builder().uri(route).body(Body::empty()).expect("ok")
}
