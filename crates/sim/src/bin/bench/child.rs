//! The server as a process of its own, on a folder of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hogwire_connectors::http::Request;
use hogwire_sim::serve::wire::Line;
use tempfile::TempDir;

use crate::bare;

pub const SECRET: &str = "bench-secret";
/// The key under which benchmarks make databases that the server opens.
pub const KEY: &str = "7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d";
const PATIENCE: Duration = Duration::from_secs(60);
/// The unit of processor time in /proc, which is 1/100 s on every Linux there is.
const TICKS: f64 = 100.0;

pub struct Served {
    child: Child,
    pub host: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A project folder with one campaign that mails who signs up.
pub fn folder(mail_port: u16) -> Result<TempDir, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).and_then(|()| fs::write(path, text))
    };
    let settings = format!(
        "senders: {{ default: {{ smtp: \"smtp://127.0.0.1:{mail_port}\", from: Shop <hello@shop.test> }} }}\n\
         domains: {{ shop.test: {{ verify: false }} }}\ntelemetry: {{ log: error }}\n"
    );
    let campaign = "name: Welcome\nstatus: active\ntrigger: { event: user_signed_up }\nentry: { every: true }\n\
                    steps: [ { email: { template: welcome } } ]\n";
    let template = "---\nsubject: Welcome\n---\nHello {{ contact.name }}, [start](https://app.example.com/start).\n";
    let written =
        [("hogwire.yaml", settings.as_str()), ("campaigns/welcome.yaml", campaign), ("templates/welcome.md", template)];
    for (name, text) in written {
        write(name, text).map_err(|error| error.to_string())?;
    }
    Ok(folder)
}

impl Served {
    /// The release binary beside this one.
    pub fn hogwire(dir: &Path, more: &[&str]) -> Result<Self, String> {
        let mut command = Command::new(binary()?);
        command.arg("serve").args(more).arg("--dir").arg(dir);
        command.env("POSTHOG_WEBHOOK_SECRET", SECRET).env("HOGWIRE_SECRET_KEY", KEY);
        Self::start(command, |command, port| {
            command.env("HOGWIRE_BIND", format!("127.0.0.1:{port}"));
            command.env("API_PUBLIC_URL", format!("http://127.0.0.1:{port}"));
        })
    }

    pub fn bare() -> Result<Self, String> {
        let own = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut command = Command::new(own);
        command.arg(bare::NAME);
        Self::start(command, |command, port| {
            command.arg(port.to_string());
        })
    }

    fn start(mut command: Command, tell: impl Fn(&mut Command, u16)) -> Result<Self, String> {
        let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = free.map_err(|error| error.to_string())?.port();
        tell(&mut command, port);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().map_err(|error| error.to_string())?;
        Ok(Self { child, host: format!("127.0.0.1:{port}") })
    }

    /// Waits until it is ready, looking every millisecond.
    pub async fn ready(mut self) -> Result<Self, String> {
        let began = Instant::now();
        let request = Request::new("GET", format!("http://{}/readyz", self.host));
        while began.elapsed() < PATIENCE {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("the server ended at its start: {status}"));
            }
            if let Ok(mut line) = Line::open(&self.host).await
                && line.ask(&request).await.is_ok_and(|answer| answer.status == 200)
            {
                return Ok(self);
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Err("the server did not become ready".to_owned())
    }

    /// Resident memory, in bytes.
    pub fn memory(&self) -> f64 {
        memory_of(self.child.id())
    }

    /// Processor time used so far, in seconds.
    pub fn processor(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
        let ticks: f64 = after.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
        ticks / TICKS
    }
}

pub fn memory_of(process: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes: f64 = line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(f64::NAN);
    kilobytes * 1_024.0
}

pub fn binary() -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let beside = own.parent().map(|folder| folder.join("hogwire")).filter(|path| path.exists());
    beside.ok_or_else(|| "build the server first: cargo build --release -p hogwire".to_owned())
}
