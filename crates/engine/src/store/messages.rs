//! Messages: one email to one contact, from the queue to its end.
//!
//! A message that is due stands in the index of due rows; while it is being sent its due
//! time is the end of its lease, so that one whose sender died is found again. Whether it
//! may be sent is decided by `outbox::gate`, never here.

use hogwire_model::{Span, Time};
use serde::Serialize;

use super::{Row, Tx, params};
use crate::error::{Error, Result};

/// From the claim to the settlement. Longer than any mail server takes for one batch.
pub const LEASE: Span = Span::minutes(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Queued,
    /// Waits for something that `reason` names, until its due time.
    Held,
    /// Handed to the mail server: never taken back.
    Sending,
    Sent,
    /// Nobody knows whether it went out; never sent again.
    Unknown,
    Failed,
    Skipped,
    Bounced,
    Complained,
}

impl Status {
    pub const ALL: [Self; 9] = [
        Self::Queued,
        Self::Held,
        Self::Sending,
        Self::Sent,
        Self::Unknown,
        Self::Failed,
        Self::Skipped,
        Self::Bounced,
        Self::Complained,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Held => "held",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Unknown => "unknown",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Bounced => "bounced",
            Self::Complained => "complained",
        }
    }

    fn parse(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| Error::Corrupt { what: "message status", why: text.to_owned() })
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Message {
    pub id: String,
    pub contact_id: String,
    pub campaign_id: String,
    pub version: i64,
    pub enrollment_id: String,
    pub step: String,
    pub template: String,
    pub topic: String,
    pub sender: String,
    pub address: String,
    pub subject: String,
    pub status: Status,
    pub reason: String,
    pub priority: i64,
    /// Went, or will go, to the test inbox; never counts as sent.
    pub test: bool,
    /// The Message-ID without brackets; empty before the first try.
    pub rfc_id: String,
    pub resend_of: Option<String>,
    pub created_at: Time,
    pub due_at: Option<Time>,
    pub expires_at: Option<Time>,
    pub sending_at: Option<Time>,
    pub settled_at: Option<Time>,
    pub opened_at: Option<Time>,
    pub clicked_at: Option<Time>,
    pub machine_opens: i64,
    pub human_opens: i64,
    pub clicks: i64,
    pub attempts: i64,
    #[serde(skip)]
    pub fence: i64,
}

impl Message {
    /// A test that somebody asked for: no run stands behind it, and it goes to the address
    /// it was queued for, whoever's the contact is as whom it is written.
    pub fn is_by_hand(&self) -> bool {
        self.test && self.enrollment_id.is_empty()
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, contact_id, campaign_id, version, enrollment_id, step, template, topic, sender, address, \
             subject, status, reason, priority, test, rfc_id, resend_of, created_at, due_at, expires_at, sending_at, \
             settled_at, opened_at, clicked_at, machine_opens, human_opens, clicks, attempts, fence FROM messages ",
            $rest
        )
    };
}

pub fn add(tx: &mut Tx<'_>, m: &Message) -> Result<()> {
    // Until it is sent the message has no token; the column is unique all the same.
    tx.execute(
        "INSERT INTO messages (id, contact_id, campaign_id, version, enrollment_id, step, template, topic, sender,
             address, subject, status, reason, priority, test, token_hash, rfc_id, resend_of, created_at, due_at,
             expires_at, machine_opens, human_opens, clicks, attempts, lease_until, fence)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $1, $16, $17, $18, $19, $20,
             0, 0, 0, 0, 0, 0)",
        &params![
            &m.id,
            &m.contact_id,
            &m.campaign_id,
            m.version,
            &m.enrollment_id,
            &m.step,
            &m.template,
            &m.topic,
            &m.sender,
            &m.address,
            &m.subject,
            m.status.as_str(),
            &m.reason,
            m.priority,
            m.test,
            &m.rfc_id,
            m.resend_of.as_deref(),
            m.created_at,
            m.due_at,
            m.expires_at
        ],
    )?;
    Ok(())
}

pub fn find(tx: &mut Tx<'_>, id: &str) -> Result<Option<Message>> {
    tx.optional(select!("WHERE id = $1"), &params![id], read)
}

