//! Filters that shape lists.

use super::Filter;
use super::Random;
use super::types::wrong;
use crate::template::call::{Call, fail, iterate};
use crate::template::objects::List;
use minijinja::Error;
use minijinja::value::{Tuple, Value as Val, ValueKind};

pub(super) const TABLE: &[(&str, Filter)] = &[
    ("length", length),
    ("count", length),
    ("first", |c| match c.items()?.into_iter().next() {
        Some(item) => Ok(item),
        None => Ok(Val::UNDEFINED),
    }),
    ("last", |c| match c.items()?.pop() {
        Some(item) => Ok(item),
        None => Ok(Val::UNDEFINED),
    }),
    ("reverse", |c| {
        if let Some(text) = c.input.as_str() {
            return Ok(Val::from(text.chars().rev().collect::<String>()));
        }
        let mut items = c.items()?;
        items.reverse();
        Ok(List::of(items))
    }),
    ("join", join),
    ("flatten", flatten),
    ("batch", batch),
    ("slice", slice),
    ("zip", |c| {
        let columns = columns(c)?;
        let rows = columns.iter().map(Vec::len).min().unwrap_or(0);
        Ok(rows_of(&columns, rows, &Val::from(())))
    }),
    ("zip_longest", |c| {
        let fill = c
            .args
            .take_named("fillvalue")
            .unwrap_or_else(|| Val::from(()));
        let columns = columns(c)?;
        let rows = columns.iter().map(Vec::len).max().unwrap_or(0);
        Ok(rows_of(&columns, rows, &fill))
    }),
    ("product", |c| {
        let repeat = usize::try_from(
            c.args
                .take_named("repeat")
                .and_then(|n| n.as_i64())
                .unwrap_or(1),
        )
        .unwrap_or(0);
        let columns = columns(c)?;
        let columns: Vec<Vec<Val>> = std::iter::repeat_n(columns, repeat.min(16))
            .flatten()
            .collect();
        let mut rows: Vec<Vec<Val>> = vec![Vec::new()];
        for column in &columns {
            if rows.len().saturating_mul(column.len()) > LIMIT {
                return fail("the product is too large");
            }
            rows = rows
                .iter()
                .flat_map(|row| {
                    column
                        .iter()
                        .map(move |item| [row.as_slice(), std::slice::from_ref(item)].concat())
                })
                .collect();
        }
        Ok(tuples(rows))
    }),
    ("permutations", |c| {
        let items = c.items()?;
        let size = size(c, items.len())?;
        choose(&items, size, true)
    }),
    ("combinations", |c| {
        let items = c.items()?;
        let size = usize::try_from(c.args.int("set_size", None)?).unwrap_or(0);
        choose(&items, size, false)
    }),
    ("extract", extract),
    ("random", random),
    ("shuffle", |c| {
        let seed = c.args.opt("seed")?;
        // what cannot be shuffled is handed on
        let Ok(mut items) = c.items() else {
            return Ok(c.input.clone());
        };
        let mut random = Random::of(seed.as_ref());
        for i in (1..items.len()).rev() {
            let other = random.below(i + 1);
            items.swap(i, other);
        }
        Ok(List::of(items))
    }),
];

/// The most items that a filter makes of its operands.
const LIMIT: usize = 1_000_000;

fn length(call: &mut Call) -> Result<Val, Error> {
    if call.input.is_undefined() {
        return Err(Error::undefined(&call.input));
    }
    match call.input.len() {
        Some(len) => Ok(Val::from(len)),
        None => wrong("length", "something that has a length", &call.input),
    }
}

/// `join(d='', attribute=None)`.
fn join(call: &mut Call) -> Result<Val, Error> {
    let separator = call.args.opt_text("d")?.unwrap_or_default();
    let attribute = call.args.opt("attribute")?;
    let mut parts = Vec::new();
    for item in call.items()? {
        let item = match &attribute {
            Some(path) => super::select::attribute(&item, path)?,
            None => item,
        };
        if item.is_undefined() {
            return Err(Error::undefined(&item));
        }
        parts.push(crate::template::print::str_of(&item));
    }
    Ok(Val::from(parts.join(&separator)))
}

/// `flatten(levels=None, skip_nulls=True)`.
fn flatten(call: &mut Call) -> Result<Val, Error> {
    let levels = call.args.int("levels", Some(i64::MAX))?;
    let skip = call.args.flag("skip_nulls", true)?;
    let mut out = Vec::new();
    flatten_into(&call.items()?, levels, skip, &mut out, 0)?;
    Ok(List::of(out))
}

fn flatten_into(
    items: &[Val],
    levels: i64,
    skip: bool,
    out: &mut Vec<Val>,
    depth: usize,
) -> Result<(), Error> {
    for item in items {
        let null = item.is_none() || matches!(item.as_str(), Some("None" | "null"));
        if skip && null {
            continue;
        }
        if matches!(item.kind(), ValueKind::Seq | ValueKind::Iterable) && levels >= 1 && depth < 100
        {
            flatten_into(
                &iterate(item)?,
                levels.saturating_sub(1),
                skip,
                out,
                depth + 1,
            )?;
        } else {
            out.push(item.clone());
        }
    }
    Ok(())
}

