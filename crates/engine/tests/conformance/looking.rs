//! What people look at: lists of messages, who stands at a step, counts by the minute.

use hogwire_engine::store::counts;
use hogwire_engine::store::enrollments::{self, Enrollment, Status as Run};
use hogwire_engine::store::messages::{self, Status};
use hogwire_engine::store::outgoing::{self, Wanted};

use super::harness::{NOW, later, on_both, read, write};
use super::stage::{Stage, noon};

#[test]
fn messages_are_found_by_status_campaign_and_contact_page_by_page() {
    on_both("looking_messages", |store| {
        let stage = Stage::new(store);
        for name in ["ada", "bob", "eve"] {
            stage.contact(name);
        }
        let ids: Vec<String> = ["ada", "bob", "eve"].map(|name| stage.queue(name, |_| {})).into();
        write(store, |tx| messages::end(tx, &ids[1], Status::Unknown, "asked", noon()));
        let search = |wanted: &Wanted<'_>| read(store, |tx| outgoing::search(tx, wanted, 10));
        let all = search(&Wanted::default());
        assert_eq!(all.len(), 3);
        let first = read(store, |tx| messages::find(tx, &all[0])).expect("a message");
        let rest = search(&Wanted { before: Some((first.created_at, &first.id)), ..Wanted::default() });
        assert_eq!(rest, all[1..], "the next page goes on behind the first");
        assert_eq!(search(&Wanted { status: Some(Status::Unknown), ..Wanted::default() }), [ids[1].clone()]);
        assert_eq!(search(&Wanted { status: Some(Status::Sent), ..Wanted::default() }).len(), 0);
        let family = [first.contact_id.clone()];
        assert_eq!(search(&Wanted { contacts: Some(&family), ..Wanted::default() }), std::slice::from_ref(&first.id));
        assert_eq!(search(&Wanted { campaign: Some(&first.campaign_id), ..Wanted::default() }).len(), 3);
        assert_eq!(search(&Wanted { campaign: Some("another"), ..Wanted::default() }).len(), 0);
        assert_eq!(read(store, outgoing::unknown), 1);
        assert_eq!(read(store, outgoing::waiting), [("queued".to_owned(), 2)]);
    });
}

fn run(id: &str, position: &str, due: Option<hogwire_model::Time>, status: Run) -> Enrollment {
    Enrollment {
        id: id.to_owned(),
        campaign_id: "welcome".to_owned(),
        version: 1,
        contact_id: format!("con-{id}"),
        status,
        position: position.to_owned(),
        run: "{}".to_owned(),
        trigger_event: String::new(),
        trigger_properties: "{}".to_owned(),
        entered_at: NOW,
        due_at: due,
        ended_at: None,
        ending: None,
    }
}

#[test]
fn who_stands_at_a_step_moves_on_in_order() {
    on_both("looking_runs", |store| {
        let runs = [
            run("a", "1", None, Run::Active),
            run("b", "1", Some(later(60)), Run::Active),
            run("c", "1", Some(later(30)), Run::Active),
            run("d", "2", Some(later(10)), Run::Active),
            run("e", "1", None, Run::Ended),
        ];
        write(store, |tx| runs.iter().try_for_each(|run| enrollments::add(tx, run)));
        let ids = |step: &str| -> Vec<String> {
            read(store, |tx| enrollments::resting(tx, "welcome", step, 10)).into_iter().map(|run| run.id).collect()
        };
        assert_eq!(ids("1"), ["c", "b", "a"]);
        assert_eq!(ids(""), ["d", "c", "b", "a"]);
        assert_eq!(read(store, |tx| enrollments::resting(tx, "welcome", "1", 2)).len(), 2);
    });
}

#[test]
fn mail_that_goes_out_is_counted_once() {
    on_both("looking_counts", |store| {
        let stage = Stage::new(store);
        for name in ["ada", "bob"] {
            stage.contact(name);
            stage.queue(name, |_| {});
        }
        assert_eq!(stage.send(noon()).did, 2);
        stage.send(noon());
        let counted = read(store, |tx| counts::since(tx, vec!["sent"], noon(), noon()));
        assert_eq!(counted.iter().map(|(_, _, n)| n).sum::<i64>(), 2);
    });
}
