//! Tests on real machines. They need root and a few packages, see `bed`; without them each says `SKIPPED` and passes.

#![allow(
    dead_code,
    unused_imports,
    reason = "the bed is shared with examples/bed.rs"
)]

mod bed;
mod boots;
mod called;
mod custom;
mod etcd;
mod jobs;
mod logins;
mod outages;
mod play;
mod quickstart;
mod sizes;
mod synchronize;
mod trouble;
mod units;
