//! Lists and the folders they lie in; members added and removed, at most 150 a call.
//!
//! Brevo answers with who succeeded and who failed. It fails a contact that is in the list
//! already as it fails one that does not exist, and a call of which none succeeded with 400:
//! a failure is therefore only a question, which reading the contact answers.

use hogwire_model::{Outcome, Time};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Access;
use super::errors::{failure, outcome};
use super::limits::{LISTS_PAGE, MEMBERS_AT_ONCE};
use crate::http::{Request, Response};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    pub id: i64,
    pub name: String,
    #[serde(rename = "folderId", default)]
    pub folder: i64,
}

pub fn page(access: Access<'_>, offset: usize) -> Request {
    access.request("GET", &format!("/contacts/lists?limit={LISTS_PAGE}&offset={offset}&sort=asc"))
}

/// The lists of one page. A page that is not full is the last.
pub fn read_page(response: &Response, now: Time) -> Result<Vec<List>, Outcome> {
    #[derive(Deserialize)]
    struct Body {
        #[serde(default)]
        lists: Vec<List>,
    }
    read::<Body>(response, now).map(|body| body.lists)
}

/// One list; nothing where there is none with this id.
pub fn find(access: Access<'_>, id: i64) -> Request {
    access.request("GET", &format!("/contacts/lists/{id}"))
}

pub fn read_found(response: &Response, now: Time) -> Result<Option<List>, Outcome> {
    if response.status == 404 {
        return Ok(None);
    }
    read(response, now).map(Some)
}

pub fn create(access: Access<'_>, name: &str, folder: i64) -> Request {
    access.with_body("POST", "/contacts/lists", &json!({ "name": name, "folderId": folder }))
}

pub fn folders(access: Access<'_>) -> Request {
    access.request("GET", &format!("/contacts/folders?limit={LISTS_PAGE}&offset=0&sort=asc"))
}

/// Id and name of each folder.
pub fn read_folders(response: &Response, now: Time) -> Result<Vec<(i64, String)>, Outcome> {
    let body: Value = read(response, now)?;
    let folders = body["folders"].as_array().into_iter().flatten();
    Ok(folders.filter_map(|folder| Some((folder["id"].as_i64()?, folder["name"].as_str()?.to_owned()))).collect())
}

pub fn create_folder(access: Access<'_>, name: &str) -> Request {
    access.with_body("POST", "/contacts/folders", &json!({ "name": name }))
}

/// The id of what was made.
pub fn read_created(response: &Response, now: Time) -> Result<i64, Outcome> {
    let body: Value = read(response, now)?;
    body["id"].as_i64().ok_or_else(|| Outcome::Retry("Brevo's answer names no id".to_owned()))
}

/// Which way members go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    In,
    Out,
}

/// Moves members, by the addresses that Brevo knows them by.
pub fn members(access: Access<'_>, list: i64, way: Way, addresses: &[&str]) -> Request {
    debug_assert!(addresses.len() <= MEMBERS_AT_ONCE, "Brevo takes no more at once");
    let word = match way {
        Way::In => "add",
        Way::Out => "remove",
    };
    access.with_body("POST", &format!("/contacts/lists/{list}/contacts/{word}"), &json!({ "emails": addresses }))
}

/// What became of the members of one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moved {
    /// Addresses, lower case, that are where they should be; all others are in question.
    Some(Vec<String>),
    /// The list is not there.
    NoList(String),
    Otherwise(Outcome),
}

pub fn read_moved(response: &Response, now: Time) -> Moved {
    match failure(response) {
        None => {
            let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
            let moved = body["contacts"]["success"].as_array().into_iter().flatten();
            Moved::Some(moved.filter_map(Value::as_str).map(str::to_lowercase).collect())
        }
        Some(failure) if failure.status == 404 => Moved::NoList(failure.to_string()),
        Some(failure) if failure.status == 400 => Moved::Some(Vec::new()),
        Some(_) => Moved::Otherwise(outcome(response, now)),
    }
}

fn read<T: serde::de::DeserializeOwned>(response: &Response, now: Time) -> Result<T, Outcome> {
    match outcome(response, now) {
        Outcome::Done(_) => serde_json::from_slice(&response.body)
            .map_err(|error| Outcome::Retry(format!("Brevo's answer cannot be read: {error}"))),
        other => Err(other),
    }
}
