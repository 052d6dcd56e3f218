//! When triggers without an event are due: inactivity, a date, a schedule.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde_json::Value;

use super::{DateTrigger, Trigger};
use crate::Time;
use crate::campaign::Program;
use crate::campaign::when::{read_date, shift};

/// When a contact who was last active at `last_seen` counts as inactive. Nothing for
/// other triggers.
pub fn inactive_due(program: &Program, last_seen: Time) -> Option<Time> {
    match &program.campaign.trigger {
        Trigger::Inactive(inactive) => Some(last_seen.plus(inactive.span)),
        _ => None,
    }
}

/// The next moment, strictly after `now`, at which the attribute's date is due. `zone`
/// is the contact's; the trigger may name another. Nothing when the date has passed or
/// cannot be read.
pub fn date_due(program: &Program, value: &Value, zone: &TimeZone, now: Time) -> Option<Time> {
    let Trigger::Date(trigger) = &program.campaign.trigger else {
        return None;
    };
    let zone = match &trigger.zone {
        Some(named) => named.resolve(zone),
        None => zone.clone(),
    };
    let local = moment(trigger, value, &zone)?;
    if !trigger.yearly {
        return Some(shift(local, trigger.offset, &zone)).filter(|due| *due > now);
    }
    let year = now.to_jiff().to_zoned(zone.clone()).year();
    // A large offset moves the due moment into a neighbouring year.
    (year.saturating_sub(2)..=year.saturating_add(2))
        .filter_map(|year| {
            let date = in_year(local.date(), year)?;
            Some(shift(date.to_datetime(local.time()), trigger.offset, &zone))
        })
        .find(|due| *due > now)
}

fn moment(trigger: &DateTrigger, value: &Value, zone: &TimeZone) -> Option<DateTime> {
    let (local, timed) = read_date(value, zone)?;
    Some(match trigger.at {
        Some(clock) => local.date().to_datetime(clock.time()),
        None if timed => local,
        None => local.date().to_datetime(jiff::civil::time(9, 0, 0, 0)),
    })
}

/// The 29th of February is the 28th in other years.
fn in_year(date: Date, year: i16) -> Option<Date> {
    Date::new(year, date.month(), date.day()).or_else(|_| Date::new(year, date.month(), 28)).ok()
}

/// The first run of the schedule strictly after `after`.
pub fn schedule_next(program: &Program, after: Time) -> Option<Time> {
    let Trigger::Schedule(schedule) = &program.campaign.trigger else {
        return None;
    };
    schedule.rhythm().ok()?.next(after)
}
