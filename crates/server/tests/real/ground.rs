//! Processes that end with the test, and plain requests to them.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

const PATIENCE: Duration = Duration::from_secs(30);

/// Ends what it holds, also when an assertion fails.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

pub fn spawn(command: &mut Command) -> Child {
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started")
}

/// Asks again and again until there is an answer, for half a minute at most.
pub fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "{what} did not come within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// One request over a plain socket; the answer's head and body as text.
pub fn ask(port: u16, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> String {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).expect("connected");
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = body.len();
    let head =
        format!("{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-length: {length}\r\n");
    stream.write_all(format!("{head}{headers}\r\n{body}").as_bytes()).expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("answered");
    String::from_utf8_lossy(&answer).into_owned()
}

pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}

/// The body of an answer.
pub fn answered(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

/// PostHog's webhook says that somebody did something, now.
pub fn post_event(port: u16, secret: &str, name: &str, address: &str) {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    let at = hogwire_model::Time::from_millis(i64::try_from(now.as_millis()).expect("a time")).to_string();
    let uuid = format!("00000000-0000-4000-8000-{:012x}", now.as_nanos() % (1 << 47));
    let body = json!({
        "event": { "uuid": uuid, "event": name, "distinct_id": address, "properties": {}, "timestamp": at },
        "person": { "id": format!("person-{address}"), "properties": { "email": address, "name": "Ada" } },
    });
    let answer = ask(port, "POST", "/v1/webhooks/posthog", &[("x-posthog-webhook-secret", secret)], &body.to_string());
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
}

/// Writes a file of a project folder.
pub fn lay(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    std::fs::write(path, text).expect("written");
}
