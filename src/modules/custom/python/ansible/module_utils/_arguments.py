"""Arguments of modules against their specification."""

import os
from copy import deepcopy

from ansible.module_utils.common import validation as checks
from ansible.module_utils.common.text.converters import to_native, to_text
from ansible.module_utils.common.warnings import deprecate, warn
from ansible.module_utils.errors import (
    AliasError, AnsibleFallbackNotFound, AnsibleValidationError, ArgumentTypeError, ArgumentValueError,
    MutuallyExclusiveError, RequiredByError, RequiredError, RequiredIfError, RequiredOneOfError,
    RequiredTogetherError, UnsupportedError,
)

PASS_VARS = {}
PASS_BOOLS = ()

MASK = "********"
HIDDEN = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"

TYPES = {
    "str": checks.check_type_str, "list": checks.check_type_list, "dict": checks.check_type_dict,
    "bool": checks.check_type_bool, "int": checks.check_type_int, "float": checks.check_type_float,
    "path": checks.check_type_path, "raw": checks.check_type_raw, "jsonarg": checks.check_type_jsonarg,
    "json": checks.check_type_jsonarg, "bytes": checks.check_type_bytes, "bits": checks.check_type_bits,
    "sid": checks.check_type_str,
}


def env_fallback(*args, **kwargs):
    for name in args:
        if name in os.environ:
            return os.environ[name]
    raise AnsibleFallbackNotFound


def _texts(value):
    """All texts of a secret value."""
    if isinstance(value, (str, bytes)):
        text = to_text(value)
        return {text} if text else set()
    if isinstance(value, dict):
        return set().union(*(_texts(item) for item in value.values())) if value else set()
    if isinstance(value, (list, tuple, set)):
        return set().union(*(_texts(item) for item in value)) if value else set()
    if value is None or isinstance(value, bool):
        return set()
    return {str(value)}


def remove_values(value, no_log_strings):
    """The value with every secret in it hidden."""
    secrets = sorted((to_text(secret) for secret in no_log_strings), key=len, reverse=True)
    return _hide(value, secrets)


