//! A small HTTP client over one kept connection, for loaders and virtual people.
//!
//! It is no library for the world outside: plain HTTP/1.1 on loopback, bodies with a length
//! or in chunks, nothing compressed, no redirects followed. It costs little, so that a
//! benchmark measures the server and not its own loader.

use std::io::{Error, ErrorKind, Result};

use hogwire_connectors::http::Request;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The longest answer that is read.
const MOST: usize = 16 << 20;

/// One connection.
pub struct Line {
    stream: TcpStream,
    host: String,
    held: Vec<u8>,
}

/// What came back.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

impl Line {
    /// `host` is an address with its port.
    pub async fn open(host: &str) -> Result<Self> {
        let stream = TcpStream::connect(host).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, host: host.to_owned(), held: Vec::new() })
    }

    /// Asks and waits for the whole answer. After an error the connection is of no use.
    pub async fn ask(&mut self, request: &Request) -> Result<Answer> {
        let bytes = written(request, &self.host);
        self.ask_written(&bytes).await
    }

    /// As `ask`, with bytes that `written` made before.
    pub async fn ask_written(&mut self, bytes: &[u8]) -> Result<Answer> {
        self.stream.write_all(bytes).await?;
        let end = self.until(b"\r\n\r\n").await?;
        let head = String::from_utf8_lossy(&self.held[..end]).into_owned();
        self.held.drain(..end);
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(odd)?;
        let mut answer = Answer { status, head, body: Vec::new() };
        if let Some(length) = answer.header("content-length") {
            let length = length.parse().map_err(|_| odd())?;
            answer.body = self.take(length).await?;
        } else if answer.header("transfer-encoding").is_some() {
            self.chunks(&mut answer.body).await?;
        }
        Ok(answer)
    }

    async fn chunks(&mut self, body: &mut Vec<u8>) -> Result<()> {
        loop {
            let end = self.until(b"\r\n").await?;
            let line = String::from_utf8_lossy(&self.held[..end]).into_owned();
            self.held.drain(..end);
            let length = usize::from_str_radix(line.trim().split(';').next().unwrap_or(""), 16).map_err(|_| odd())?;
            body.extend(self.take(length).await?);
            self.take(2).await?;
            if length == 0 {
                return Ok(());
            }
        }
    }

    async fn until(&mut self, mark: &[u8]) -> Result<usize> {
        loop {
            if let Some(at) = self.held.windows(mark.len()).position(|window| window == mark) {
                return Ok(at + mark.len());
            }
            self.more().await?;
        }
    }

    async fn take(&mut self, length: usize) -> Result<Vec<u8>> {
        while self.held.len() < length {
            self.more().await?;
        }
        Ok(self.held.drain(..length).collect())
    }

    async fn more(&mut self) -> Result<()> {
        let mut room = [0; 16 << 10];
        let n = self.stream.read(&mut room).await?;
        if n == 0 || self.held.len() > MOST {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        self.held.extend_from_slice(&room[..n]);
        Ok(())
    }
}

fn odd() -> Error {
    Error::new(ErrorKind::InvalidData, "this is no answer")
}

/// A request as it goes over the wire.
pub fn written(request: &Request, host: &str) -> Vec<u8> {
    let path = request
        .url
        .split_once("://")
        .map_or(request.url.as_str(), |(_, rest)| rest.find('/').map_or("/", |at| &rest[at..]));
    let mut head = format!("{} {path} HTTP/1.1\r\nhost: {host}\r\n", request.method);
    for header in &request.headers {
        head.push_str(&format!("{}: {}\r\n", header.name, header.value));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", request.body.len()));
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(&request.body);
    bytes
}

/// The address in a URL, for `Line::open`.
pub fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}