/// `batch(linecount, fill_with=None)`.
fn batch(call: &mut Call) -> Result<Val, Error> {
    let count = usize::try_from(call.args.int("linecount", None)?).unwrap_or(0);
    let fill = call.args.take("fill_with");
    if count == 0 {
        return fail("batch needs a line count of one or more");
    }
    if count > LIMIT {
        return fail("the line count is too large");
    }
    let items = call.items()?;
    let lines = items.chunks(count).map(|chunk| {
        let mut line = chunk.to_vec();
        if let Some(fill) = fill.as_ref().filter(|fill| !fill.is_none()) {
            line.resize(count, fill.clone());
        }
        List::of(line)
    });
    Ok(List::of(lines.collect()))
}

/// `slice(slices, fill_with=None)`: that many columns.
fn slice(call: &mut Call) -> Result<Val, Error> {
    let count = usize::try_from(call.args.int("slices", None)?).unwrap_or(0);
    let fill = call.args.take("fill_with").filter(|fill| !fill.is_none());
    let items = call.items()?;
    if count == 0 || count > LIMIT {
        return fail("slice needs a number of slices of one or more");
    }
    let (per, extra) = (items.len() / count, items.len() % count);
    let mut rest = items.into_iter();
    let mut slices = Vec::new();
    for i in 0..count {
        let size = per + usize::from(i < extra);
        let mut slice: Vec<Val> = rest.by_ref().take(size).collect();
        if i >= extra
            && extra > 0
            && let Some(fill) = &fill
        {
            slice.push(fill.clone());
        }
        slices.push(List::of(slice));
    }
    Ok(List::of(slices))
}

fn columns(call: &mut Call) -> Result<Vec<Vec<Val>>, Error> {
    let mut columns = vec![call.items()?];
    for arg in call.args.rest() {
        columns.push(iterate(&arg)?);
    }
    Ok(columns)
}

fn tuples(rows: Vec<Vec<Val>>) -> Val {
    List::of(
        rows.into_iter()
            .map(|row| Val::from(Tuple::from(row)))
            .collect(),
    )
}

fn rows_of(columns: &[Vec<Val>], rows: usize, fill: &Val) -> Val {
    tuples(
        (0..rows)
            .map(|i| {
                columns
                    .iter()
                    .map(|column| column.get(i).unwrap_or(fill).clone())
                    .collect()
            })
            .collect(),
    )
}

fn size(call: &mut Call, default: usize) -> Result<usize, Error> {
    let default = i64::try_from(default).unwrap_or(i64::MAX);
    Ok(usize::try_from(call.args.int("set_size", Some(default))?).unwrap_or(0))
}

/// All ways to choose `size` items, in Python's order.
fn choose(items: &[Val], size: usize, ordered: bool) -> Result<Val, Error> {
    let mut rows: Vec<Vec<usize>> = vec![Vec::new()];
    if size > items.len() {
        return Ok(List::of(Vec::new()));
    }
    for _ in 0..size {
        let mut next = Vec::new();
        for row in &rows {
            let start = if ordered {
                0
            } else {
                row.last().map_or(0, |last| last + 1)
            };
            for i in start..items.len() {
                if !row.contains(&i) {
                    next.push([row.as_slice(), &[i]].concat());
                }
            }
            if next.len() > LIMIT {
                return fail("there are too many of them");
            }
        }
        rows = next;
    }
    Ok(tuples(
        rows.iter()
            .map(|row| row.iter().filter_map(|i| items.get(*i).cloned()).collect())
            .collect(),
    ))
}

/// `extract(container, morekeys=None)`: the operand is the key.
fn extract(call: &mut Call) -> Result<Val, Error> {
    if call.input.is_undefined() {
        return Err(Error::undefined(&call.input));
    }
    let Some(container) = call.args.take("container") else {
        return fail("extract() missing 1 required positional argument: 'container'");
    };
    let mut keys = vec![call.input.clone()];
    if let Some(more) = call.args.take("morekeys").filter(|more| !more.is_none()) {
        keys.extend(super::types::list_of(&more)?);
    }
    // what is undefined stays so: `default` may come next
    let mut value = container;
    for key in keys {
        if value.is_undefined() {
            break;
        }
        value = value.get_item(&key)?;
    }
    Ok(value)
}

/// `random(end, start=0, step=1, seed=None)` of a number, or of a list.
fn random(call: &mut Call) -> Result<Val, Error> {
    let start = call.args.opt("start")?;
    let step = call.args.opt("step")?.filter(|step| !step.is_null());
    let seed = call.args.opt("seed")?;
    let mut random = Random::of(seed.as_ref());
    if let Some(end) = call.input.as_i64().filter(|_| call.input.is_number()) {
        let start = start
            .as_ref()
            .and_then(crate::template::call::int_of)
            .unwrap_or(0);
        let step = step
            .as_ref()
            .and_then(crate::template::call::int_of)
            .unwrap_or(1)
            .max(1);
        if start >= end {
            return fail(format!("random: the range from {start} to {end} is empty"));
        }
        let count = end.saturating_sub(start).saturating_add(step - 1) / step;
        let at = i64::try_from(random.below(usize::try_from(count).unwrap_or(1))).unwrap_or(0);
        return Ok(Val::from(start.saturating_add(at.saturating_mul(step))));
    }
    if start.is_some() || step.is_some() {
        return fail("random: start and step can only be used with integer values");
    }
    if call.input.is_none() || call.input.as_str().is_none() && call.input.try_iter().is_err() {
        return fail("random can only be used on sequences and integers");
    }
    let items = call.items()?;
    match items.get(random.below(items.len())) {
        Some(item) => Ok(item.clone()),
        None => Ok(Val::UNDEFINED),
    }
}
