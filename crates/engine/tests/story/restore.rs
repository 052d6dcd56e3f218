//! A database put back from its backup writes to nobody twice and forgets no opt-out.

use hogwire_engine::Work;
use hogwire_engine::outbox::brakes::{self, Subject};
use hogwire_model::Span;
use serde_json::json;

use crate::WELCOME;
use crate::world::{event, on_sqlite, signup};

#[test]
fn a_restored_installation_starts_paused_and_knows_what_it_forgot() {
    on_sqlite(|mut world| {
        world.apply("welcome", WELCOME);
        world.receive(&signup("e1", "u1", "ada@shop.test", "pro"));
        world.settle();
        let folder = tempfile::tempdir().expect("a folder");
        let copy = folder.path().join("copy.db");
        world.engine.backup(&copy, world.now).expect("backed up");

        // Life goes on: an opt-out, a second person, two days.
        world.unsubscribe();
        world.receive(&signup("e2", "u2", "bob@shop.test", "pro"));
        world.settle();
        world.later(Span::days(2));
        world.settle();
        let before = world.mails().len();

        world.put_back(&copy);
        let report = world.engine.restored("test", world.now).expect("restored");
        assert_eq!((report.opt_outs, report.unknown_runs), (1, 1), "{report:?}");
        world.settle();
        assert_eq!(world.mails().len(), before, "nothing goes out before a person resumes it");
        world.engine.with_parts(|parts| brakes::resume(parts, Subject::Everything)).expect("resumed");
        world.settle();
        assert_eq!(world.mails().len(), before, "what came before the restore is history");
        let bob = world.engine.contact("email:bob@shop.test").expect("read");
        assert!(bob.is_some(), "history still says who there is");

        world.later(Span::hours(1));
        let mut eve = signup("e3", "u3", "eve@shop.test", "pro");
        eve["event"]["timestamp"] = json!(world.now.to_string());
        world.receive(&eve);
        world.receive(&event("x", "u1", "user_signed_up", &world.now, json!({ "plan": "pro" })));
        world.settle();
        assert_eq!(world.mails().len(), before + 1, "what comes now starts as ever, and Ada stays unsubscribed");
        assert_eq!(world.engine.step(Work::Mail, world.now).expect("a step").did, 0);
    });
}
