//! `hogwire pause` and `hogwire resume`: the brakes. Nothing is lost while one is on.

use clap::Args;
use serde_json::{Value, json};

use super::ask::Api;
use super::{Common, Screen, Stop};

#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct Subject {
    /// Everything that is sent.
    #[arg(long)]
    all: bool,
    /// What goes out by one sender.
    #[arg(long, value_name = "NAME")]
    sender: Option<String>,
    /// What one campaign sends.
    #[arg(long, value_name = "NAME")]
    campaign: Option<String>,
}

impl Subject {
    pub fn pause(&self, common: &Common, screen: &Screen) -> Result<(), Stop> {
        let mut body = self.body();
        body["reason"] = "by the command line".into();
        let answer = Api::open(common)?.post("/v1/pause", &body)?;
        self.told(screen, &answer, "Stopped", "had stopped already");
        Ok(())
    }

    pub fn resume(&self, common: &Common, screen: &Screen) -> Result<(), Stop> {
        let answer = Api::open(common)?.post("/v1/resume", &self.body())?;
        self.told(screen, &answer, "Going on", "was not stopped");
        Ok(())
    }

    fn body(&self) -> Value {
        match (&self.sender, &self.campaign) {
            (Some(sender), _) => json!({ "sender": sender }),
            (_, Some(campaign)) => json!({ "campaign": campaign }),
            _ => json!({ "all": true }),
        }
    }

    fn told(&self, screen: &Screen, answer: &Value, changed: &str, unchanged: &str) {
        let what = match (&self.sender, &self.campaign) {
            (Some(sender), _) => format!("sender {sender}"),
            (_, Some(campaign)) => format!("campaign {campaign}"),
            _ => "everything".to_owned(),
        };
        screen.show(answer, || {
            if answer["changed"] == true {
                format!("{changed}: {what}.")
            } else {
                format!("Nothing to do: {what} {unchanged}.")
            }
        });
    }
}
