//! Ansible's classes of text, as the engine's strings carry them, and the names that `type_debug` gives.

use super::call::type_name;
use super::objects::{ScopeObject, ScopesObject};
use crate::value::{Text, TextClass, Trust};
use minijinja::value::{Value as Val, ValueKind};
use std::sync::Arc;

const WRITTEN: u8 = 1;
const NATIVE: u8 = 2;
/// Beside one of the others: the text is data.
const UNSAFE: u8 = 4;
/// The content of an encrypted value.
const OPENED: u8 = 8;
/// What is shown of a class.
const TYPE: u8 = 16;

/// A string for the engine, of the class that it is of.
pub(crate) fn text(text: &Text) -> Val {
    let class = match text.class() {
        TextClass::Markup if text.trust() == Trust::Template => {
            return Val::from_safe_string(text.to_string());
        }
        TextClass::Plain | TextClass::Markup => 0,
        TextClass::Written => WRITTEN,
        TextClass::Native => NATIVE,
        TextClass::Bytes => return Val::from_bytes(text.octets().unwrap_or_default()),
        TextClass::Type => return Val::from_host_string(text.shared(), TYPE),
    };
    let trust = if text.trust() == Trust::Data {
        UNSAFE
    } else {
        0
    };
    match class | trust {
        0 => Val::from(text.shared()),
        tag => Val::from_host_string(text.shared(), tag),
    }
}

/// What an encrypted value holds.
pub(crate) fn opened(plain: Arc<str>) -> Val {
    Val::from_host_string(plain, OPENED)
}

/// The result of a filter that stands for text, whatever that looks like.
pub(crate) fn native(text: String) -> Val {
    Val::from_host_string(text.into(), NATIVE)
}

/// The engine's string as ours.
pub(crate) fn text_of(value: &Val) -> Text {
    let shared = value.to_str().unwrap_or_default();
    let tag = value.host_tag();
    let class = match tag & (WRITTEN | NATIVE | TYPE) {
        WRITTEN => TextClass::Written,
        NATIVE => TextClass::Native,
        TYPE => TextClass::Type,
        _ if value.is_safe() => TextClass::Markup,
        _ => TextClass::Plain,
    };
    let text = Text::template(shared).of_class(class);
    if tag & (UNSAFE | OPENED) == 0 {
        text
    } else {
        text.into_data()
    }
}

/// Whether it is a text that is never read as a literal.
pub(crate) fn is_native(value: &Val) -> bool {
    value.host_tag() & NATIVE != 0
}

/// Whether it stands for a class.
pub(crate) fn is_type(value: &Val) -> bool {
    value.host_tag() & TYPE != 0
}

/// Whether it is never read as a literal where expressions keep their type: neither a class nor the content of an
/// encrypted value is.
pub(crate) fn stays_text(value: &Val) -> bool {
    value.host_tag() & (NATIVE | OPENED | TYPE) != 0
}

/// What every value of Python's has, as far as playbooks look at it: `__class__`, and the `__name__` of a class.
pub(crate) fn attribute(value: &Val, name: &str) -> Option<Val> {
    match name {
        "__class__" => {
            let class = name_of(value);
            let module = module_of(class);
            Some(Val::from_host_string(
                format!("<class '{module}{class}'>").into(),
                TYPE,
            ))
        }
        "__name__" if is_type(value) => {
            let shown = value.as_str()?.strip_suffix("'>")?;
            let start = shown.rfind(['.', '\''])? + 1;
            Some(Val::from(shown.get(start..)?))
        }
        _ => None,
    }
}

/// Where Python finds a class, with a dot at its end; nothing of those that need no import.
fn module_of(class: &str) -> &'static str {
    match class {
        "AnsibleUnicode" | "AnsibleVaultEncryptedUnicode" => "ansible.parsing.yaml.objects.",
        "AnsibleUnsafeText" | "NativeJinjaUnsafeText" => "ansible.utils.unsafe_proxy.",
        "NativeJinjaText" => "ansible.utils.native_jinja.",
        "HostVars" | "HostVarsVars" => "ansible.vars.hostvars.",
        "Markup" => "markupsafe.",
        "_GroupTuple" => "jinja2.filters.",
        _ => "",
    }
}

/// The name of the class that Ansible has for the value.
pub(crate) fn name(value: &Val) -> &'static str {
    if super::sealed::locked_in(value).is_some() {
        return "AnsibleVaultEncryptedUnicode";
    }
    name_of(value)
}

fn name_of(value: &Val) -> &'static str {
    if value.kind() == ValueKind::String {
        return if value.host_tag() & OPENED == 0 {
            text_of(value).class_name()
        } else {
            "AnsibleVaultEncryptedUnicode"
        };
    }
    if value.downcast_object_ref::<ScopesObject>().is_some() {
        "HostVars"
    } else if value
        .downcast_object_ref::<ScopeObject>()
        .is_some_and(ScopeObject::is_host)
    {
        "HostVarsVars"
    } else if value
        .downcast_object_ref::<super::filters::Group>()
        .is_some()
    {
        "_GroupTuple"
    } else {
        type_name(value)
    }
}
