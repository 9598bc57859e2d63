//! What one rendering sees: variables, files, and what was computed before.

use super::scope::{Scope, ScopeMap, Variable};
use super::{TemplateError, TemplateErrorKind};
use crate::value::{LocalAccount, Map, Value};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where relative file names are looked for.
#[derive(Clone, Debug, Default)]
pub struct FileContext {
    /// Directories in the order of Ansible's `ansible_search_path`: the role's directory, parent roles, the
    /// directory of the task file, the playbook's. `x` is looked for as `<dir>/<kind>/x` (`files`,
    /// `templates`, ...) and then as `<dir>/x`.
    pub search_path: Vec<PathBuf>,
    /// The playbook's directory: relative names that are not searched for start here.
    pub basedir: PathBuf,
}

impl FileContext {
    /// The first existing file of that name, in Ansible's order; `kind` is `files`, `templates` or `vars`.
    ///
    /// Source: Ansible's documentation, "Playbook search paths".
    pub fn find(&self, kind: &str, name: &str) -> Option<PathBuf> {
        self.candidates(kind, name)
            .into_iter()
            .find(|path| path.exists())
    }

    /// All the places where that name is looked for.
    pub fn candidates(&self, kind: &str, name: &str) -> Vec<PathBuf> {
        let name = expand_home(name);
        if name.is_absolute() {
            return vec![name];
        }
        let mut paths = Vec::new();
        for dir in self
            .search_path
            .iter()
            .chain(std::iter::once(&self.basedir))
        {
            for path in [dir.join(kind).join(&name), dir.join(&name)] {
                if !paths.contains(&path) {
                    paths.push(path);
                }
            }
        }
        paths
    }
}

/// `~` at the start of a path as the home directory, `~name` as that user's; as it is where nobody knows one.
pub(crate) fn expand_home(path: &str) -> PathBuf {
    let Some(rest) = path.strip_prefix('~') else {
        return PathBuf::from(path);
    };
    let (name, below) = rest.split_once('/').unwrap_or((rest, ""));
    let home = if name.is_empty() {
        std::env::var_os("HOME").map(PathBuf::from)
    } else {
        LocalAccount::find(|account| account.name == name).map(|account| account.home)
    };
    match home {
        Some(home) if below.is_empty() => home,
        Some(home) => home.join(below.trim_start_matches('/')),
        None => PathBuf::from(path),
    }
}

/// The variables and files of a task on a host. Values are expanded at most once per context, so make a new
/// one when variables change. Cheap to clone: clones share what was computed.
#[derive(Clone, Debug)]
pub struct Context {
    pub(crate) session: Arc<Session>,
}

impl Context {
    /// A context of these variables.
    pub fn new(scope: Arc<dyn Scope>, files: Arc<FileContext>) -> Self {
        Self {
            session: Session::new(scope, files, Arc::default()),
        }
    }

    /// A context that sees more variables; what this one has computed is not reused, since a variable's
    /// value may depend on the new ones.
    #[must_use]
    pub fn with_vars(&self, vars: Map) -> Self {
        let scope = Overlay {
            base: Arc::clone(&self.session.scope),
            vars,
        };
        let files = Arc::clone(&self.session.files);
        Self {
            session: Session::new(Arc::new(scope), files, self.session.shared.within()),
        }
    }

    /// The variables.
    pub fn scope(&self) -> &Arc<dyn Scope> {
        &self.session.scope
    }

    /// The files.
    pub fn files(&self) -> &FileContext {
        &self.session.files
    }
}

/// A scope with more variables on top.
#[derive(Debug)]
pub struct Overlay {
    /// What is below.
    pub base: Arc<dyn Scope>,
    /// What hides it; its strings may be templates.
    pub vars: Map,
}

impl Scope for Overlay {
    fn get(&self, name: &str) -> Option<Variable> {
        match self.vars.get(name) {
            Some(value) => Some(Variable::Lazy(value.clone())),
            None => self.base.get(name),
        }
    }

    fn names(&self) -> Vec<Arc<str>> {
        let mut names = self.base.names();
        for (name, _) in self.vars.str_iter() {
            if !names.iter().any(|known| &**known == name) {
                names.push(name.into());
            }
        }
        names
    }
}

/// A variable after its templates were expanded.
#[derive(Clone, Debug)]
pub(crate) enum Resolved {
    Value(Value),
    Scope(Arc<Session>),
    Scopes(Arc<str>, Arc<dyn ScopeMap>),
}

/// One scope's state.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) scope: Arc<dyn Scope>,
    pub(crate) files: Arc<FileContext>,
    pub(crate) cache: Mutex<HashMap<String, Result<Resolved, TemplateError>>>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) id: usize,
}

