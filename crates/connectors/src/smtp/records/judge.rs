//! One record against what DNS said, in words that somebody who is not a postmaster can act on.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Kind, Looked, Purpose, Record, State, doubled, parents};

type Ask<'a> = dyn Fn(Kind, &str) -> Looked + 'a;

pub(super) fn one(domain: &str, record: Record, looked: &Ask<'_>) -> Record {
    let answer = looked(record.kind, &record.host);
    let found = match &answer {
        Looked::Found(found) => found.clone(),
        Looked::Nothing => Vec::new(),
        Looked::Failed(why) if record.purpose != Purpose::Dmarc => {
            let says = format!("DNS did not answer ({why}). It is asked again by itself.");
            return Record { state: State::Unknown, says, ..record };
        }
        Looked::Failed(_) => Vec::new(),
    };
    let (state, says, found) = match record.purpose {
        Purpose::Dkim | Purpose::DkimEd25519 => key(domain, &record, found, looked),
        Purpose::Spf => spf(&record, found),
        Purpose::Dmarc => dmarc(domain, &record, looked),
        Purpose::ReturnPath => way_back(found),
    };
    Record { state, says, found, ..record }
}

type Judged = (State, String, Vec<String>);

fn key(domain: &str, record: &Record, found: Vec<String>, looked: &Ask<'_>) -> Judged {
    let keys: Vec<String> = found.into_iter().filter(|text| tag(text, "p").is_some()).collect();
    let wanted = decoded(&record.value);
    match keys.as_slice() {
        [] => {
            let elsewhere = doubled(domain, record);
            if record.purpose == Purpose::Dkim && matches!(looked(Kind::Txt, &elsewhere), Looked::Found(_)) {
                let says =
                    format!("It stands at {elsewhere}: your DNS host adds the domain itself. Type `{}`.", record.name);
                return (State::Wrong, says, Vec::new());
            }
            let says = match record.purpose {
                Purpose::Dkim => "There is no such record. Mail waits for it.",
                _ => "There is no such record. Mail is signed without this second key.",
            };
            (State::Missing, says.to_owned(), Vec::new())
        }
        [_, _, ..] => {
            (State::Wrong, "There are several keys at this name. Keep the one that is wanted.".to_owned(), keys)
        }
        [one] => {
            let (state, says) = match decoded(one) {
                held if held.is_some() && held == wanted => (State::Right, "The key is published.".to_owned()),
                _ => (State::Wrong, amiss(one, &record.value)),
            };
            (state, says, keys)
        }
    }
}

fn amiss(found: &str, wanted: &str) -> String {
    let (found, wanted) = (tag(found, "p").unwrap_or_default(), tag(wanted, "p").unwrap_or_default());
    if found.is_empty() {
        return "The key is revoked: its `p=` is empty. Put the wanted value in.".to_owned();
    }
    if wanted.starts_with(&found) {
        return format!(
            "The key is cut short after {} characters. A string in DNS holds 255: write the value as two strings in quotes.",
            found.len()
        );
    }
    "Another key is published. Replace it by the wanted value.".to_owned()
}

fn spf(record: &Record, found: Vec<String>) -> Judged {
    let records: Vec<String> = found.into_iter().filter(|text| is_spf(text)).collect();
    let (state, says) = match records.as_slice() {
        [] => (
            State::Missing,
            "There is no SPF record. DKIM alone carries the mail; some receivers want both.".to_owned(),
        ),
        [_, _, ..] => {
            (State::Wrong, "There are several SPF records, which counts as an error. Join them into one.".to_owned())
        }
        [one] => spf_terms(one, &record.value),
    };
    (state, says, records)
}

fn spf_terms(found: &str, wanted: &str) -> (State, String) {
    let terms: Vec<String> = found.split_whitespace().skip(1).map(str::to_ascii_lowercase).collect();
    let asks = |term: &String| {
        let bare = term.trim_start_matches(['+', '-', '~', '?']);
        let name = bare.split([':', '/', '=']).next().unwrap_or_default();
        matches!(name, "include" | "a" | "mx" | "ptr" | "exists" | "redirect")
    };
    let lookups = terms.iter().filter(|term| asks(term)).count();
    if lookups > 10 {
        return (State::Wrong, format!("It needs {lookups} lookups, and receivers stop at 10."));
    }
    if terms.iter().any(|term| term == "+all" || term == "all") {
        return (State::Wrong, "`+all` lets anybody send in your name. End it in `~all` or `-all`.".to_owned());
    }
    let missing = wanted.split_whitespace().skip(1).find(|term| {
        let named = term.starts_with("include:") || term.starts_with("a:");
        named && !terms.iter().any(|held| held == *term)
    });
    match missing {
        Some(term) => (State::Wrong, format!("It does not name your mail server. Add `{term}` before its `all`.")),
        None => (State::Right, "There is one, and it names your mail server as far as it can be told.".to_owned()),
    }
}

fn is_spf(text: &str) -> bool {
    let text = text.trim().to_ascii_lowercase();
    text == "v=spf1" || text.starts_with("v=spf1 ")
}

fn dmarc(domain: &str, record: &Record, looked: &Ask<'_>) -> Judged {
    let mut failed = None;
    for name in std::iter::once(domain).chain(parents(domain)) {
        let found = match looked(Kind::Txt, &format!("_dmarc.{name}")) {
            Looked::Found(found) => found,
            Looked::Nothing => continue,
            Looked::Failed(why) => {
                failed = Some(why);
                continue;
            }
        };
        let records: Vec<String> =
            found.into_iter().filter(|text| tag(text, "v").is_some_and(|value| value == "DMARC1")).collect();
        let (state, says) = match records.as_slice() {
            [] => continue,
            [one] => policy(one, name, domain),
            _ => (State::Wrong, "There are several DMARC records, which counts as none. Keep one.".to_owned()),
        };
        return (state, says, records);
    }
    match failed {
        Some(why) => {
            (State::Unknown, format!("DNS did not answer ({why}). It is asked again by itself."), record.found.clone())
        }
        None => {
            let says = "There is none. Gmail, Yahoo and Outlook ask it of everybody who sends much.";
            (State::Missing, says.to_owned(), Vec::new())
        }
    }
}

fn policy(found: &str, at: &str, domain: &str) -> (State, String) {
    let own = if at == domain { tag(found, "p") } else { tag(found, "sp").or_else(|| tag(found, "p")) };
    let from = if at == domain { String::new() } else { format!(" It is inherited from {at}.") };
    match own.as_deref().unwrap_or("none") {
        policy @ ("none" | "quarantine" | "reject") => {
            let says = format!(
                "The policy is `{policy}`, which our signature passes: it is made with the domain of From.{from}"
            );
            (State::Right, says)
        }
        other => (State::Wrong, format!("`p={other}` is no policy. Use none, quarantine or reject.")),
    }
}

fn way_back(found: Vec<String>) -> Judged {
    if found.is_empty() {
        let says = "No mail server takes mail for this domain, so bounces that come later are lost, unless your mail service reports them.";
        return (State::Missing, says.to_owned(), found);
    }
    (State::Right, "Bounces that come later go to the mail server of this domain.".to_owned(), found)
}

/// A tag's value, spaces taken out.
fn tag(text: &str, name: &str) -> Option<String> {
    text.split(';').find_map(|part| {
        let (known, value) = part.split_once('=')?;
        (known.trim() == name).then(|| value.split_whitespace().collect())
    })
}

/// A key's bytes, so that spacing and padding make no difference.
fn decoded(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(tag(text, "p")?).ok().filter(|bytes| !bytes.is_empty())
}
