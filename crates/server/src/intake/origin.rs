//! Where a request comes from, past proxies that are trusted, and whether that is allowed.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::{Extensions, HeaderMap, StatusCode};
use ipnet::IpNet;

use crate::api::problem::Problem;
use crate::config::Config;

/// The sender's address. A proxy's word is taken from right to left, for as long as the one
/// who says it is trusted.
pub fn address(config: &Config, extensions: &Extensions, headers: &HeaderMap) -> Option<IpAddr> {
    let mut address = extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip().to_canonical();
    if config.trusted_proxies.is_empty() {
        return Some(address);
    }
    let trusted = |address: &IpAddr| within(&config.trusted_proxies, address);
    let said = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let mut chain: Vec<&str> = said.flat_map(|value| value.split(',')).map(str::trim).collect();
    while trusted(&address) {
        let Some(before) = chain.pop().and_then(|text| text.parse::<IpAddr>().ok()) else { break };
        address = before.to_canonical();
    }
    Some(address)
}

/// Refuses addresses that are not on the list, where there is one.
pub fn admit(config: &Config, address: Option<IpAddr>) -> Result<(), Problem> {
    if config.allow_from.is_empty() || address.is_some_and(|address| within(&config.allow_from, &address)) {
        return Ok(());
    }
    let remedy = "Add the sender's address to server.allow_from, or its proxy to server.trusted_proxies.";
    Err(Problem::new(
        StatusCode::UNAUTHORIZED,
        "address_not_allowed",
        "The sender's address is not on the list.",
        remedy,
    ))
}

fn within(nets: &[IpNet], address: &IpAddr) -> bool {
    nets.iter().any(|net| net.contains(address))
}