/// The message that a link's token belongs to, by the token's hash.
pub fn by_token(tx: &mut Tx<'_>, token_hash: &str) -> Result<Option<Message>> {
    tx.optional(select!("WHERE token_hash = $1"), &params![token_hash], read)
}

/// A message of this step that has not been settled: queueing it again would send twice.
pub fn pending(tx: &mut Tx<'_>, enrollment_id: &str, step: &str) -> Result<Option<String>> {
    tx.optional(
        "SELECT id FROM messages WHERE enrollment_id = $1 AND step = $2 AND status IN ('queued', 'held', 'sending')
         ORDER BY id LIMIT 1",
        &params![enrollment_id, step],
        |row| row.text(0),
    )
}

/// Every message that has not come to an end, oldest first: what a restore looks through.
pub fn undecided(tx: &mut Tx<'_>) -> Result<Vec<Message>> {
    tx.all(
        select!("WHERE status IN ('queued', 'held', 'sending') ORDER BY created_at, id LIMIT $1"),
        &params![1_000_000_usize],
        read,
    )
}

/// How many messages wait to be sent.
pub fn waiting(tx: &mut Tx<'_>) -> Result<i64> {
    tx.one("SELECT count(*){big} FROM messages WHERE status IN ('queued', 'held')", &[], |row| row.int(0))
}

/// What the claim passes over: paused, or without room in its ceilings.
#[derive(Default)]
pub struct Except<'a> {
    pub senders: Vec<&'a str>,
    pub campaigns: Vec<&'a str>,
}

/// Due messages, the most urgent first. Their rows stay locked until the transaction ends.
pub fn due(tx: &mut Tx<'_>, now: Time, except: &Except<'_>, limit: usize) -> Result<Vec<Message>> {
    tx.all(
        select!(
            "WHERE due_at <= $1 AND status IN ('queued', 'held') AND NOT (sender {any $2})
             AND NOT (campaign_id {any $3}) ORDER BY priority DESC, due_at, id LIMIT $4 {skip_locked}"
        ),
        &params![now, except.senders.clone(), except.campaigns.clone(), limit],
        read,
    )
}

/// Senders that have something due.
pub fn due_senders(tx: &mut Tx<'_>, now: Time) -> Result<Vec<String>> {
    tx.all(
        "SELECT DISTINCT sender FROM messages WHERE due_at <= $1 AND status IN ('queued', 'held')
         ORDER BY sender LIMIT 1000",
        &params![now],
        |row| row.text(0),
    )
}

pub fn next_due(tx: &mut Tx<'_>, after: Time) -> Result<Option<Time>> {
    tx.one("SELECT min(due_at) FROM messages WHERE due_at > $1", &params![after], |row| row.opt_time(0))
}

/// Messages that somebody began to send and never settled.
pub fn lost(tx: &mut Tx<'_>, now: Time, limit: usize) -> Result<Vec<Message>> {
    tx.all(
        select!(
            "WHERE due_at <= $1 AND status = 'sending' AND lease_until <= {clock}(CAST($1 AS BIGINT))
             ORDER BY due_at, id LIMIT $2 {skip_locked}"
        ),
        &params![now, limit],
        read,
    )
}

/// What a claim writes beside the status.
pub struct Claim<'a> {
    pub id: &'a str,
    pub contact_id: &'a str,
    pub address: &'a str,
    pub topic: &'a str,
    pub subject: &'a str,
    pub token_hash: &'a str,
    pub rfc_id: &'a str,
    pub test: bool,
}

/// Marks a message as being sent. Answers the fence that its settlement must bring.
pub fn claim(tx: &mut Tx<'_>, claim: &Claim<'_>, fence: i64, now: Time) -> Result<i64> {
    tx.execute(
        "UPDATE messages SET status = 'sending', reason = '', contact_id = $2, address = $3, topic = $4, subject = $5,
             token_hash = $6, rfc_id = $7, test = $8, sending_at = $9, due_at = $10, fence = $11,
             attempts = attempts + 1, lease_until = {clock}(CAST($9 AS BIGINT)) + $12 WHERE id = $1",
        &params![
            claim.id,
            claim.contact_id,
            claim.address,
            claim.topic,
            claim.subject,
            claim.token_hash,
            claim.rfc_id,
            claim.test,
            now,
            now.plus(LEASE),
            fence + 1,
            LEASE.as_millis()
        ],
    )?;
    Ok(fence + 1)
}

