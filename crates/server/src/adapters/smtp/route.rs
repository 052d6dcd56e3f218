//! How one sender's mail goes out: server, encryption, login, and the connections it keeps.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hogwire_model::Outcome;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;
use url::{Host, Url};

use super::{COMMAND, judged};

/// Connections to one server at once.
const AT_ONCE: usize = 8;
/// Servers close idle connections after minutes; ours are closed earlier.
const IDLE: Duration = Duration::from_secs(25);
const CONNECT: Duration = Duration::from_secs(10);

pub struct Route {
    host: String,
    port: u16,
    encryption: Encryption,
    login: Option<Credentials>,
    hello: ClientId,
    idle: Mutex<Vec<(Instant, AsyncSmtpConnection)>>,
    permits: Semaphore,
}

enum Encryption {
    /// Loopback and private networks only, or where the URL says `tls=none`.
    None,
    /// The connection begins encrypted (`smtps`).
    Wrapped(TlsParameters),
    /// The server must offer STARTTLS.
    Required(TlsParameters),
}

impl Route {
    /// Reads `smtp://USER:PASSWORD@HOST:PORT` or `smtps://…`. Without `tls=none`, `smtp`
    /// insists on STARTTLS unless the server is on this machine.
    pub fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| format!("the mail server's URL cannot be read: {error}"))?;
        let host = url.host_str().ok_or("the mail server's URL has no host")?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let tls = url.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value.into_owned());
        let (encryption, port) = match (url.scheme(), tls.as_deref()) {
            ("smtps", _) => (Encryption::Wrapped(parameters(&host)?), 465),
            ("smtp", Some("none")) => (Encryption::None, 25),
            ("smtp", None) if is_here(&url) => (Encryption::None, 25),
            ("smtp", None | Some("required")) => (Encryption::Required(parameters(&host)?), 587),
            ("smtp", Some(other)) => return Err(format!("`tls={other}` is not known; use required or none")),
            (other, _) => return Err(format!("`{other}` is no scheme for mail; use smtp or smtps")),
        };
        let login = match (url.username(), url.password()) {
            ("", None) => None,
            (user, password) => Some(Credentials::new(decoded(user), decoded(password.unwrap_or_default()))),
        };
        let hello = match url.path().trim_matches('/') {
            "" => ClientId::default(),
            name => ClientId::Domain(name.to_owned()),
        };
        Ok(Self {
            host,
            port: url.port().unwrap_or(port),
            encryption,
            login,
            hello,
            idle: Mutex::default(),
            permits: Semaphore::new(AT_ONCE),
        })
    }

    pub(super) async fn permit(&self) -> Option<SemaphorePermit<'_>> {
        self.permits.acquire().await.ok()
    }

    /// A connection that was used before and is not too old.
    pub(super) fn idle(&self) -> Option<AsyncSmtpConnection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(since, _)| since.elapsed() < IDLE);
        idle.pop().map(|(_, connection)| connection)
    }

    pub(super) fn put_back(&self, connection: AsyncSmtpConnection) {
        if connection.has_broken() {
            return;
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < AT_ONCE {
            idle.push((Instant::now(), connection));
        }
    }

    /// Connects, greets and signs in. Nothing has been sent when this fails.
    pub(super) async fn connect(&self) -> Result<AsyncSmtpConnection, Outcome> {
        let unreachable = |why: String| Outcome::Retry(format!("{}:{} cannot be reached: {why}", self.host, self.port));
        let wrapped = match &self.encryption {
            Encryption::Wrapped(tls) => Some(tls.clone()),
            _ => None,
        };
        let server = (self.host.as_str(), self.port);
        let connecting = AsyncSmtpConnection::connect_tokio1(server, Some(CONNECT), &self.hello, wrapped, None);
        let mut connection = match timeout(COMMAND, connecting).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(error)) => return Err(judged(&error).unwrap_or_else(|| unreachable(error.to_string()))),
            Err(_) => return Err(unreachable("it did not greet in time".to_owned())),
        };
        if let Encryption::Required(tls) = &self.encryption {
            match timeout(COMMAND, connection.starttls(tls.clone(), &self.hello)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return Err(unreachable(format!("it could not be encrypted: {error}"))),
                Err(_) => return Err(unreachable("STARTTLS took too long".to_owned())),
            }
        }
        if let Some(login) = &self.login {
            let mechanisms = [Mechanism::Plain, Mechanism::Login];
            match timeout(COMMAND, connection.auth(&mechanisms, login)).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => {
                    return Err(judged(&error).unwrap_or_else(|| Outcome::Unauthorized(error.to_string())));
                }
                Err(_) => return Err(unreachable("the login took too long".to_owned())),
            }
        }
        Ok(connection)
    }
}

fn parameters(host: &str) -> Result<TlsParameters, String> {
    TlsParameters::new(host.to_owned()).map_err(|error| format!("encryption cannot be set up: {error}"))
}

fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        // A scheme that browsers do not know leaves its host as it is written.
        Some(Host::Domain(name)) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        None => false,
    }
}

/// A user name or password with its `%XX` read.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let coded = (first == b'%')
            .then(|| after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok()))
            .flatten()
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match coded {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
