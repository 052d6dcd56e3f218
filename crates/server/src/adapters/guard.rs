//! Which addresses a request made from campaigns and data may reach: public ones only.
//!
//! The list is that of the special-purpose registries of IANA (RFC 6890 and its successors)
//! and the addresses under which clouds answer for credentials. An address inside another
//! (IPv4 in IPv6, 6to4, NAT64) is unwrapped first. Names are checked before they are
//! resolved, and every address that a name resolves to is checked before one is called.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use ipnet::{Ipv4Net, Ipv6Net};
use url::{Host, Url};

/// Never called, whatever the settings say: link-local (cloud credentials), multicast,
/// broadcast, unspecified and reserved.
const NEVER_4: [&str; 4] = ["0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4"];
const NEVER_6: [&str; 5] = ["::/128", "fe80::/10", "fec0::/10", "ff00::/8", "fd00:ec2::254/128"];
/// Called only where the operator allows private addresses.
const PRIVATE_4: [&str; 15] = [
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.31.196.0/24",
    "192.52.193.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "192.175.48.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "255.255.255.255/32",
];
const PRIVATE_6: [&str; 9] = [
    "::1/128",
    "::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
];

struct Nets {
    never: (Vec<Ipv4Net>, Vec<Ipv6Net>),
    private: (Vec<Ipv4Net>, Vec<Ipv6Net>),
}

static NETS: LazyLock<Nets> =
    LazyLock::new(|| Nets { never: (nets(&NEVER_4), nets(&NEVER_6)), private: (nets(&PRIVATE_4), nets(&PRIVATE_6)) });

fn nets<N: std::str::FromStr>(written: &[&str]) -> Vec<N> {
    written.iter().filter_map(|net| net.parse().ok()).collect()
}

/// Whether an address may be called.
pub fn allowed(address: IpAddr, private_too: bool) -> bool {
    let (in_never, in_private) = match unwrapped(address) {
        IpAddr::V4(v4) => (within4(&NETS.never.0, v4), within4(&NETS.private.0, v4)),
        IpAddr::V6(v6) => (within6(&NETS.never.1, v6), within6(&NETS.private.1, v6)),
    };
    !in_never && (private_too || !in_private)
}

fn within4(nets: &[Ipv4Net], address: Ipv4Addr) -> bool {
    nets.iter().any(|net| net.contains(&address))
}

fn within6(nets: &[Ipv6Net], address: Ipv6Addr) -> bool {
    nets.iter().any(|net| net.contains(&address))
}

/// The IPv4 address that an IPv6 address stands for: mapped, NAT64 and 6to4.
fn unwrapped(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    if let Some(v4) = v6.to_ipv4_mapped() {
        return IpAddr::V4(v4);
    }
    let at = |first: u16, second: u16| {
        let [a, b] = first.to_be_bytes();
        let [c, d] = second.to_be_bytes();
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match v6.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, first, second] => at(first, second),
        [0x2002, first, second, ..] => at(first, second),
        _ => address,
    }
}

/// What can be told of a URL before any name is resolved. Answers why it is not called.
pub fn check(url: &Url, private_too: bool) -> Result<(), String> {
    match url.scheme() {
        "https" => {}
        "http" if private_too => {}
        "http" => return Err("plain http is not called; use https".to_owned()),
        other => return Err(format!("`{other}` is not called; use https")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a URL with a user name is not called".to_owned());
    }
    let port = url.port_or_known_default().unwrap_or(0);
    if !private_too && !matches!(port, 80 | 443) && port < 1024 {
        return Err(format!("port {port} is not called"));
    }
    match url.host() {
        None => Err("the URL has no host".to_owned()),
        Some(Host::Ipv4(v4)) => address(IpAddr::V4(v4), private_too),
        Some(Host::Ipv6(v6)) => address(IpAddr::V6(v6), private_too),
        Some(Host::Domain(name)) if private_too || is_public_name(name) => Ok(()),
        Some(Host::Domain(name)) => Err(format!("`{name}` is a name inside a private network")),
    }
}

fn address(address: IpAddr, private_too: bool) -> Result<(), String> {
    if allowed(address, private_too) { Ok(()) } else { Err(format!("{address} is not a public address")) }
}

fn is_public_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name.contains('.')
        && ![".localhost", ".local", ".internal", ".lan", ".home.arpa"].iter().any(|end| name.ends_with(end))
}

/// Whether a URL's host is public, as far as its name or address says.
pub fn is_public(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(v4)) => allowed(IpAddr::V4(v4), false),
        Some(Host::Ipv6(v6)) => allowed(IpAddr::V6(v6), false),
        Some(Host::Domain(name)) => is_public_name(name),
        None => false,
    }
}