/// Lets a message wait until `due`.
pub fn hold(tx: &mut Tx<'_>, id: &str, reason: &str, due: Time) -> Result<()> {
    tx.execute(
        "UPDATE messages SET status = 'held', reason = $2, due_at = $3 WHERE id = $1",
        &params![id, reason, due],
    )?;
    Ok(())
}

/// Ends a message that was never handed over, or one whose end somebody tells.
pub fn end(tx: &mut Tx<'_>, id: &str, status: Status, reason: &str, now: Time) -> Result<()> {
    tx.execute(
        "UPDATE messages SET status = $2, reason = $3, due_at = NULL, settled_at = $4 WHERE id = $1",
        &params![id, status.as_str(), reason, now],
    )?;
    Ok(())
}

/// What a try came to.
pub struct Settled<'a> {
    pub status: Status,
    pub reason: &'a str,
    /// When it is tried again; nothing where this is the end.
    pub due: Option<Time>,
    /// Whether the try counts: one that said nothing about the message does not.
    pub counts: bool,
}

/// Settles a try. Answers whether this fence still held the message; when not, somebody
/// else has settled it and nothing else may be written.
pub fn settle(tx: &mut Tx<'_>, id: &str, fence: i64, to: &Settled<'_>, now: Time) -> Result<bool> {
    let settled = to.due.is_none().then_some(now);
    let touched = tx.execute(
        "UPDATE messages SET status = $3, reason = $4, due_at = $5, settled_at = $6, attempts = attempts - $7
         WHERE id = $1 AND fence = $2 AND status = 'sending'",
        &params![id, fence, to.status.as_str(), to.reason, to.due, settled, !to.counts],
    )?;
    Ok(touched == 1)
}

pub fn count_machine_open(tx: &mut Tx<'_>, id: &str) -> Result<()> {
    tx.execute("UPDATE messages SET machine_opens = machine_opens + 1 WHERE id = $1", &params![id])?;
    Ok(())
}

pub fn count_open(tx: &mut Tx<'_>, id: &str, at: Time) -> Result<()> {
    tx.execute(
        "UPDATE messages SET human_opens = human_opens + 1, opened_at = COALESCE(opened_at, $2) WHERE id = $1",
        &params![id, at],
    )?;
    Ok(())
}

/// A person's click; a click says that the mail was opened, too.
pub fn count_click(tx: &mut Tx<'_>, id: &str, at: Time) -> Result<()> {
    tx.execute(
        "UPDATE messages SET clicks = clicks + 1, clicked_at = COALESCE(clicked_at, $2),
             opened_at = COALESCE(opened_at, $2) WHERE id = $1",
        &params![id, at],
    )?;
    Ok(())
}

/// When, and on which topic, a contact was written to. Test messages do not count.
pub fn sent_since(tx: &mut Tx<'_>, contacts: &[String], since: Time) -> Result<Vec<(Time, String)>> {
    tx.all(
        "SELECT sending_at, topic FROM messages WHERE contact_id {any $1} AND created_at > $3 AND sending_at > $2
             AND test = 0 AND status IN ('sending', 'sent', 'unknown', 'bounced', 'complained')
         ORDER BY sending_at DESC LIMIT 1000",
        // A message may have waited long before it went; further back than this it is not looked for.
        &params![contacts.to_vec(), since, since.minus(Span::days(90))],
        |row| Ok((row.time(0)?, row.text(1)?)),
    )
}

