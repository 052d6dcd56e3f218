//! Two nodes on one PostgreSQL share the work and double nothing.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use hogwire_engine::{Engine, Error, Work};

use crate::world::{self, on_postgres, signup};

const PEOPLE: usize = 300;

#[test]
fn two_nodes_share_the_work_and_double_nothing() {
    on_postgres("nodes", |first, second| {
        first.apply("welcome", crate::WELCOME);
        for n in 0..PEOPLE {
            let node = if n % 2 == 0 { &first } else { &second };
            // Each event comes twice, once to each node.
            let body = signup(&format!("e{n}"), &format!("u{n}"), &format!("p{n}@shop.example"), "pro");
            node.receive(&body);
            (if n % 2 == 0 { &second } else { &first }).receive(&body);
        }
        std::thread::scope(|threads| {
            for world in [&first, &second] {
                for work in [Work::Decide, Work::Wake, Work::Mail, Work::Deliver, Work::Tend] {
                    threads.spawn(move || drain(&world.engine, work, world));
                }
            }
        });
        let mut sent: HashMap<String, usize> = HashMap::new();
        for mail in first.mails().into_iter().chain(second.mails()) {
            *sent.entry(mail.to).or_default() += 1;
        }
        assert_eq!(sent.len(), PEOPLE, "everybody got the mail");
        assert!(sent.values().all(|n| *n == 1), "nobody got it twice: {sent:?}");
    });
}

/// Works until nothing has been done for a while. A transaction that lost a race against the
/// other node is tried again, as the server's worker does.
fn drain(engine: &Engine, work: Work, world: &world::World) {
    static BUSY: AtomicUsize = AtomicUsize::new(0);
    let mut idle = 0;
    while idle < 200 {
        match engine.step(work, world.now) {
            Ok(stepped) if stepped.did > 0 && work != Work::Tend => idle = 0,
            Ok(_) => idle += 1,
            Err(Error::Busy(_)) => assert!(BUSY.fetch_add(1, Ordering::Relaxed) < 10_000, "they starve each other"),
            Err(error) => panic!("{}: {error}", work.as_str()),
        }
        std::thread::yield_now();
    }
}
