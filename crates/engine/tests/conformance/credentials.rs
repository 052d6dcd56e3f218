//! What is known of credentials, and jobs that are leased while they ask the outside.

use hogwire_engine::store::credentials::{self, Credential, Status};
use hogwire_engine::store::jobs;

use crate::harness::{NOW, later, on_both, read, write};

#[test]
fn a_credential_is_one_row_whose_fence_moves() {
    on_both("credentials", |store| {
        let mut row = Credential {
            connection: "posthog".to_owned(),
            status: Status::Good,
            scopes: "person:read query:read".to_owned(),
            projects: vec![7, 9],
            expires_at: Some(later(60)),
            created_at: NOW,
            updated_at: NOW,
            tried_at: None,
            problem: String::new(),
            fence: 1,
        };
        write(store, |tx| credentials::put(tx, &row));
        assert_eq!(read(store, |tx| credentials::find(tx, "posthog")).as_ref(), Some(&row));
        row.status = Status::Refused;
        row.tried_at = Some(later(1));
        row.problem = "invalid_grant".to_owned();
        row.fence = 2;
        write(store, |tx| credentials::put(tx, &Credential { created_at: later(9), ..row.clone() }));
        assert_eq!(read(store, credentials::all), [row]);
        assert!(write(store, |tx| credentials::remove(tx, "posthog")));
        assert!(!write(store, |tx| credentials::remove(tx, "posthog")));
        assert_eq!(read(store, |tx| credentials::find(tx, "posthog")), None);
    });
}

#[test]
fn a_leased_job_is_nobody_elses_and_putting_it_again_takes_it_away() {
    on_both("leases", |store| {
        let new = jobs::New { id: "job_1", kind: "k", key: "k/1", payload: "{}", due: NOW };
        write(store, |tx| jobs::put(tx, &new, NOW));
        let mut job = write(store, |tx| jobs::claim(tx, NOW)).expect("a job");
        write(store, |tx| jobs::lease(tx, &mut job, later(90)));
        assert_eq!(write(store, |tx| jobs::claim(tx, later(89))), None);
        assert!(write(store, |tx| jobs::is_held(tx, &job)));
        write(store, |tx| jobs::put(tx, &new, later(1)));
        assert!(!write(store, |tx| jobs::is_held(tx, &job)));
        assert!(write(store, |tx| jobs::claim(tx, later(1))).is_some());
    });
}
