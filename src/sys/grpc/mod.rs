//! The little of gRPC that calls with one answer need: HTTP/2 by hand, over TLS or plainly.
//!
//! etcd's other interface, JSON over HTTP/1, cannot be used once etcd asks who somebody is: it hides the client's
//! certificate. One call after the other is sent over one connection.
//!
//! Sources: RFC 9113 (HTTP/2), RFC 7541 (HPACK), gRPC's "gRPC over HTTP2".

mod client;
mod hpack;
mod secure;

pub use client::{Grpc, GrpcError, GrpcServer};
