//! Every store function on both databases. A module per noun: add its `mod` line below and
//! begin each test with `on_both("its name", |store| …)`.

mod access;
mod arrivals;
mod consents;
mod credentials;
mod deliveries;
mod domains;
mod harness;
mod holding;
mod inbox_lanes;
mod looking;
mod membership;
mod messages;
mod mirrors;
mod readers;
mod small_rows;
mod stage;
