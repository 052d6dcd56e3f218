//! Many contacts at once. An import runs for a while on Brevo's side; its end is asked for,
//! and its reports say which rows it left out.
//!
//! It knows addresses and attributes only: no id of ours, no removal from a list, no block.
//! It must name a list. Attributes that the account does not have are left out silently.

use hogwire_model::{Outcome, Time};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Access;
use super::errors::outcome;
use super::limits::{IMPORT_BYTES, IMPORT_ROWS};
use crate::http::{Request, Response};

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    pub email: String,
    pub attributes: Map<String, Value>,
}

/// How many of the rows, from the first, fit into one import.
pub fn fits(rows: &[Row]) -> usize {
    let mut bytes = 0;
    for (place, row) in rows.iter().enumerate() {
        bytes += serde_json::to_string(row).map_or(0, |text| text.len() + 1);
        if place == IMPORT_ROWS || (bytes > IMPORT_BYTES && place > 0) {
            return place;
        }
    }
    rows.len()
}

/// Asks for the import. Empty values take away what Brevo holds, as `contacts::upsert` does.
pub fn start(access: Access<'_>, rows: &[Row], list: i64) -> Request {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a> {
        json_body: &'a [Row],
        list_ids: [i64; 1],
        update_existing_contacts: bool,
        empty_contacts_attributes: bool,
        // Otherwise the account's owner gets a mail for each import.
        disable_notification: bool,
    }
    let body = Body {
        json_body: rows,
        list_ids: [list],
        update_existing_contacts: true,
        empty_contacts_attributes: true,
        disable_notification: true,
    };
    access.with_body("POST", "/contacts/import", &body)
}

/// The number of the process that was begun.
pub fn read_started(response: &Response, now: Time) -> Result<i64, Outcome> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Body {
        process_id: i64,
    }
    match outcome(response, now) {
        Outcome::Done(_) => serde_json::from_slice::<Body>(&response.body)
            .map(|body| body.process_id)
            .map_err(|error| Outcome::Retry(format!("Brevo's answer names no process: {error}"))),
        other => Err(other),
    }
}

pub fn process(access: Access<'_>, id: i64) -> Request {
    access.request("GET", &format!("/processes/{id}"))
}

/// How an import stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    Running,
    /// Where the lists of rows that were left out lie, with the reason of each list.
    Completed(Vec<(String, String)>),
    Failed(String),
}

pub fn read_process(response: &Response, now: Time) -> Result<Progress, Outcome> {
    match outcome(response, now) {
        Outcome::Done(_) => {}
        other => return Err(other),
    }
    let body: Value = serde_json::from_slice(&response.body)
        .map_err(|error| Outcome::Retry(format!("Brevo's process cannot be read: {error}")))?;
    Ok(match body["status"].as_str().unwrap_or_default() {
        "completed" => {
            let lists = body["info"]["import"].as_object();
            let named = lists.into_iter().flatten();
            let reports = named.filter_map(|(reason, url)| Some((reason.clone(), url.as_str()?.to_owned())));
            Progress::Completed(reports.collect())
        }
        status @ ("failed" | "cancelled") => Progress::Failed(format!("Brevo says that the import {status}")),
        _ => Progress::Running,
    })
}

/// The addresses that a report of left-out rows names. Its columns are not documented: any
/// field that holds an address counts.
pub fn read_report(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let fields = text.lines().flat_map(|line| line.split([';', ',', '\t']));
    let mut found: Vec<String> = fields
        .map(|field| field.trim().trim_matches('"').trim().to_lowercase())
        .filter(|field| field.contains('@'))
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}
