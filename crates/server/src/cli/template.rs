//! `hogwire template`: how a template looks for somebody, on the screen or in an inbox. A
//! preview shows the folder's own file, as it stands, where there is one, else what runs.

use clap::Subcommand;
use serde_json::{Value, json};

use super::ask::{Api, part};
use super::{Common, Screen, Stop};
use crate::config::project;

#[derive(Subcommand)]
pub enum Template {
    /// Show how it looks for a contact. Sends nothing.
    Preview {
        /// The file's name without its ending.
        name: String,
        /// For this contact: an id, an address, or distinct_id:… or external:….
        #[arg(long, value_name = "KEY")]
        contact: Option<String>,
        /// Properties of the event that would have begun the run, as JSON.
        #[arg(long, value_name = "JSON", default_value = "{}")]
        event: String,
        /// Only the HTML.
        #[arg(long, conflicts_with = "text")]
        html: bool,
        /// Only the part in plain text.
        #[arg(long)]
        text: bool,
    },
    /// Send one test of what runs, marked as such. It never counts as sent.
    Test {
        /// The template's name.
        name: String,
        #[arg(long, value_name = "ADDRESS")]
        to: String,
        /// Written as to this contact; whoever has the address where none is named.
        #[arg(long, value_name = "KEY")]
        contact: Option<String>,
    },
}

impl Template {
    pub fn run(self, common: &Common, screen: &Screen) -> Result<(), Stop> {
        let (name, contact, event, html, text) = match self {
            Self::Preview { name, contact, event, html, text } => (name, contact, event, html, text),
            Self::Test { name, to, contact } => return test(common, screen, &name, &to, contact),
        };
        let properties: Value = serde_json::from_str(&event)
            .ok()
            .filter(Value::is_object)
            .ok_or_else(|| Stop::misuse("--event is a JSON object with the event's properties"))?;
        let mut body = json!({ "properties": properties });
        if let Some(contact) = contact {
            body["contact"] = contact.into();
        }
        // With --server, the folder at hand may have nothing to do with that server.
        if common.server.is_none()
            && let Some(file) = own(common, &name)?
        {
            body["source"] = file.text.into();
            body["kind"] = file.kind.into();
        }
        let answer = Api::open(common)?.post(&format!("/v1/templates/{}/preview", part(&name)), &body)?;
        screen.show(&answer, || match (html, text) {
            (true, _) => answer["html"].as_str().unwrap_or_default().to_owned(),
            (_, true) => answer["text"].as_str().unwrap_or_default().to_owned(),
            _ => written(&answer),
        });
        Ok(())
    }
}

fn test(common: &Common, screen: &Screen, name: &str, to: &str, contact: Option<String>) -> Result<(), Stop> {
    let body = json!({ "to": to, "contact": contact });
    let answer = Api::open(common)?.post(&format!("/v1/templates/{}/test", part(name)), &body)?;
    screen.show(&answer, || {
        let part = |name: &str| answer[name].as_str().unwrap_or("?");
        format!("Queued as {} for {}.", part("message"), part("to"))
    });
    Ok(())
}

fn own(common: &Common, name: &str) -> Result<Option<hogwire_engine::campaigns::SourceFile>, Stop> {
    let project = project::read(&common.dir)
        .map_err(|bad| Stop::failed(format!("{} cannot be read: {}", bad.path.display(), bad.why)))?;
    Ok(project.templates.into_iter().find(|file| file.id == name))
}

fn written(answer: &Value) -> String {
    let part = |name: &str| answer[name].as_str().unwrap_or_default();
    let list = |name: &str| {
        let items = answer[name].as_array().into_iter().flatten().filter_map(Value::as_str);
        items.collect::<Vec<_>>().join(", ")
    };
    let mut out = format!("Subject: {}\n\n{}", part("subject"), part("text").trim_end());
    for (name, words) in [("missing", "empty, and without a default"), ("taken_links", "links taken out")] {
        let list = list(name);
        if !list.is_empty() {
            out.push_str(&format!("\n\nwarning: {words}: {list}"));
        }
    }
    if answer["clipped"] == true {
        out.push_str("\n\nwarning: the HTML is so long that Gmail cuts it off");
    }
    out
}
