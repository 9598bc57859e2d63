//! Lists and dicts as templates see them: converted when touched, and changeable by Python's methods.

use super::context::{Resolved, Session, lock};
use super::convert::{key_of, nested};
use super::print;
use super::render::{Render, engine_error};
use super::{TemplateError, Variable};
use crate::value::{Map, Trust, Value};
use indexmap::IndexMap;
use minijinja::value::{Enumerator, Object, ObjectRepr, Value as Val, ValueKind};
use minijinja::{Error, State};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};

/// A value for the engine. Strings that are data leave a mark on the rendering.
pub(crate) fn wrap(value: &Value, render: &Arc<Render>) -> Val {
    match value {
        Value::Null => Val::from(()),
        Value::Bool(b) => Val::from(*b),
        Value::Int(i) => Val::from(*i),
        Value::Float(f) => Val::from(*f),
        Value::Str(text) if text.trust() == Trust::Vault => match render.open(text) {
            Ok(plain) => {
                render.touch();
                super::class::opened(plain)
            }
            Err(error) => super::sealed::locked(text, error),
        },
        Value::Str(text) => {
            if text.trust() == Trust::Data {
                render.touch();
            }
            super::class::text(text)
        }
        Value::List(items) => Val::from_object(List {
            cells: Mutex::new(ListCells::Shared(Arc::clone(items), HashMap::new())),
            render: Some(Arc::clone(render)),
        }),
        Value::Map(map) => Val::from_object(Dict {
            cells: Mutex::new(DictCells::Shared(Arc::clone(map), HashMap::new())),
            render: Some(Arc::clone(render)),
        }),
    }
}

/// Takes a list or map that the engine made into ours.
pub(crate) fn adopt(value: Val) -> Val {
    if value.is_tuple()
        || value.downcast_object_ref::<List>().is_some()
        || value.downcast_object_ref::<Dict>().is_some()
    {
        return value;
    }
    let Some(object) = value.as_object() else {
        return value;
    };
    match object.repr() {
        ObjectRepr::Seq | ObjectRepr::Iterable => match object.try_iter() {
            Some(items) => List::of(items.collect()),
            None => value,
        },
        ObjectRepr::Map => match object.try_iter_pairs() {
            Some(pairs) => Dict::of(pairs.collect()),
            None => value,
        },
        _ => value,
    }
}

fn wrap_cached(
    value: &Value,
    index: usize,
    cache: &mut HashMap<usize, Val>,
    render: Option<&Arc<Render>>,
) -> Val {
    let Some(render) = render else {
        return Val::UNDEFINED;
    };
    if !matches!(value, Value::List(_) | Value::Map(_)) {
        return wrap(value, render);
    }
    cache
        .entry(index)
        .or_insert_with(|| wrap(value, render))
        .clone()
}

fn is_changed(value: &Val) -> bool {
    if let Some(list) = value.downcast_object_ref::<List>() {
        return match &*lock(&list.cells) {
            ListCells::Own(_) => true,
            ListCells::Shared(_, cache) => cache.values().any(is_changed),
        };
    }
    if let Some(dict) = value.downcast_object_ref::<Dict>() {
        return match &*lock(&dict.cells) {
            DictCells::Own(_) => true,
            DictCells::Shared(_, cache) => cache.values().any(is_changed),
        };
    }
    false
}

fn unsealed(value: Value, render: Option<&Arc<Render>>, sealed: bool) -> Result<Value, Error> {
    match render {
        Some(render) if !sealed => render.unseal(value).map_err(engine_error),
        _ => Ok(value),
    }
}

/// A Python list.
pub(crate) struct List {
    cells: Mutex<ListCells>,
    render: Option<Arc<Render>>,
}

enum ListCells {
    Shared(Arc<Vec<Value>>, HashMap<usize, Val>),
    Own(Vec<Val>),
}

impl List {
    pub(crate) fn of(items: Vec<Val>) -> Val {
        Val::from_object(Self {
            cells: Mutex::new(ListCells::Own(items)),
            render: None,
        })
    }

