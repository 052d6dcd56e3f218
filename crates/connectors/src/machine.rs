//! Was it a person who opened the mail or followed the link, or a program on the way?
//!
//! Mail providers fetch images ahead of anybody's reading and security gateways follow every
//! link. What they do is recorded with its reason and kept out of conditions and rates.
//! Gmail's image proxy fetches at the moment of reading, so that one is a person. The signs
//! are those that mail senders have published; none is proof, which is why the reason stays.

use hogwire_model::{Span, Time};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    Human,
    Machine,
}

/// Who it was, and by which sign. A person's has no reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub actor: Actor,
    /// Stable snake_case code: `prefetch`, `scanner`, `head`, `too_fast`, `no_agent`, `script`.
    pub reason: Option<&'static str>,
}

/// What is known of one hit.
#[derive(Clone, Copy, Debug)]
pub struct Hit<'a> {
    /// Upper case.
    pub method: &'a str,
    /// Empty where none was sent.
    pub user_agent: &'a str,
    /// `Purpose`, `Sec-Purpose` or `X-Moz` of the request, where there is one.
    pub purpose: Option<&'a str>,
    pub at: Time,
    pub sent_at: Option<Time>,
}

/// A person needs longer than this from delivery to a click.
pub const TOO_FAST: Span = Span::seconds(2);

/// Parts of the agent's name, lower case, of gateways that follow links before delivery.
const SCANNERS: [&str; 24] = [
    "ahrefsbot",
    "barracuda",
    "bingpreview",
    "bitdefender",
    "bot/",
    "cisco",
    "cloudmark",
    "crawler",
    "fortinet",
    "google-safety",
    "googlebot",
    "ironport",
    "kaspersky",
    "mimecast",
    "proofpoint",
    "safelinks",
    "slackbot",
    "sophos",
    "spider",
    "symantec",
    "trendmicro",
    "urldefense",
    "virustotal",
    "zscaler",
];

/// Parts of names of programs that no person reads mail with.
const SCRIPTS: [&str; 14] = [
    "aiohttp",
    "apache-httpclient",
    "axios/",
    "curl/",
    "go-http-client",
    "headlesschrome",
    "java/",
    "libwww",
    "node-fetch",
    "okhttp",
    "phantomjs",
    "python-",
    "scrapy",
    "wget/",
];

/// An image was fetched.
pub fn open(hit: &Hit<'_>) -> Verdict {
    let agent = hit.user_agent.trim();
    let lower = agent.to_ascii_lowercase();
    if lower.contains("googleimageproxy") {
        return HUMAN;
    }
    if hit.method == "HEAD" {
        return machine("head");
    }
    // Apple's privacy proxy says no more than this, whether or not anybody reads.
    if agent == "Mozilla/5.0" || lower.contains("yahoomailproxy") || prefetching(hit) {
        return machine("prefetch");
    }
    by_agent(&lower)
}

/// A link was followed.
pub fn click(hit: &Hit<'_>) -> Verdict {
    let lower = hit.user_agent.trim().to_ascii_lowercase();
    if hit.method == "HEAD" {
        return machine("head");
    }
    if prefetching(hit) {
        return machine("prefetch");
    }
    let verdict = by_agent(&lower);
    if verdict.actor == Actor::Machine {
        return verdict;
    }
    match hit.sent_at {
        Some(sent) if hit.at.since(sent) < TOO_FAST => machine("too_fast"),
        _ => HUMAN,
    }
}

const HUMAN: Verdict = Verdict { actor: Actor::Human, reason: None };

const fn machine(reason: &'static str) -> Verdict {
    Verdict { actor: Actor::Machine, reason: Some(reason) }
}

fn prefetching(hit: &Hit<'_>) -> bool {
    hit.purpose.is_some_and(|purpose| purpose.to_ascii_lowercase().contains("prefetch"))
}

fn by_agent(lower: &str) -> Verdict {
    if lower.is_empty() {
        return machine("no_agent");
    }
    if SCANNERS.iter().any(|part| lower.contains(part)) {
        return machine("scanner");
    }
    if SCRIPTS.iter().any(|part| lower.contains(part)) {
        return machine("script");
    }
    HUMAN
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";

    fn hit(method: &'static str, user_agent: &'static str, after: Span) -> Hit<'static> {
        let sent = Time::from_millis(1_700_000_000_000);
        Hit { method, user_agent, purpose: None, at: sent.plus(after), sent_at: Some(sent) }
    }

    #[test]
    fn opens_by_proxies() {
        let reason = |agent| open(&hit("GET", agent, Span::minutes(5))).reason;
        let gmail = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)";
        assert_eq!(reason(gmail), None);
        assert_eq!(reason(CHROME), None);
        assert_eq!(reason("Mozilla/5.0"), Some("prefetch"));
        assert_eq!(
            reason("YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"),
            Some("prefetch")
        );
        assert_eq!(reason(""), Some("no_agent"));
        assert_eq!(reason("python-requests/2.32"), Some("script"));
    }

    #[test]
    fn clicks_by_scanners() {
        let reason = |method, agent, after| click(&hit(method, agent, after)).reason;
        assert_eq!(reason("GET", CHROME, Span::seconds(30)), None);
        assert_eq!(reason("HEAD", CHROME, Span::seconds(30)), Some("head"));
        assert_eq!(reason("GET", CHROME, Span::millis(1_900)), Some("too_fast"));
        assert_eq!(reason("GET", CHROME, Span::seconds(2)), None);
        assert_eq!(reason("GET", "Barracuda Sentinel (EE)", Span::hours(1)), Some("scanner"));
        assert_eq!(reason("GET", "curl/8.5.0", Span::hours(1)), Some("script"));
        let ahead = Hit { purpose: Some("prefetch;prerender"), ..hit("GET", CHROME, Span::hours(1)) };
        assert_eq!(click(&ahead).actor, Actor::Machine);
    }
}