def _hide(value, secrets):
    if isinstance(value, (str, bytes)):
        text = to_text(value)
        if text in secrets:
            return HIDDEN
        for secret in secrets:
            text = text.replace(secret, MASK)
        return text
    if isinstance(value, dict):
        return {key: _hide(item, secrets) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_hide(item, secrets) for item in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return HIDDEN if str(value) in secrets else value
    return value


def sanitize_keys(obj, no_log_strings, ignore_keys=frozenset()):
    secrets = sorted((to_text(secret) for secret in no_log_strings), key=len, reverse=True)

    def walk(value):
        if isinstance(value, dict):
            return {key if key in ignore_keys or str(key).startswith("_ansible") else _hide(key, secrets): walk(item)
                    for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [walk(item) for item in value]
        return value
    return walk(obj)


class _Place:
    """Where in the arguments something stands, for messages."""

    def __init__(self, dotted="", context=()):
        self.dotted, self.context = dotted, tuple(context)

    def of(self, name):
        return "%s.%s" % (self.dotted, name) if self.dotted else name

    def quoted(self, name):
        # an index of a list is left out here, as Ansible does
        return '%s["%s"]' % (self.dotted.partition("[")[0], name) if self.dotted else name

    def below(self, name, index=None):
        inner = self.of(name) if index is None else "%s[%d]" % (self.of(name), index)
        return _Place(inner, self.context + (name,))


class ValidationResult:
    def __init__(self, parameters):
        self._validated_parameters = parameters
        self._no_log_values = set()
        self._unsupported_parameters = set()
        self._deprecations = []
        self._warnings = []
        self.errors = []

    @property
    def validated_parameters(self):
        return self._validated_parameters

    @property
    def unsupported_parameters(self):
        return self._unsupported_parameters

    @property
    def error_messages(self):
        return [str(error) for error in self.errors]


class ArgumentSpecValidator:
    """Checks arguments: names, aliases, defaults, types, choices, and what belongs together."""

    def __init__(self, argument_spec, mutually_exclusive=None, required_together=None, required_one_of=None,
                 required_if=None, required_by=None):
        self.argument_spec = argument_spec
        self.rules = {
            "mutually_exclusive": mutually_exclusive, "required_together": required_together,
            "required_one_of": required_one_of, "required_if": required_if, "required_by": required_by,
        }

    def validate(self, parameters, *args, **kwargs):
        result = ValidationResult(deepcopy(parameters))
        _check(result, self.argument_spec, result._validated_parameters, self.rules, _Place())
        return result


def _rule(result, error, check, *args):
    try:
        check(*args)
    except (TypeError, ValueError) as why:
        result.errors.append(error(to_native(why)))


def _aliases(result, spec, parameters, place):
    """Gives arguments their own names; says which names exist."""
    known = set()
    for name, about in spec.items():
        known.add(name)
        aliases = about.get("aliases") or []
        if not isinstance(aliases, (list, tuple)):
            raise TypeError("internal error: aliases must be a list or tuple")
        old = {entry["name"]: entry for entry in about.get("deprecated_aliases") or []}
        for alias in aliases:
            known.add(alias)
            if alias not in parameters:
                continue
            if name in parameters:
                warn("Both option %s and its alias %s are set." % (place.of(name), place.of(alias)))
            parameters[name] = parameters[alias]
            if alias in old:
                deprecate("Alias '%s' is deprecated. See the module docs for more information" % place.of(alias),
                          version=old[alias].get("version"), date=old[alias].get("date"),
                          collection_name=old[alias].get("collection_name"))
    return known


def _looks_secret(name):
    words = str(name).lower().replace("-", "_").split("_")
    return any(word in ("pass", "password", "passwd", "passwrd", "passphrase") for word in words)


def _secrets(result, spec, parameters, place):
    for name, about in spec.items():
        value = parameters.get(name)
        if about.get("no_log"):
            if value is not None:
                result._no_log_values.update(_texts(value))
        elif about.get("no_log") is None and name in parameters and _looks_secret(name) \
                and about.get("type") != "bool":
            warn("Module did not set no_log for %s" % name)
        if about.get("removed_at_date") and name in parameters:
            deprecate("Param '%s' is deprecated. See the module docs for more information" % place.quoted(name),
                      date=about["removed_at_date"], collection_name=about.get("removed_from_collection"))
        elif about.get("removed_in_version") and name in parameters:
            deprecate("Param '%s' is deprecated. See the module docs for more information" % place.quoted(name),
                      version=about["removed_in_version"], collection_name=about.get("removed_from_collection"))


def _convert(result, about, name, value, place):
    kind = about.get("type") or "str"
    check = kind if callable(kind) else TYPES.get(kind)
    shown = kind if isinstance(kind, str) else getattr(kind, "__name__", str(kind))
    where = checks._within(place.context)
    if check is None:
        result.errors.append(ArgumentTypeError("an unknown type '%s' was requested for argument '%s'" % (shown, name)))
        return value
    try:
        value = check(value)
    except (TypeError, ValueError) as why:
        result.errors.append(ArgumentTypeError(
            "argument '%s' is of type %s%s and we were unable to convert to %s: %s"
            % (name, type(value), where, shown, to_native(why))))
        return value
    elements = about.get("elements")
    if kind == "list" and elements is not None and isinstance(value, list):
        check = elements if callable(elements) else TYPES.get(elements)
        shown = elements if isinstance(elements, str) else getattr(elements, "__name__", str(elements))
        converted = []
        for item in value:
            try:
                converted.append(check(item))
            except (TypeError, ValueError) as why:
                result.errors.append(ArgumentTypeError(
                    "Elements value for option '%s'%s is of type %s and we were unable to convert to %s: %s"
                    % (name, where, type(item), shown, to_native(why))))
                converted.append(item)
        value = converted
    return value


def _choose(result, about, name, parameters, place):
    choices = about.get("choices")
    if choices is None:
        return
    if not isinstance(choices, (list, tuple, set, frozenset, dict)) and not hasattr(choices, "__iter__"):
        result.errors.append(ArgumentTypeError(
            "internal error: choices for argument %s are not iterable: %s" % (name, choices)))
        return
    choices = list(choices)
    value = parameters[name]
    where = checks._within(place.context)
    if isinstance(value, list):
        wrong = [str(item) for item in value if item not in choices]
        if wrong:
            result.errors.append(ArgumentValueError(
                "value of %s must be one or more of: %s. Got no match for: %s%s"
                % (name, ", ".join(str(c) for c in choices), ", ".join(wrong), where)))
        return
    if value in choices:
        return
    # a bare yes or no was a boolean in YAML; where the words are choices, they are meant
    words = {"True": ("yes", "on", "true"), "False": ("no", "off", "false")}.get(str(value), ())
    meant = [word for word in words if word in choices]
    if len(meant) == 1:
        parameters[name] = meant[0]
        return
    result.errors.append(ArgumentValueError(
        "value of %s must be one of: %s, got: %s%s" % (name, ", ".join(str(c) for c in choices), value, where)))


def _check(result, spec, parameters, rules, place):
    known = _aliases(result, spec, parameters, place)
    for name, about in spec.items():
        fallback = about.get("fallback") or (None,)
        if name not in parameters and fallback[0] is not None:
            args, named = [], {}
            for item in fallback[1:]:
                if isinstance(item, dict):
                    named = item
                else:
                    args = item
            try:
                parameters[name] = fallback[0](*args, **named)
            except AnsibleFallbackNotFound:
                pass
    _secrets(result, spec, parameters, place)
    for name in list(parameters):
        if name not in known and not str(name).startswith("_ansible_"):
            result._unsupported_parameters.add(".".join(place.context + (str(name),)))
    _rule(result, MutuallyExclusiveError, checks.check_mutually_exclusive, rules.get("mutually_exclusive"),
          {k: v for k, v in parameters.items() if v is not None}, place.context)
    _rule(result, RequiredError, checks.check_required_arguments, spec, parameters, place.context)
    defaulted = set()
    for name, about in spec.items():
        if name not in parameters and about.get("default") is not None:
            parameters[name] = deepcopy(about["default"])
            defaulted.add(name)
            if about.get("no_log"):
                result._no_log_values.update(_texts(parameters[name]))
    for name, about in spec.items():
        if parameters.get(name) is not None:
            parameters[name] = _convert(result, about, name, parameters[name], place)
            _choose(result, about, name, parameters, place)
    there = {k: v for k, v in parameters.items() if v is not None}
    given = {k: v for k, v in there.items() if k not in defaulted}
    _rule(result, RequiredTogetherError, checks.check_required_together, rules.get("required_together"), given,
          place.context)
    _rule(result, RequiredOneOfError, checks.check_required_one_of, rules.get("required_one_of"), there,
          place.context)
    _rule(result, RequiredIfError, checks.check_required_if, rules.get("required_if"), parameters, place.context)
    _rule(result, RequiredByError, checks.check_required_by, rules.get("required_by"), parameters, place.context)
    for name, about in spec.items():
        parameters.setdefault(name, None)
    for name, about in spec.items():
        inner = about.get("options")
        if inner is None:
            continue
        if parameters[name] is None:
            if not about.get("apply_defaults"):
                continue
            parameters[name] = {}
        value = parameters[name]
        rules_of = {key: about.get(key) for key in rules}
        items = value if isinstance(value, list) else [value]
        for index, item in enumerate(items):
            if isinstance(item, str):
                try:
                    item = items[index] = checks.check_type_dict(item)
                    if not isinstance(value, list):
                        parameters[name] = item
                except TypeError:
                    pass
            if not isinstance(item, dict):
                result.errors.append(ArgumentTypeError(
                    "value of '%s' must be of type dict or list of dicts" % name))
                continue
            _check(result, inner, item, rules_of,
                   place.below(name, index if isinstance(value, list) else None))