    /// The items, as they are now.
    pub(crate) fn items(&self) -> Vec<Val> {
        match &mut *lock(&self.cells) {
            ListCells::Own(items) => items.clone(),
            ListCells::Shared(items, cache) => items
                .iter()
                .enumerate()
                .map(|(i, item)| wrap_cached(item, i, cache, self.render.as_ref()))
                .collect(),
        }
    }

    /// Changes the items.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Vec<Val>) -> T) -> T {
        let own = match &mut *lock(&self.cells) {
            ListCells::Own(items) => Some(std::mem::take(items)),
            ListCells::Shared(..) => None,
        };
        let mut items = own.unwrap_or_else(|| self.items());
        // not under the lock: what is compared may be this list
        let told = change(&mut items);
        *lock(&self.cells) = ListCells::Own(items);
        told
    }

    /// Ours again; `sealed` leaves closed what is encrypted. `depth` is how deep it lies in others.
    pub(crate) fn to_value(&self, sealed: Option<&Render>, depth: usize) -> Result<Value, Error> {
        let items = match &*lock(&self.cells) {
            ListCells::Shared(items, cache) if !cache.values().any(is_changed) => {
                return unsealed(
                    Value::List(Arc::clone(items)),
                    self.render.as_ref(),
                    sealed.is_some(),
                );
            }
            ListCells::Own(items) => Some(items.clone()),
            ListCells::Shared(..) => None,
        };
        let items = items.unwrap_or_else(|| self.items());
        Ok(Value::list(
            items
                .iter()
                .map(|item| nested(item, depth + 1, sealed))
                .collect::<Result<_, _>>()?,
        ))
    }
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&print::list(&self.items()))
    }
}

impl Object for List {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Val) -> Option<Val> {
        let index = key.as_usize()?;
        match &mut *lock(&self.cells) {
            ListCells::Own(items) => items.get(index).cloned(),
            ListCells::Shared(items, cache) => items
                .get(index)
                .map(|item| wrap_cached(item, index, cache, self.render.as_ref())),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.items())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(match &*lock(&self.cells) {
            ListCells::Own(items) => items.len(),
            ListCells::Shared(items, _) => items.len(),
        })
    }

    fn call_method(
        self: &Arc<Self>,
        state: &mut State<'_, '_>,
        method: &str,
        args: &[Val],
    ) -> Result<Val, Error> {
        super::methods::list(self, state, method, args)
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A Python dict.
pub(crate) struct Dict {
    cells: Mutex<DictCells>,
    render: Option<Arc<Render>>,
}

enum DictCells {
    Shared(Arc<Map>, HashMap<usize, Val>),
    Own(IndexMap<Val, Val>),
}

impl Dict {
    pub(crate) fn of(members: IndexMap<Val, Val>) -> Val {
        Val::from_object(Self {
            cells: Mutex::new(DictCells::Own(members)),
            render: None,
        })
    }

    /// The members, as they are now.
    pub(crate) fn pairs(&self) -> Vec<(Val, Val)> {
        match &mut *lock(&self.cells) {
            DictCells::Own(members) => members
                .iter()
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect(),
            DictCells::Shared(map, cache) => map
                .iter()
                .enumerate()
                .map(|(i, (key, value))| {
                    (
                        self.render
                            .as_ref()
                            .map_or(Val::UNDEFINED, |render| wrap(key, render)),
                        wrap_cached(value, i, cache, self.render.as_ref()),
                    )
                })
                .collect(),
        }
    }

    fn keys(&self) -> Vec<Val> {
        match &*lock(&self.cells) {
            DictCells::Own(members) => members.keys().cloned().collect(),
            DictCells::Shared(map, _) => map
                .keys()
                .map(|key| {
                    self.render
                        .as_ref()
                        .map_or(Val::UNDEFINED, |render| wrap(key, render))
                })
                .collect(),
        }
    }

    /// Changes the members.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut IndexMap<Val, Val>) -> T) -> T {
        let own = match &mut *lock(&self.cells) {
            DictCells::Own(members) => Some(std::mem::take(members)),
            DictCells::Shared(..) => None,
        };
        let mut members = own.unwrap_or_else(|| self.pairs().into_iter().collect());
        // not under the lock: a key may be this dict
        let told = change(&mut members);
        *lock(&self.cells) = DictCells::Own(members);
        told
    }

    /// Ours again; `sealed` leaves closed what is encrypted. `depth` is how deep it lies in others.
    pub(crate) fn to_value(&self, sealed: Option<&Render>, depth: usize) -> Result<Value, Error> {
        let members = match &*lock(&self.cells) {
            DictCells::Shared(map, cache) if !cache.values().any(is_changed) => {
                return unsealed(
                    Value::Map(Arc::clone(map)),
                    self.render.as_ref(),
                    sealed.is_some(),
                );
            }
            DictCells::Own(members) => Some(
                members
                    .iter()
                    .map(|(k, v)| (k.clone(), v.clone()))
                    .collect::<Vec<_>>(),
            ),
            DictCells::Shared(..) => None,
        };
        let members = members.unwrap_or_else(|| self.pairs());
        members
            .iter()
            .map(|(key, value)| {
                Ok((
                    nested(key, depth + 1, sealed)?,
                    nested(value, depth + 1, sealed)?,
                ))
            })
            .collect::<Result<Map, _>>()
            .map(Value::map)
    }
}

