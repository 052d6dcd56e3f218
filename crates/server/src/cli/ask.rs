//! How commands reach an engine: by the API of the running server, found by the lock file or
//! by `--server`; and where none runs, by the same API within this process, over the
//! project's own database. There is one way to do each thing.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::Value;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

use super::{Common, Stop};
use crate::adapters::clock::Clock;
use crate::adapters::lock;
use crate::api;
use crate::boot::{self, Roles, Running};
use crate::config::Config;
use crate::telemetry;

/// A server's patience with a command is longer than the command's own.
const PATIENCE: Duration = Duration::from_secs(120);
const MOST_BYTES: usize = 256 << 20;

pub struct Api {
    runtime: Runtime,
    reach: Reach,
    key: String,
}

enum Reach {
    Far { client: reqwest::Client, url: String },
    Here { router: Router, _running: Box<Running> },
}

impl Api {
    pub fn open(common: &Common) -> Result<Self, Stop> {
        if let Some(url) = &common.server {
            let key = common.key.clone().ok_or_else(|| Stop::misuse("--server needs --key, or HOGWIRE_KEY"))?;
            return Self::far(url, key);
        }
        let config = super::serve::load(common)?;
        match lock::owner(&config.data) {
            Some(owner) if owner.url.is_empty() => Err(Stop::failed(format!(
                "process {} has the data folder and takes no requests; try again in a moment",
                owner.pid
            ))),
            Some(owner) => Self::far(&owner.url, common.key.clone().unwrap_or(owner.key)),
            None => Self::here(config),
        }
    }

    fn far(url: &str, key: String) -> Result<Self, Stop> {
        // Says no when it was installed before, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build();
        let client = client.map_err(|error| Stop::failed(format!("the network client cannot start: {error}")))?;
        let reach = Reach::Far { client, url: url.trim_end_matches('/').to_owned() };
        Ok(Self { runtime: runtime()?, reach, key })
    }

    fn here(config: Config) -> Result<Self, Stop> {
        telemetry::start(Some(config.log.as_deref().unwrap_or("warn")), config.log_format);
        let runtime = runtime()?;
        let opened = boot::open(config, runtime.handle(), Clock::real()).map_err(Stop::failed)?;
        let roles = Roles { api: false, worker: false, apply: false };
        let running = runtime.block_on(boot::start(opened, roles)).map_err(Stop::failed)?;
        let router = api::router(&running.app);
        let key = running.key.clone();
        Ok(Self { runtime, reach: Reach::Here { router, _running: Box::new(running) }, key })
    }

    pub fn get(&self, path: &str) -> Result<Value, Stop> {
        self.ask("GET", path, None)
    }

    pub fn post(&self, path: &str, body: &Value) -> Result<Value, Stop> {
        self.ask("POST", path, Some(body))
    }

    pub fn patch(&self, path: &str, body: &Value) -> Result<Value, Stop> {
        self.ask("PATCH", path, Some(body))
    }

    pub fn put(&self, path: &str, body: &Value) -> Result<Value, Stop> {
        self.ask("PUT", path, Some(body))
    }

    pub fn delete(&self, path: &str) -> Result<Value, Stop> {
        self.ask("DELETE", path, None)
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Stop> {
        let body = body.map(Value::to_string);
        let (status, bytes) = self.runtime.block_on(self.exchange(method, path, body))?;
        if bytes.is_empty() && status.is_success() {
            return Ok(Value::Null);
        }
        let answer: Value = serde_json::from_slice(&bytes)
            .map_err(|_| Stop::failed(format!("{method} {path} was answered with {status} and no JSON")))?;
        if status.is_success() { Ok(answer) } else { Err(Stop::problem(answer)) }
    }

    async fn exchange(&self, method: &str, path: &str, body: Option<String>) -> Result<(StatusCode, Vec<u8>), Stop> {
        let bearer = format!("Bearer {}", self.key);
        match &self.reach {
            Reach::Far { client, url } => {
                let failed = |error: reqwest::Error| Stop::failed(format!("{url} cannot be asked: {error}"));
                let method = reqwest::Method::from_bytes(method.as_bytes())
                    .map_err(|_| Stop::failed(format!("`{method}` is no method")))?;
                let request = client.request(method, format!("{url}{path}")).header(header::AUTHORIZATION, bearer);
                let answer = request.body(body.unwrap_or_default()).send().await.map_err(failed)?;
                let status = answer.status();
                Ok((status, answer.bytes().await.map_err(failed)?.to_vec()))
            }
            Reach::Here { router, .. } => {
                let request = Request::builder().method(method).uri(path).header(header::AUTHORIZATION, bearer);
                let request = request.body(body.map_or_else(Body::empty, Body::from));
                let request = request.map_err(|error| Stop::misuse(format!("`{path}` cannot be asked: {error}")))?;
                let answer = match router.clone().oneshot(request).await {
                    Ok(answer) => answer,
                    Err(never) => match never {},
                };
                let status = answer.status();
                let bytes = axum::body::to_bytes(answer.into_body(), MOST_BYTES).await;
                let bytes = bytes.map_err(|error| Stop::failed(format!("the answer cannot be read: {error}")))?;
                Ok((status, bytes.to_vec()))
            }
        }
    }
}

fn runtime() -> Result<Runtime, Stop> {
    let built = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    built.map_err(|error| Stop::failed(format!("the network cannot be started: {error}")))
}

/// One part of a path, with everything in it that is not plain written as `%XX`.
pub fn part(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}
