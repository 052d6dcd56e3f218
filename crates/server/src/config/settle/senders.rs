//! Senders: which mail server, under which name, and how fast.

use std::collections::BTreeMap;

use hogwire_engine::settings::Sender;
use url::{Host, Url};

use super::Joining;
use crate::adapters::smtp::Route;
use crate::config::Hidden;
use crate::config::document::{self, Document};

pub(super) fn senders(
    joining: &mut Joining<'_>,
    document: &Document,
    links: &str,
) -> (BTreeMap<String, Sender>, BTreeMap<String, Hidden>) {
    let mut written = document.senders.clone().unwrap_or_default();
    if let Some(url) = joining.variable("SMTP_URL") {
        written.entry("default".to_owned()).or_default().smtp = Some(url);
    }
    let (mut senders, mut mail) = (BTreeMap::new(), BTreeMap::new());
    for (name, sender) in written {
        let path = format!("senders.{name}");
        if let Some(url) = server(joining, &sender, &path) {
            mail.insert(name.clone(), Hidden(url));
        }
        let from = sender.from.clone().unwrap_or_else(|| from_links(links));
        if from.parse::<lettre::message::Mailbox>().is_err() {
            let message = format!("`{from}` is not an address to send from");
            joining.fault("bad_address", &format!("{path}.from"), message, "write it like Acme <hello@acme.example>");
        }
        let most = sender.max_per.unwrap_or_default();
        senders.insert(
            name,
            Sender {
                from,
                relay: relay(sender.smtp.as_deref()),
                per_second: most.second,
                per_hour: most.hour,
                per_day: most.day,
            },
        );
    }
    (senders, mail)
}

fn server(joining: &mut Joining<'_>, sender: &document::Sender, path: &str) -> Option<String> {
    match (&sender.smtp, &sender.brevo) {
        (Some(url), None) => {
            if let Err(why) = Route::parse(url) {
                let remedy = "write it like smtps://USER:PASSWORD@smtp.example.com:465";
                let own = format!("{path}.smtp");
                let source = if path == "senders.default" { joining.source("SMTP_URL", &own) } else { own };
                joining.fault("bad_smtp_url", &source, why, remedy);
                return None;
            }
            Some(url.clone())
        }
        (Some(_), Some(_)) => {
            let message = "a sender goes by `smtp` or by `brevo`, not both".to_owned();
            joining.fault("two_ways_out", path, message, "keep one of them");
            None
        }
        (None, Some(_)) => {
            let message = "sending by Brevo's API is not built yet; its messages will be refused".to_owned();
            let remedy = "use Brevo's mail server: smtp://LOGIN:SMTP_KEY@smtp-relay.brevo.com:587";
            joining.warn("brevo_sender", path, message, remedy);
            None
        }
        (None, None) => {
            let message = "the sender has no mail server, so its messages cannot go out".to_owned();
            joining.warn("no_mail_server", path, message, "add `smtp: smtps://USER:PASSWORD@HOST`");
            None
        }
    }
}

/// The host that mail is handed to, where others can know it by that name.
fn relay(smtp: Option<&str>) -> Option<String> {
    let url = Url::parse(smtp?).ok()?;
    let host = url.host_str()?.to_owned();
    (host.contains('.') && host.parse::<std::net::Ipv4Addr>().is_err()).then_some(host)
}

/// Without `from`, mails come from `hogwire@` the host that links lead to.
fn from_links(links: &str) -> String {
    let host = Url::parse(links).ok().and_then(|url| match url.host() {
        Some(Host::Domain(name)) => Some(name.to_owned()),
        _ => None,
    });
    format!("hogwire@{}", host.as_deref().filter(|name| name.contains('.')).unwrap_or("localhost.localdomain"))
}
