//! The tests of Jinja2 and Ansible (`x is test`), a file per family.
//!
//! Source: Ansible's documentation, "Tests"; Jinja2's documentation, "List of Builtin Tests".

mod basic;
mod files;
mod ip;
mod results;
mod text;

use super::call::Call;
pub(crate) use basic::order;
use minijinja::value::{Rest, ValueOrKwargs};
use minijinja::{Environment, Error, State};

/// A test.
pub(crate) type Test = fn(&mut Call) -> Result<bool, Error>;

const FAMILIES: &[&[(&str, Test)]] = &[
    basic::TABLE,
    files::TABLE,
    ip::TABLE,
    results::TABLE,
    text::TABLE,
];

/// The short names of all tests.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    FAMILIES
        .iter()
        .flat_map(|family| family.iter().map(|(name, _)| *name))
}

/// Adds the tests, under their short and full names.
pub(crate) fn register(env: &mut Environment<'static>) {
    for (name, test) in FAMILIES.iter().flat_map(|family| family.iter()) {
        let run = move |state: &mut State, args: Rest<ValueOrKwargs>| {
            test(&mut Call::new(state, &args.into_values())?)
        };
        env.add_test(*name, run);
        env.add_test(format!("ansible.builtin.{name}"), run);
        env.add_test(format!("ansible.utils.{name}"), run);
    }
}