/// How many messages a sender sent since, and how many of them bounced or were complained about.
pub fn standing(tx: &mut Tx<'_>, sender: &str, since: Time) -> Result<(i64, i64, i64)> {
    tx.one(
        "SELECT COALESCE(sum(CASE WHEN status IN ('sent', 'bounced', 'complained') THEN 1 ELSE 0 END), 0){big},
                COALESCE(sum(CASE WHEN status = 'bounced' THEN 1 ELSE 0 END), 0){big},
                COALESCE(sum(CASE WHEN status = 'complained' THEN 1 ELSE 0 END), 0){big}
         FROM messages WHERE created_at > $2 AND sender = $1 AND test = 0",
        &params![sender, since],
        |row| Ok((row.int(0)?, row.int(1)?, row.int(2)?)),
    )
}

/// A contact's messages before a time, newest first.
pub fn of_contact(tx: &mut Tx<'_>, contacts: &[String], before: Time, limit: usize) -> Result<Vec<Message>> {
    tx.all(
        select!("WHERE contact_id {any $1} AND created_at < $2 ORDER BY created_at DESC, id DESC LIMIT $3"),
        &params![contacts.to_vec(), before, limit],
        read,
    )
}

/// A page of messages behind the given one, newest first; of one status, or of all.
pub fn newest(
    tx: &mut Tx<'_>,
    status: Option<Status>,
    before: Option<(Time, &str)>,
    limit: usize,
) -> Result<Vec<Message>> {
    let (at, id) = before.unwrap_or((Time::from_millis(i64::MAX), ""));
    tx.all(
        select!(
            "WHERE (created_at < $1 OR (created_at = $1 AND id < $2)) AND ($3 = '' OR status = $3)
             ORDER BY created_at DESC, id DESC LIMIT $4"
        ),
        &params![at, id, status.map_or("", Status::as_str), limit],
        read,
    )
}

/// What became of a campaign's messages. Test messages are not among them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    pub waiting: i64,
    pub sent: i64,
    pub opened: i64,
    pub clicked: i64,
    pub bounced: i64,
    pub complained: i64,
    pub failed: i64,
    pub skipped: i64,
    pub unknown: i64,
}

pub fn tally(tx: &mut Tx<'_>, campaign_id: &str) -> Result<Tally> {
    let rows = tx.all(
        "SELECT status, count(*){big}, count(opened_at){big}, count(clicked_at){big} FROM messages
         WHERE campaign_id = $1 AND test = 0 GROUP BY status ORDER BY status",
        &params![campaign_id],
        |row| Ok((Status::parse(row.str(0)?)?, row.int(1)?, row.int(2)?, row.int(3)?)),
    )?;
    let mut tally = Tally::default();
    for (status, n, opened, clicked) in rows {
        tally.opened += opened;
        tally.clicked += clicked;
        match status {
            Status::Queued | Status::Held | Status::Sending => tally.waiting += n,
            Status::Sent => tally.sent += n,
            Status::Unknown => tally.unknown += n,
            Status::Failed => tally.failed += n,
            Status::Skipped => tally.skipped += n,
            // What bounced or was complained about had been sent.
            Status::Bounced => (tally.bounced, tally.sent) = (n, tally.sent + n),
            Status::Complained => (tally.complained, tally.sent) = (n, tally.sent + n),
        }
    }
    Ok(tally)
}

fn read(row: &Row<'_>) -> Result<Message> {
    Ok(Message {
        id: row.text(0)?,
        contact_id: row.text(1)?,
        campaign_id: row.text(2)?,
        version: row.int(3)?,
        enrollment_id: row.text(4)?,
        step: row.text(5)?,
        template: row.text(6)?,
        topic: row.text(7)?,
        sender: row.text(8)?,
        address: row.text(9)?,
        subject: row.text(10)?,
        status: Status::parse(row.str(11)?)?,
        reason: row.text(12)?,
        priority: row.int(13)?,
        test: row.flag(14)?,
        rfc_id: row.text(15)?,
        resend_of: row.opt_text(16)?,
        created_at: row.time(17)?,
        due_at: row.opt_time(18)?,
        expires_at: row.opt_time(19)?,
        sending_at: row.opt_time(20)?,
        settled_at: row.opt_time(21)?,
        opened_at: row.opt_time(22)?,
        clicked_at: row.opt_time(23)?,
        machine_opens: row.int(24)?,
        human_opens: row.int(25)?,
        clicks: row.int(26)?,
        attempts: row.int(27)?,
        fence: row.int(28)?,
    })
}
