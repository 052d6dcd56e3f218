//! PostHog's two hosts: one takes events in, the other holds the private API and the app.
//!
//! People write either of the two, or an instance of their own; both are derived from what
//! was written. Only PostHog's own `….i.posthog.com` names are taken apart: a customer's
//! proxy may well be called `e.i.example.com` and serves ingestion alone, so another name
//! serves both unless the private host is given.

use url::{Host, Url};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hosts {
    /// Takes events, with the public project token. No slash at the end.
    pub ingestion: String,
    /// Private API and app, with a personal key or OAuth. No slash at the end.
    pub app: String,
    pub region: Region,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Region {
    Us,
    Eu,
    /// Any instance that is not PostHog Cloud, and Cloud behind a proxy.
    Own,
}

/// Why a host cannot be used, in a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadHost(pub String);

impl Region {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Us => "us",
            Self::Eu => "eu",
            Self::Own => "self-hosted",
        }
    }
}

/// Both hosts, from either of them. `private` overrides the app host and is used as written.
pub fn derive(host: &str, private: Option<&str>) -> Result<Hosts, BadHost> {
    let url = parse(host)?;
    let (ingestion, app, region) = match cloud(&url) {
        Some(region) => {
            let label = region.as_str();
            (format!("https://{label}.i.posthog.com"), format!("https://{label}.posthog.com"), region)
        }
        None => {
            let own = written(&url);
            (own.clone(), own, Region::Own)
        }
    };
    let app = match private.map(str::trim).filter(|text| !text.is_empty()) {
        None => app,
        Some(private) => {
            let url = parse(private)?;
            match cloud(&url) {
                Some(region) => format!("https://{}.posthog.com", region.as_str()),
                None => written(&url),
            }
        }
    };
    Ok(Hosts { ingestion, app, region })
}

fn cloud(url: &Url) -> Option<Region> {
    let name = url.host_str()?.strip_suffix(".posthog.com")?;
    match name {
        "us" | "us.i" | "app" | "app.i" | "us-assets.i" => Some(Region::Us),
        "eu" | "eu.i" | "eu-assets.i" => Some(Region::Eu),
        _ => None,
    }
}

/// Whether a host name is one under which PostHog Cloud's app or its OAuth server answers.
pub(crate) fn is_cloud_app(name: &str) -> bool {
    matches!(name, "app.posthog.com" | "eu.posthog.com" | "oauth.posthog.com" | "us.posthog.com")
}

/// Scheme, host, port and path, without a slash at the end: some put PostHog under a path.
fn written(url: &Url) -> String {
    let base = &url[..url::Position::AfterPath];
    base.trim_end_matches('/').to_owned()
}

fn parse(text: &str) -> Result<Url, BadHost> {
    let text = text.trim();
    let whole = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let url = Url::parse(&whole).map_err(|error| BadHost(format!("`{text}` is no URL: {error}.")))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(BadHost("The host must not hold a user name or password.".into()));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if near(&url) => Ok(url),
        "http" => {
            Err(BadHost(format!("`{text}` is plain http; that is accepted for loopback and private addresses only.")))
        }
        other => Err(BadHost(format!("`{other}` is no scheme for PostHog; use https."))),
    }
}

/// Loopback and private addresses, and names that only a private network can resolve.
fn near(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback() || ip.is_private(),
        Some(Host::Ipv6(ip)) => ip.is_loopback() || ip.is_unique_local(),
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            !name.contains('.')
                || [".localhost", ".local", ".internal", ".lan", ".home.arpa"].iter().any(|end| name.ends_with(end))
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(host: &str) -> (String, String) {
        let hosts = derive(host, None).expect("a host");
        (hosts.ingestion, hosts.app)
    }

    #[test]
    fn either_cloud_host_gives_both() {
        let eu = ("https://eu.i.posthog.com".to_owned(), "https://eu.posthog.com".to_owned());
        for written in [
            "https://eu.i.posthog.com",
            "https://eu.posthog.com/",
            "eu.posthog.com",
            " https://EU.posthog.com/project/12345/settings ",
            "https://eu-assets.i.posthog.com",
        ] {
            assert_eq!(pair(written), eu, "{written}");
        }
        let us = ("https://us.i.posthog.com".to_owned(), "https://us.posthog.com".to_owned());
        for written in ["https://us.i.posthog.com", "https://us.posthog.com", "https://app.posthog.com"] {
            assert_eq!(pair(written), us, "{written}");
        }
    }

    #[test]
    fn a_name_of_ones_own_serves_both_and_keeps_its_labels() {
        for (written, both) in [
            ("https://ph.example.com/", "https://ph.example.com"),
            ("https://e.i.example.com", "https://e.i.example.com"),
            ("https://example.com/ingest/", "https://example.com/ingest"),
            ("https://us.i.posthog.com.example.net", "https://us.i.posthog.com.example.net"),
            ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
            ("http://posthog:8000", "http://posthog:8000"),
        ] {
            assert_eq!(pair(written), (both.to_owned(), both.to_owned()));
        }
        let proxied = derive("https://e.example.com", Some("https://eu.i.posthog.com")).expect("hosts");
        assert_eq!(proxied.ingestion, "https://e.example.com");
        assert_eq!(proxied.app, "https://eu.posthog.com");
    }

    #[test]
    fn plain_http_stays_near() {
        for bad in [
            "http://ph.example.com",
            "http://8.8.8.8",
            "ftp://eu.posthog.com",
            "https://user:pw@ph.example.com",
            "",
            "https://",
        ] {
            assert!(derive(bad, None).is_err(), "{bad}");
        }
        assert!(derive("http://192.168.1.5", None).is_ok());
        assert!(derive("http://[::1]:8000", None).is_ok());
    }
}
