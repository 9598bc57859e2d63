//! What a task's templates know of the connection that it uses, where no variable says it.
//!
//! Source: Ansible's documentation, "Special variables: connection variables".

use super::run::Run;
use super::single::Place;
use crate::playbook::Task;
use crate::template::{Context, FileContext, Scope, ScopeMap, Variable};
use crate::value::{Map, Value};
use crate::vars::{ConnectionVars, HostScope};
use std::sync::Arc;

/// `ansible_delegated_vars`: the variables of the host that a task is delegated to, under its name.
#[derive(Debug)]
struct Delegated(Arc<Reached>);

/// The delegate's variables, of which some say how it is reached; the name is that of the host whose task it is.
#[derive(Debug)]
struct Reached {
    /// The delegate.
    name: Arc<str>,
    scope: Arc<HostScope>,
    /// The host whose task it is.
    from: Arc<str>,
}

impl Scope for Reached {
    fn get(&self, name: &str) -> Option<Variable> {
        if name == "inventory_hostname" {
            return Some(Variable::Final(Value::data(Arc::clone(&self.from))));
        }
        self.scope.get(name).or_else(|| match name {
            "ansible_host" => Some(Variable::Final(Value::data(Arc::clone(&self.name)))),
            "ansible_port" | "ansible_user" => Some(Variable::Final(Value::Null)),
            _ => None,
        })
    }

    fn names(&self) -> Vec<Arc<str>> {
        let mut names = self.scope.names();
        for name in ["ansible_host", "ansible_port", "ansible_user"] {
            if !names.iter().any(|known| &**known == name) {
                names.push(name.into());
            }
        }
        names
    }
}

impl ScopeMap for Delegated {
    fn keys(&self) -> Vec<Arc<str>> {
        vec![Arc::clone(&self.0.name)]
    }

    fn scope(&self, key: &str) -> Option<Arc<dyn Scope>> {
        (key == &*self.0.name).then(|| Arc::clone(&self.0) as Arc<dyn Scope>)
    }
}

impl Run {
    /// The task's scope with what is known of the connection, below all variables: address, user, port. A delegated task
    /// has those of its delegate, and `ansible_delegated_vars`.
    pub(super) fn connected(
        &self,
        place: &Place<'_>,
        task: &Task,
        (scope, files): (&HostScope, &Arc<FileContext>),
        delegate: Option<&Arc<str>>,
    ) -> Arc<HostScope> {
        let mut vars = Map::new();
        // where one name is defined, the other is the same
        let mut known = |names: [&str; 2], value: Value| {
            let defined = names.iter().find(|name| scope.get(name).is_some());
            let value = defined.map_or(value, |name| Value::str(format!("{{{{ {name} }}}}")));
            for name in names {
                vars.set(name, value.clone());
            }
        };
        let of_delegate = delegate.and_then(|name| {
            let (scope, _) = self.task_scope(place.state, name, task).ok()?;
            Some((name, scope))
        });
        let address = match &of_delegate {
            Some((name, scope)) => {
                let cx = Context::new(Arc::clone(scope) as Arc<dyn Scope>, Arc::clone(files) as _);
                let own = ["ansible_host", "ansible_ssh_host"]
                    .iter()
                    .find_map(|variable| self.variable(variable, &cx).ok().flatten());
                own.unwrap_or_else(|| Value::data(Arc::clone(name)))
            }
            None => Value::data(self.store.inventory(|inventory| {
                let host = inventory.host(place.host);
                match host.filter(|host| host.implicit) {
                    Some(_) => Arc::from("127.0.0.1"),
                    None => Arc::clone(place.host),
                }
            })),
        };
        known(["ansible_host", "ansible_ssh_host"], address);
        let user = task.keywords.remote_user.as_ref();
        let user = user.map(crate::yaml::Node::to_value).or_else(|| {
            let user = self.machines.login.target.user.as_deref()?;
            Some(Value::data(user))
        });
        if let Some(user) = user {
            known(["ansible_user", "ansible_ssh_user"], user);
        }
        if let Some(port) = task.keywords.port.as_ref().filter(|_| delegate.is_none()) {
            known(["ansible_port", "ansible_ssh_port"], port.to_value());
        }
        let delegated = of_delegate.map(|(name, scope)| {
            let (name, from) = (Arc::clone(name), Arc::clone(place.host));
            Arc::new(Delegated(Arc::new(Reached { name, scope, from }))) as Arc<dyn ScopeMap>
        });
        scope.with_connection(ConnectionVars { vars, delegated })
    }
}
