//! The filters of Jinja2 and Ansible (`x | filter`), a file per family.
//!
//! Source: Ansible's documentation, "Using filters to manipulate data"; Jinja2's documentation, "List of
//! Builtin Filters".

mod comment;
mod community;
mod dicts;
mod encoding;
mod hash;
mod human;
pub(crate) mod hwaddr;
mod ipaddr;
pub(crate) mod json;
mod json_query;
mod lists;
mod math;
pub(crate) mod net;
mod number_set;
mod order;
mod paths;
mod random;
mod records;
pub(crate) mod regex;
mod select;
mod sets;
mod subnets;
mod text;
pub(crate) mod time;
mod types;
mod url;
mod vault;
pub(crate) mod version;
mod wrap;
mod x509;
mod yaml;

use super::call::Call;
pub(crate) use crate::value::crypt;
pub(crate) use hash::salt;
pub(crate) use human::human_to_bytes;
use minijinja::value::{Rest, Value as Val, ValueOrKwargs};
use minijinja::{Environment, Error, State};
pub(crate) use order::Group;
pub(crate) use paths::{dirname, normal as normal_path};
pub(crate) use random::Random;

/// A filter.
pub(crate) type Filter = fn(&mut Call) -> Result<Val, Error>;

const FAMILIES: &[&[(&str, Filter)]] = &[
    comment::TABLE,
    community::TABLE,
    dicts::TABLE,
    encoding::TABLE,
    hash::TABLE,
    human::TABLE,
    hwaddr::TABLE,
    ipaddr::TABLE,
    json::TABLE,
    json_query::TABLE,
    lists::TABLE,
    math::TABLE,
    order::TABLE,
    paths::TABLE,
    records::TABLE,
    regex::TABLE,
    select::TABLE,
    sets::TABLE,
    subnets::TABLE,
    text::TABLE,
    time::TABLE,
    types::TABLE,
    url::TABLE,
    vault::TABLE,
    wrap::TABLE,
    x509::TABLE,
    yaml::TABLE,
];

/// Collections under whose names the filters are found as well.
const COLLECTIONS: &[&str] = &[
    "ansible.builtin",
    "ansible.utils",
    "ansible.netcommon",
    "community.general",
    "community.crypto",
];

/// The short names of all filters.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    FAMILIES
        .iter()
        .flat_map(|family| family.iter().map(|(name, _)| *name))
}

/// Adds the filters, under their short and full names.
pub(crate) fn register(env: &mut Environment<'static>) {
    for (name, filter) in FAMILIES.iter().flat_map(|family| family.iter()) {
        let run = move |state: &mut State, args: Rest<ValueOrKwargs>| {
            filter(&mut Call::new(state, &args.into_values())?)
        };
        env.add_filter(*name, run);
        for collection in COLLECTIONS {
            env.add_filter(format!("{collection}.{name}"), run);
        }
    }
}
