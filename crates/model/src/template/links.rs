//! Links of a rendered mail: only to hosts that the template itself writes, or that the
//! operator allows. A link that data has built leads nowhere else (SPEC A2).

/// Hosts that a source writes out in its links, without Liquid in the host's place.
pub fn written_hosts(source: &str) -> Vec<String> {
    let mut hosts = Vec::new();
    for (at, _) in source.match_indices("://") {
        let host: String =
            source[at + 3..].chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-')).collect();
        // A host that Liquid goes on is not written out.
        let rest = &source[at + 3 + host.len()..];
        if !host.is_empty() && !rest.starts_with('{') && !rest.starts_with('@') && !hosts.contains(&host.to_lowercase())
        {
            hosts.push(host.to_lowercase());
        }
    }
    hosts
}

/// The host of an http or https URL, in lower case.
pub fn host_of(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return None;
    }
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = host.split(':').next()?;
    (!host.is_empty()).then(|| host.to_lowercase())
}

/// Takes the target from every link that leads to a host not on the list, or that is no web,
/// mail or telephone link. Answers the HTML and the targets taken.
pub fn keep_allowed(html: &str, allowed: &[String]) -> (String, Vec<String>) {
    let mut out = String::with_capacity(html.len());
    let mut taken = Vec::new();
    let mut rest = html;
    while let Some(at) = find_href(rest) {
        let (before, value) = rest.split_at(at);
        out.push_str(before);
        let quote = value.chars().next().unwrap_or('"');
        let Some(end) = value[1..].find(quote) else {
            rest = value;
            break;
        };
        let target = value[1..=end].trim();
        if is_allowed(target, allowed) {
            out.push_str(&value[..end + 2]);
        } else {
            taken.push(target.to_owned());
            out.push_str(&format!("{quote}#{quote}"));
        }
        rest = &value[end + 2..];
    }
    out.push_str(rest);
    (out, taken)
}

/// Where the quote of the next `href=` begins.
fn find_href(html: &str) -> Option<usize> {
    let lower = html.to_ascii_lowercase();
    let mut from = 0;
    loop {
        let at = from + lower[from..].find("href")?;
        let rest = html[at + 4..].trim_start();
        if let Some(value) = rest.strip_prefix('=') {
            let value = value.trim_start();
            if value.starts_with(['"', '\'']) {
                return Some(html.len() - value.len());
            }
        }
        from = at + 4;
    }
}

fn is_allowed(target: &str, allowed: &[String]) -> bool {
    let lower = target.to_ascii_lowercase();
    if lower.is_empty() || lower.starts_with('#') || lower.starts_with("mailto:") || lower.starts_with("tel:") {
        return true;
    }
    let target = target.replace("&amp;", "&");
    host_of(&target).is_some_and(|host| {
        allowed
            .iter()
            .any(|known| host == *known || host.strip_suffix(known.as_str()).is_some_and(|sub| sub.ends_with('.')))
    })
}
