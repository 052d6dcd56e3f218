//! The port to which the browser comes back. It answers this machine only, tells a request
//! that does not belong to the attempt no, and goes on waiting: nobody else can end it.

use std::time::Duration;

use hogwire_connectors::posthog::oauth::{self, Attempt, Denied, Endpoints};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::time::timeout;

use crate::cli::Stop;

/// For somebody who has to sign in first.
const PATIENCE: Duration = Duration::from_secs(600);
const READING: Duration = Duration::from_secs(5);
const MOST: usize = 16 << 10;

pub struct Waiting {
    listener: TcpListener,
    port: u16,
}

impl Waiting {
    /// On the first of the registered ports that is free.
    pub fn bind(runtime: &Runtime) -> Result<Self, Stop> {
        for port in oauth::PORTS {
            if let Ok(listener) = runtime.block_on(TcpListener::bind(("127.0.0.1", port))) {
                return Ok(Self { listener, port });
            }
        }
        Err(Stop::failed(
            "none of the ports 8423, 8424 and 8425 of 127.0.0.1 is free\n  = End what listens there, or use `--no-browser`.",
        ))
    }

    pub const fn port(&self) -> u16 {
        self.port
    }

    pub fn code(self, runtime: &Runtime, attempt: &Attempt, endpoints: &Endpoints) -> Result<String, Stop> {
        let waited = runtime.block_on(async { timeout(PATIENCE, self.wait(attempt, endpoints)).await });
        match waited {
            Ok(answer) => answer.map_err(|why| super::denied(&why)),
            Err(_) => {
                Err(Stop::failed("nobody came back within ten minutes\n  = Run it again, or use `--no-browser`."))
            }
        }
    }

    async fn wait(&self, attempt: &Attempt, endpoints: &Endpoints) -> Result<String, Denied> {
        loop {
            let Ok((mut stream, _)) = self.listener.accept().await else { continue };
            let Ok(Some(target)) = timeout(READING, self.target(&mut stream)).await else { continue };
            if !target.starts_with("/callback?") {
                say(&mut stream, "404 Not Found", "There is nothing here.").await;
                continue;
            }
            match attempt.code(endpoints, &target) {
                Ok(code) => {
                    say(&mut stream, "200 OK", "Connected. You can close this window.").await;
                    return Ok(code);
                }
                Err(why) if why.code == "access_denied" => {
                    say(&mut stream, "200 OK", "Nothing was connected. You can close this window.").await;
                    return Err(why);
                }
                // Whoever this is does not know the attempt, and so cannot end it.
                Err(why) => say(&mut stream, "400 Bad Request", &why.message).await,
            }
        }
    }

    /// The path that a GET asks for, where the request means this port by its own name.
    async fn target(&self, stream: &mut TcpStream) -> Option<String> {
        let mut held = Vec::new();
        let mut room = [0; 2_048];
        while !held.windows(4).any(|window| window == b"\r\n\r\n") {
            let n = stream.read(&mut room).await.ok()?;
            held.extend_from_slice(&room[..n]);
            if n == 0 || held.len() > MOST {
                return None;
            }
        }
        let head = String::from_utf8_lossy(&held).into_owned();
        let host = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("host").then(|| value.trim().to_owned())
        });
        let own = host.is_some_and(|host| host == format!("127.0.0.1:{}", self.port));
        let target = head.strip_prefix("GET ")?.split(' ').next()?.to_owned();
        own.then_some(target)
    }
}

async fn say(stream: &mut TcpStream, status: &str, text: &str) {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let body = format!("<!doctype html><meta charset=utf-8><title>Hogwire</title><p>{text}");
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\n\
         referrer-policy: no-referrer\r\nconnection: close\r\n\r\n",
        body.len()
    );
    // The browser may be gone; the code is what matters.
    let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
}