impl fmt::Debug for Dict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&print::dict(&self.pairs()))
    }
}

/// Whether a dict may have such a key: neither a dict nor a list, also not in a tuple.
pub(crate) fn may_be_key(key: &Val) -> bool {
    match key.kind() {
        ValueKind::Map => false,
        ValueKind::Seq | ValueKind::Iterable => {
            key.is_tuple()
                && key
                    .try_iter()
                    .is_ok_and(|mut items| items.all(|item| may_be_key(&item)))
        }
        _ => true,
    }
}

impl Object for Dict {
    fn get_value(self: &Arc<Self>, key: &Val) -> Option<Val> {
        if !may_be_key(key) {
            return None;
        }
        match &mut *lock(&self.cells) {
            DictCells::Own(members) => members.get(key).cloned(),
            DictCells::Shared(map, cache) => {
                let (index, _, value) = match key.as_str() {
                    Some(text) => map.get_full(text)?,
                    None => map.get_full(&key_of(key)?)?,
                };
                Some(wrap_cached(value, index, cache, self.render.as_ref()))
            }
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.keys())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(match &*lock(&self.cells) {
            DictCells::Own(members) => members.len(),
            DictCells::Shared(map, _) => map.len(),
        })
    }

    fn call_method(
        self: &Arc<Self>,
        state: &mut State<'_, '_>,
        method: &str,
        args: &[Val],
    ) -> Result<Val, Error> {
        super::methods::dict(self, state, method, args)
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A scope as a mapping (`vars`, a host of `hostvars`).
#[derive(Clone)]
pub(crate) struct ScopeObject {
    pub(crate) session: Arc<Session>,
    pub(crate) render: Arc<Render>,
    /// Whether these are a host's of `hostvars`.
    pub(crate) host: bool,
}

impl ScopeObject {
    pub(crate) fn is_host(&self) -> bool {
        self.host
    }

    fn member(&self, name: &str) -> Option<Val> {
        match super::resolve::resolve(&self.render.templar, &self.session, name)? {
            Ok(resolved) => Some(wrap_resolved(&resolved, &self.session, &self.render)),
            Err(error) if error.is_undefined() => {
                if let Some(Ok(value)) = self.host.then(|| self.written(name)).flatten() {
                    Some(wrap(&value, &self.render))
                } else {
                    self.render.note(name, error.through(name));
                    None
                }
            }
            Err(error) => Some(Val::from(super::render::engine_error(error.through(name)))),
        }
    }

    /// A variable of which parts are undefined: these stay as they are written.
    fn written(&self, name: &str) -> Option<Result<Value, TemplateError>> {
        match self.session.scope.get(name)? {
            Variable::Lazy(value) | Variable::Final(value) => {
                let expanded = self.render.templar.expand_defined(&value, &self.session);
                Some(expanded)
            }
            _ => None,
        }
    }

    pub(crate) fn keys(&self) -> Vec<Val> {
        self.session
            .scope
            .names()
            .into_iter()
            .map(Val::from)
            .collect()
    }

    /// All variables with their values. What is undefined in those of a host stays as it is written; of `vars` those
    /// that cannot be expanded are left out.
    ///
    /// # Errors
    /// When a variable of a host cannot be expanded.
    pub(crate) fn to_value(&self) -> Result<Value, TemplateError> {
        let mut map = Map::new();
        for name in self.session.scope.names() {
            let expanded = match super::resolve::resolve(&self.render.templar, &self.session, &name)
            {
                Some(Ok(Resolved::Value(value))) => self.render.unseal(value),
                Some(Err(error)) if error.is_undefined() && self.host => {
                    match self.written(&name) {
                        Some(expanded) => expanded,
                        None => continue,
                    }
                }
                Some(Err(error)) => Err(error),
                _ => continue,
            };
            match expanded {
                Ok(value) => {
                    map.set(&name, value);
                }
                Err(error) if self.host => return Err(error.through(&name)),
                Err(_) => {}
            }
        }
        Ok(Value::map(map))
    }
}

impl fmt::Debug for ScopeObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::value::repr(&self.to_value().unwrap_or_default()))
    }
}

