//! Tests of reading and writing over files, mutations and generated values.

mod emission;
mod errors;
mod fixtures;
mod mutations;
mod spans;
