//! The project itself: its number, its public token, its time zone.
//!
//! Where no number is configured `@current` is asked, which is the user's current project in
//! PostHog's own pages and may be one that the key cannot read; the error then names it.

use hogwire_model::Time;
use serde::Deserialize;

use super::access::{Access, Call, Trouble, json};
use super::limits::Class;
use crate::http::Response;

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Project {
    pub id: i64,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub api_token: String,
    #[serde(default)]
    pub timezone: String,
}

pub fn ask(access: &Access) -> Call {
    access.get(Class::Settings, "")
}

pub fn read(response: &Response, now: Time) -> Result<Project, Trouble> {
    json(response, now)
}