impl Object for ScopeObject {
    fn get_value(self: &Arc<Self>, key: &Val) -> Option<Val> {
        self.member(key.as_str()?)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.keys())
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Val],
    ) -> Result<Val, Error> {
        super::methods::mapping(&self.keys(), |key| self.member(key.as_str()?), method, args)
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A mapping of scopes (`hostvars`).
pub(crate) struct ScopesObject {
    pub(crate) name: Arc<str>,
    pub(crate) scopes: Arc<dyn super::ScopeMap>,
    pub(crate) session: Arc<Session>,
    pub(crate) render: Arc<Render>,
}

impl ScopesObject {
    fn member(&self, key: &str) -> Option<Val> {
        let session = self
            .session
            .child(&format!("{}\0{key}", self.name), || self.scopes.scope(key))?;
        Some(Val::from_object(ScopeObject {
            session,
            render: Arc::clone(&self.render),
            host: true,
        }))
    }

    fn keys(&self) -> Vec<Val> {
        self.scopes.keys().into_iter().map(Val::from).collect()
    }
}

impl fmt::Debug for ScopesObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs: Vec<_> = self
            .keys()
            .into_iter()
            .filter_map(|key| {
                let member = self.member(key.as_str()?)?;
                Some((key, member))
            })
            .collect();
        f.write_str(&print::dict(&pairs))
    }
}

impl Object for ScopesObject {
    fn get_value(self: &Arc<Self>, key: &Val) -> Option<Val> {
        self.member(key.as_str()?)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.keys())
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Val],
    ) -> Result<Val, Error> {
        super::methods::mapping(&self.keys(), |key| self.member(key.as_str()?), method, args)
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A variable for the engine.
pub(crate) fn wrap_resolved(
    resolved: &Resolved,
    session: &Arc<Session>,
    render: &Arc<Render>,
) -> Val {
    match resolved {
        Resolved::Value(value) => wrap(value, render),
        Resolved::Scope(session) => Val::from_object(ScopeObject {
            session: Arc::clone(session),
            render: Arc::clone(render),
            host: false,
        }),
        Resolved::Scopes(name, scopes) => Val::from_object(ScopesObject {
            name: Arc::clone(name),
            scopes: Arc::clone(scopes),
            session: Arc::clone(session),
            render: Arc::clone(render),
        }),
    }
}
