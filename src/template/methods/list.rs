//! Methods of lists.

use crate::template::call::{Args, fail, iterate};
use crate::template::objects::{Dict, List};
use minijinja::value::Value as Val;
use minijinja::{Error, ErrorKind, State};
use std::sync::Arc;

/// Refuses to put a container into itself.
pub(super) fn guard(target: &Val, value: &Val, depth: usize) -> Result<(), Error> {
    if depth > 64 {
        return fail("the value is nested too deep");
    }
    if same_object(target, value) {
        return fail("a container cannot hold itself");
    }
    if let Some(list) = value.downcast_object_ref::<List>() {
        for item in list.items() {
            guard(target, &item, depth + 1)?;
        }
    } else if let Some(dict) = value.downcast_object_ref::<Dict>() {
        for (_, member) in dict.pairs() {
            guard(target, &member, depth + 1)?;
        }
    }
    Ok(())
}

fn same_object(a: &Val, b: &Val) -> bool {
    match (
        a.downcast_object_ref::<List>(),
        b.downcast_object_ref::<List>(),
    ) {
        (Some(a), Some(b)) => return std::ptr::eq(a, b),
        (None, None) => {}
        _ => return false,
    }
    match (
        a.downcast_object_ref::<Dict>(),
        b.downcast_object_ref::<Dict>(),
    ) {
        (Some(a), Some(b)) => std::ptr::eq(a, b),
        _ => false,
    }
}

fn position(index: i64, len: usize) -> usize {
    let len_signed = i64::try_from(len).unwrap_or(i64::MAX);
    let index = if index < 0 {
        index.saturating_add(len_signed).max(0)
    } else {
        index
    };
    usize::try_from(index).unwrap_or(0).min(len)
}

/// A method of a list; changes are seen by all who hold the list.
pub(crate) fn list(
    list: &Arc<List>,
    _: &mut State,
    method: &str,
    args: &[Val],
) -> Result<Val, Error> {
    let mut args = Args::new(args)?;
    let this = Val::from_dyn_object(Arc::clone(list));
    let none = Ok(Val::from(()));
    match method {
        "append" => {
            let item = args.need("object")?;
            args.finish()?;
            guard(&this, &item, 0)?;
            list.change(|items| items.push(item));
            none
        }
        "extend" => {
            let more = iterate(&args.need("iterable")?)?;
            for item in &more {
                guard(&this, item, 0)?;
            }
            list.change(|items| items.extend(more));
            none
        }
        "insert" => {
            let index = args.int("index", None)?;
            let item = args.need("object")?;
            guard(&this, &item, 0)?;
            list.change(|items| items.insert(position(index, items.len()), item));
            none
        }
        "pop" => {
            let index = args.int("index", Some(-1))?;
            list.change(|items| {
                let at = if index < 0 {
                    usize::try_from(index.unsigned_abs())
                        .ok()
                        .and_then(|back| items.len().checked_sub(back))
                } else {
                    usize::try_from(index).ok()
                };
                match at.filter(|at| *at < items.len()) {
                    Some(at) => Ok(items.remove(at)),
                    None => fail("pop index out of range"),
                }
            })
        }
        "remove" => {
            let item = args.need("value")?;
            list.change(
                |items| match items.iter().position(|other| *other == item) {
                    Some(at) => {
                        items.remove(at);
                        Ok(Val::from(()))
                    }
                    None => fail("list.remove(x): x not in list"),
                },
            )
        }
        "index" => {
            let item = args.need("value")?;
            let start = position(args.int("start", Some(0))?, list.items().len());
            match list
                .items()
                .iter()
                .skip(start)
                .position(|other| *other == item)
            {
                Some(at) => Ok(Val::from(at + start)),
                None => fail(format!(
                    "{} is not in list",
                    super::super::print::repr(&item)
                )),
            }
        }
        "count" => {
            let item = args.need("value")?;
            Ok(Val::from(
                list.items().iter().filter(|other| **other == item).count(),
            ))
        }
        "reverse" => {
            list.change(|items| items.reverse());
            none
        }
        "sort" => {
            let reverse = args.flag("reverse", false)?;
            list.change(|items| {
                items.sort();
                if reverse {
                    items.reverse();
                }
            });
            none
        }
        "clear" => {
            list.change(Vec::clear);
            none
        }
        "copy" => Ok(List::of(list.items())),
        _ => Err(Error::new(
            ErrorKind::UnknownMethod,
            format!("'list object' has no attribute '{method}'"),
        )),
    }
}
