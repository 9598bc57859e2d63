//! Every sink over the same synthetic runs; what they write is kept in snapshots.

mod run;
mod sinks;
