//! How SPF names the servers of well-known mail services, by the host that mail is handed to.
//! Facts of their own help pages; a host that is not here is named by itself.

const KNOWN: &[(&str, &str)] = &[
    ("amazonaws.com", "include:amazonses.com"),
    ("brevo.com", "include:spf.brevo.com"),
    ("gmail.com", "include:_spf.google.com"),
    ("google.com", "include:_spf.google.com"),
    ("mailgun.org", "include:mailgun.org"),
    ("office365.com", "include:spf.protection.outlook.com"),
    ("postmarkapp.com", "include:spf.mtasv.net"),
    ("sendgrid.net", "include:sendgrid.net"),
    ("sparkpostmail.com", "include:_spf.sparkpostmail.com"),
    ("zoho.com", "include:zohomail.com"),
];

/// The mechanism that lets a host send. Nothing for this machine and for bare addresses.
pub fn spf_mechanism(host: &str) -> Option<String> {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let known = KNOWN.iter().find(|(name, _)| host == *name || host.ends_with(&format!(".{name}")));
    if let Some((_, mechanism)) = known {
        return Some((*mechanism).to_owned());
    }
    let is_name = host.contains('.') && host.parse::<std::net::IpAddr>().is_err() && !host.starts_with('[');
    is_name.then(|| format!("a:{host}"))
}
