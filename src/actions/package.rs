//! What of managing packages and services only the controller knows: the variables `ansible_package_use` and
//! `ansible_service_use` name the manager where the task does not, and pip is that of `ansible_python_interpreter`.
//!
//! Source: Ansible's documentation of the modules of these names.

use super::{Input, RemoteCall, Result, Step};
use crate::value::Value;

/// The task's call, with `use` filled in.
pub(super) fn managed(input: &Input<'_>, action: &'static str) -> Result<Step> {
    let mut args = input.args.clone();
    let is_auto = args
        .get("use")
        .is_none_or(|name| name.is_null() || name.to_string() == "auto");
    if is_auto {
        let variable = Value::str(format!("{{{{ ansible_{action}_use | default('auto') }}}}"));
        let name = input.templar.render(&variable, input.cx)?.to_string();
        if name != "auto" && !name.is_empty() {
            args.set("use", Value::data(name));
        }
    }
    Ok(Step::Call(RemoteCall::new(action, args)))
}

/// `pip` with the Python that the host's variables name, if they do.
pub(super) fn pip(input: &Input<'_>) -> Result<Step> {
    let mut args = input.args.clone();
    let variable = Value::str("{{ ansible_python_interpreter | default('auto') }}");
    let python = input.templar.render(&variable, input.cx)?.to_string();
    if !python.is_empty() && !python.starts_with("auto") {
        args.set("_python", Value::data(python));
    }
    Ok(Step::Call(RemoteCall::new("pip", args)))
}
