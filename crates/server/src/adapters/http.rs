//! Requests on the network, many at once, each tried once.
//!
//! Two clients: one for hosts that the operator wrote into the settings, one for hosts that
//! come from campaigns and data. The second resolves names itself, refuses when any address
//! behind a name may not be called, and dials what it checked, so that a name cannot change
//! its address in between. Redirects are never followed, no proxy is read from the
//! environment, and answers are cut.

use std::error::Error as StdError;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hogwire_connectors::http::{Request, Response};
use hogwire_engine::outside::{Http, HttpAnswer, Reach};
use hogwire_model::Time;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use url::Url;

use super::clock::Clock;
use super::guard;

const AT_ONCE: usize = 32;
const CONNECT: Duration = Duration::from_secs(5);
/// The most of an answer that is read.
const GUARDED_ANSWER: usize = 64 << 10;
const CONFIGURED_ANSWER: usize = 64 << 20;

pub struct Web {
    runtime: Handle,
    clock: Clock,
    private_too: bool,
    configured: Result<reqwest::Client, String>,
    guarded: Result<reqwest::Client, String>,
}

impl Web {
    /// `private_too`: requests from campaigns may reach private addresses.
    pub fn new(runtime: Handle, clock: Clock, private_too: bool) -> Self {
        // Says no when it was installed before, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let base = || {
            reqwest::Client::builder()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(CONNECT)
                .pool_idle_timeout(Duration::from_secs(30))
                .user_agent(concat!("hogwire/", env!("CARGO_PKG_VERSION")))
        };
        let told = |error: reqwest::Error| format!("the network client cannot start: {}", causes(&error));
        Self {
            runtime,
            clock,
            private_too,
            configured: base().build().map_err(told),
            guarded: base().dns_resolver(Arc::new(Checked { private_too })).build().map_err(told),
        }
    }

    fn prepare(&self, reach: Reach, request: Request) -> Result<(reqwest::RequestBuilder, usize), HttpAnswer> {
        let (client, most) = match reach {
            Reach::Configured => (&self.configured, CONFIGURED_ANSWER),
            Reach::Guarded => (&self.guarded, GUARDED_ANSWER),
        };
        let client = client.as_ref().map_err(|why| HttpAnswer::NotSent(why.clone()))?;
        let url = Url::parse(&request.url)
            .map_err(|error| HttpAnswer::Forbidden(format!("`{}` is no URL: {error}", request.url)))?;
        if reach == Reach::Guarded {
            guard::check(&url, self.private_too).map_err(HttpAnswer::Forbidden)?;
        }
        let method = reqwest::Method::from_bytes(request.method.as_bytes())
            .map_err(|_| HttpAnswer::NotSent(format!("`{}` is no method", request.method)))?;
        let timeout = Duration::from_millis(u64::try_from(request.timeout.as_millis()).unwrap_or(0).max(1));
        let mut builder = client.request(method, url).timeout(timeout).body(request.body);
        for header in &request.headers {
            builder = builder.header(&header.name, &header.value);
        }
        Ok((builder, most))
    }
}

impl Http for Web {
    fn send(&self, reach: Reach, requests: Vec<Request>) -> Vec<(Time, HttpAnswer)> {
        let mut answers: Vec<Option<(Time, HttpAnswer)>> = requests.iter().map(|_| None).collect();
        let permits = Arc::new(Semaphore::new(AT_ONCE));
        self.runtime.block_on(async {
            let mut flights = JoinSet::new();
            for (place, request) in requests.into_iter().enumerate() {
                match self.prepare(reach, request) {
                    Err(answer) => answers[place] = Some((self.clock.now(), answer)),
                    Ok((builder, most)) => {
                        let (permits, clock) = (permits.clone(), self.clock);
                        flights.spawn(async move {
                            let _permit = permits.acquire_owned().await;
                            let answer = exchange(builder, most).await;
                            (place, clock.now(), answer)
                        });
                    }
                }
            }
            while let Some(landed) = flights.join_next().await {
                if let Ok((place, at, answer)) = landed {
                    answers[place] = Some((at, answer));
                }
            }
        });
        let lost = || (self.clock.now(), HttpAnswer::Broken("the request was abandoned".to_owned()));
        answers.into_iter().map(|answer| answer.unwrap_or_else(lost)).collect()
    }
}

async fn exchange(builder: reqwest::RequestBuilder, most: usize) -> HttpAnswer {
    let mut answer = match builder.send().await {
        Ok(answer) => answer,
        Err(error) => return failed(&error),
    };
    let mut response = Response { status: answer.status().as_u16(), ..Response::default() };
    for (name, value) in answer.headers() {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        response.headers.push((name.as_str().to_owned(), value));
    }
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) => {
                let room = most - response.body.len();
                response.body.extend_from_slice(&chunk[..chunk.len().min(room)]);
                if response.body.len() >= most {
                    break;
                }
            }
            Ok(None) => break,
            // The status has come, which is what decides; what is missing is only its text.
            Err(_) => break,
        }
    }
    HttpAnswer::Response(response)
}

fn failed(error: &reqwest::Error) -> HttpAnswer {
    let mut cause: Option<&dyn StdError> = Some(error);
    while let Some(inner) = cause {
        if let Some(denied) = inner.downcast_ref::<Denied>() {
            return HttpAnswer::Forbidden(denied.to_string());
        }
        cause = inner.source();
    }
    let why = causes(error);
    if error.is_connect() || error.is_builder() { HttpAnswer::NotSent(why) } else { HttpAnswer::Broken(why) }
}

/// The error and what it was caused by, without the URL, which may hold a secret.
fn causes(error: &reqwest::Error) -> String {
    let mut told = if error.is_timeout() { "timed out".to_owned() } else { "failed".to_owned() };
    let mut cause = error.source();
    while let Some(inner) = cause {
        let text = inner.to_string();
        if !told.ends_with(&text) {
            told = format!("{told}: {text}");
        }
        cause = inner.source();
    }
    told
}

/// A name stands for an address that must not be called.
#[derive(Debug)]
struct Denied {
    name: String,
    address: SocketAddr,
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is {}, which is not a public address", self.name, self.address.ip())
    }
}

impl StdError for Denied {}

struct Checked {
    private_too: bool,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let private_too = self.private_too;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if let Some(address) = found.iter().find(|found| !guard::allowed(found.ip(), private_too)) {
                return Err(Box::new(Denied { name: name.as_str().to_owned(), address: *address }).into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_that_leads_inside_is_denied_with_its_reason() {
        let resolve = |private_too| Checked { private_too }.resolve("localhost".parse().expect("a name"));
        let denied = resolve(false).await.err().expect("denied").to_string();
        assert!(denied.contains("not a public address"), "{denied}");
        assert!(resolve(true).await.is_ok());
    }
}
