//! Packages of Kubernetes by the program `helm`: `helm`, `helm_info`, `helm_repository`.
//!
//! Secrets are in no argument: the token goes by the environment, values and passwords by standard input.
//!
//! Source: Ansible's documentation of `kubernetes.core`; helm's documentation, "Helm Commands".

mod access;
mod info;
mod release;
mod repository;
mod set_values;
mod values;

pub use info::HelmInfo;
pub use release::Helm;
pub use repository::HelmRepository;
