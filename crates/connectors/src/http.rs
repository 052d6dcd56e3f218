//! Requests and responses as plain data.
//!
//! A connector builds a `Request` and reads a `Response`; it never sends. The server's
//! adapter turns the one into bytes on a socket and fills the other; the simulator answers
//! from its stand-ins. Header values that let somebody in are marked secret when they are
//! added, so that no log line that prints a request can leak them.

use std::fmt;

use hogwire_model::{Span, Time};

/// What is to be asked of another server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Upper case: `GET`, `POST`.
    pub method: String,
    pub url: String,
    pub headers: Vec<Header>,
    pub body: Vec<u8>,
    /// From the first byte of the connection to the last of the answer.
    pub timeout: Span,
}

#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    /// As it goes on the wire; compare without regard to case.
    pub name: String,
    pub value: String,
    /// `Debug` never prints the value.
    pub secret: bool,
}

/// What the other server said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn new(method: &str, url: impl Into<String>) -> Self {
        Self {
            method: method.to_owned(),
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
            timeout: Span::seconds(30),
        }
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push(Header { name: name.to_owned(), value: value.into(), secret: false });
        self
    }

    /// A header whose value lets somebody in.
    pub fn secret_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push(Header { name: name.to_owned(), value: value.into(), secret: true });
        self
    }

    pub fn json(mut self, body: Vec<u8>) -> Self {
        self.body = body;
        self.header("Content-Type", "application/json")
    }

    pub fn within(mut self, timeout: Span) -> Self {
        self.timeout = timeout;
        self
    }

    /// The value of a header, whatever the case of its name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value.as_str())
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = if self.secret { "(secret)" } else { &self.value };
        write!(f, "{}: {value}", self.name)
    }
}

impl Response {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The first part of the body as text, for a log line: control characters become spaces.
    pub fn excerpt(&self, most: usize) -> String {
        let text = String::from_utf8_lossy(&self.body[..self.body.len().min(most.saturating_mul(4))]);
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(most).collect::<String>().trim().to_owned()
    }

    /// When the other side says to come back (`Retry-After`, RFC 9110 §10.2.3): seconds or
    /// an HTTP date. Never in the past and never more than a day away.
    pub fn retry_after(&self, now: Time) -> Option<Time> {
        let value = self.get("retry-after")?.trim();
        let asked = match value.parse::<f64>() {
            Ok(seconds) if seconds.is_finite() => now.plus(Span::millis((seconds * 1_000.0) as i64)),
            _ => http_date(value)?,
        };
        Some(asked.clamp(now, now.plus(Span::days(1))))
    }
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, the one form of date that HTTP still sends.
fn http_date(text: &str) -> Option<Time> {
    let rest = text.split_once(", ")?.1.strip_suffix(" GMT")?;
    let mut parts = rest.splitn(4, ' ');
    let (day, month, year, clock) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = MONTHS.iter().position(|known| *known == month)? + 1;
    Time::parse(&format!("{year}-{month:02}-{day:0>2}T{clock}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        let request = Request::new("POST", "https://eu.i.posthog.com/batch/")
            .secret_header("Authorization", "Bearer phx_very_secret")
            .header("Accept", "application/json");
        let printed = format!("{request:?}");
        assert!(!printed.contains("phx_very_secret"), "{printed}");
        assert!(printed.contains("Accept: application/json"), "{printed}");
        assert_eq!(request.get("authorization"), Some("Bearer phx_very_secret"));
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_as_a_date() {
        let now = Time::parse("1994-11-06T08:49:00Z").expect("a time");
        let after = |value: &str| {
            let response = Response { headers: vec![("Retry-After".into(), value.into())], ..Response::default() };
            response.retry_after(now).map(|at| at.since(now))
        };
        assert_eq!(after("120"), Some(Span::seconds(120)));
        assert_eq!(after("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Span::seconds(37)));
        assert_eq!(after("Sun, 06 Nov 1990 08:49:37 GMT"), Some(Span::ZERO));
        assert_eq!(after("-5"), Some(Span::ZERO));
        assert_eq!(after("1e300"), Some(Span::days(1)));
        assert_eq!(after("soon"), None);
    }

    #[test]
    fn an_excerpt_is_short_and_printable() {
        let response = Response { status: 500, headers: Vec::new(), body: b"bad\r\nthing \xff and more".to_vec() };
        assert_eq!(response.excerpt(9), "bad  thin");
    }
}
