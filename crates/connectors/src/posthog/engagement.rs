//! What happened with our mail and campaigns, as the events that PostHog gets.
//!
//! The names and properties are a documented contract: whoever builds an insight in PostHog
//! on `hogwire_email_opened` relies on them.

use hogwire_model::Time;
use serde_json::{Map, Value};

use super::capture::Captured;

/// What PostHog is told of. The names are a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Happening {
    EmailSent,
    EmailDelivered,
    EmailOpened,
    EmailClicked,
    EmailBounced,
    EmailComplained,
    EmailUnsubscribed,
    CampaignEntered,
    CampaignExited,
    CampaignConverted,
}

impl Happening {
    pub const ALL: [Self; 10] = [
        Self::EmailSent,
        Self::EmailDelivered,
        Self::EmailOpened,
        Self::EmailClicked,
        Self::EmailBounced,
        Self::EmailComplained,
        Self::EmailUnsubscribed,
        Self::CampaignEntered,
        Self::CampaignExited,
        Self::CampaignConverted,
    ];

    /// The name of the captured event.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EmailSent => "hogwire_email_sent",
            Self::EmailDelivered => "hogwire_email_delivered",
            Self::EmailOpened => "hogwire_email_opened",
            Self::EmailClicked => "hogwire_email_clicked",
            Self::EmailBounced => "hogwire_email_bounced",
            Self::EmailComplained => "hogwire_email_complained",
            Self::EmailUnsubscribed => "hogwire_email_unsubscribed",
            Self::CampaignEntered => "hogwire_campaign_entered",
            Self::CampaignExited => "hogwire_campaign_exited",
            Self::CampaignConverted => "hogwire_campaign_converted",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == text)
    }
}

#[derive(Clone, Debug)]
pub struct Engagement<'a> {
    pub happening: Happening,
    /// Of the row it happened to (a message, an enrollment, a hit): with the name it makes the
    /// uuid, so it must tell two clicks on one message apart.
    pub id: &'a str,
    /// The contact's identified id on the connection.
    pub visitor: &'a str,
    pub at: Time,
    pub campaign: Option<&'a str>,
    pub campaign_version: Option<i64>,
    pub step: Option<&'a str>,
    pub message_id: Option<&'a str>,
    pub topic: Option<&'a str>,
    /// Whatever else belongs to this one: `url` of a click, `reason` of a bounce.
    pub more: Map<String, Value>,
}

impl Engagement<'_> {
    pub fn captured(&self) -> Captured {
        let mut properties = self.more.clone();
        let named = [
            ("campaign", self.campaign.map(Value::from)),
            ("campaign_version", self.campaign_version.map(Value::from)),
            ("step", self.step.map(Value::from)),
            ("message_id", self.message_id.map(Value::from)),
            ("topic", self.topic.map(Value::from)),
        ];
        for (name, value) in named {
            if let Some(value) = value {
                properties.insert(name.to_owned(), value);
            }
        }
        let name = self.happening.as_str();
        Captured::new(self.id, name, self.visitor, self.at, properties)
    }
}