/// State of a whole tree of sessions (a host's variables, and through `hostvars` those of other hosts).
#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// Variables being expanded now, outermost first: the session's id and the name.
    pub(crate) resolving: Mutex<Vec<(usize, String)>>,
    children: Mutex<HashMap<(usize, String), Arc<Session>>>,
    next_id: AtomicUsize,
    sealed: AtomicBool,
}

/// How deep variables and templates may refer to each other.
const MAX_DEPTH: usize = 200;
/// The session of what is no variable of a session that is asked.
const ELSEWHERE: usize = usize::MAX;

impl Shared {
    /// New state for what is rendered while this is being expanded: as deep, and a variable may have another value there.
    fn within(&self) -> Arc<Self> {
        let names = lock(&self.resolving);
        let outer = names.iter().map(|(_, name)| (ELSEWHERE, name.clone()));
        Arc::new(Self {
            resolving: Mutex::new(outer.collect()),
            ..Self::default()
        })
    }

    /// Notes that this is being expanded from now on, until `leave`.
    ///
    /// # Errors
    /// When that leads back to itself, or too much is being expanded.
    pub(crate) fn enter(&self, key: &(usize, String)) -> Result<(), TemplateError> {
        let mut resolving = lock(&self.resolving);
        let circle = resolving.iter().position(|other| other == key);
        let why = match circle.filter(|_| key.0 != ELSEWHERE) {
            Some(at) => {
                let names: Vec<&str> = resolving
                    .iter()
                    .skip(at)
                    .map(|(_, name)| name.as_str())
                    .chain(std::iter::once(key.1.as_str()))
                    .collect();
                format!(
                    "recursive loop detected in template: `{}`",
                    names.join("` -> `")
                )
            }
            None if resolving.len() >= MAX_DEPTH => format!(
                "more than {MAX_DEPTH} variables and templates refer to each other in a row"
            ),
            None => {
                resolving.push(key.clone());
                return Ok(());
            }
        };
        Err(TemplateError::new(TemplateErrorKind::Recursion, why))
    }

    /// It is expanded.
    pub(crate) fn leave(&self, key: &(usize, String)) {
        let mut resolving = lock(&self.resolving);
        if let Some(at) = resolving.iter().rposition(|other| other == key) {
            resolving.remove(at);
        }
    }

    /// Renders a file with this, which may lead to the same file again.
    ///
    /// # Errors
    /// The renderer's, or that too much is being expanded.
    pub(crate) fn in_file<T>(
        &self,
        name: &str,
        render: impl FnOnce() -> Result<T, TemplateError>,
    ) -> Result<T, TemplateError> {
        let key = (ELSEWHERE, name.to_owned());
        self.enter(&key)?;
        let rendered = render();
        self.leave(&key);
        rendered
    }

    /// Some variable's value holds strings that are still encrypted.
    pub(crate) fn holds_sealed(&self) {
        self.sealed.store(true, Ordering::Relaxed);
    }

    pub(crate) fn may_hold_sealed(&self) -> bool {
        self.sealed.load(Ordering::Relaxed)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // those below hold what they share with the outermost, which holds them
        if self.id == 0 {
            let children = std::mem::take(&mut *lock(&self.shared.children));
            drop(children);
        }
    }
}

impl Session {
    pub(crate) fn new(
        scope: Arc<dyn Scope>,
        files: Arc<FileContext>,
        shared: Arc<Shared>,
    ) -> Arc<Self> {
        let id = shared.next_id.fetch_add(1, Ordering::Relaxed);
        Arc::new(Self {
            scope,
            files,
            cache: Mutex::default(),
            shared,
            id,
        })
    }

    /// The session of a scope below this one; the same one each time, so that circles are found.
    pub(crate) fn child(
        &self,
        key: &str,
        scope: impl FnOnce() -> Option<Arc<dyn Scope>>,
    ) -> Option<Arc<Self>> {
        let id = if key.starts_with("hostvars\0") {
            0
        } else {
            self.id
        };
        let key = (id, key.to_owned());
        if let Some(session) = lock(&self.shared.children).get(&key) {
            return Some(Arc::clone(session));
        }
        let session = Self::new(scope()?, Arc::clone(&self.files), Arc::clone(&self.shared));
        lock(&self.shared.children).insert(key, Arc::clone(&session));
        Some(session)
    }
}

/// Locks; a panic elsewhere does not matter, the data is whole at all times.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::expand_home;
    use std::path::Path;

    #[test]
    fn a_home_directory_is_that_of_the_user_who_is_named() {
        let root = Path::new("/root");
        assert_eq!(expand_home("~root/a/b"), root.join("a/b"));
        assert_eq!(expand_home("~root"), root);
        assert_eq!(
            expand_home("~nobody-of-that-name/a"),
            Path::new("~nobody-of-that-name/a")
        );
        assert_eq!(expand_home("a/~root"), Path::new("a/~root"));
    }
}
